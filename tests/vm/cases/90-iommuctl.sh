#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl vtd11-fl
# iommuctl tells what there is and who holds what, gives functions to VFIO, and leaves no half of it.
. tests/vm/lib.sh

ctl=$PROGS/iommuctl
sys=/sys/bus/pci

driver()
{
	basename "$(readlink "$sys/devices/$1/driver")"
}

# is BDF DRIVER OVERRIDE RECORDS: all that bind and unbind change.
is()
{
	local now

	now="$(driver "$1") $(<"$sys/devices/$1/driver_override") $(find /run/iommuctl -name '0*' | wc -l)"
	[ "$now" = "$2 $3 $4" ] || { echo "$now, not $2 $3 $4"; return 1; }
}

# fails_at FILE TEXT COMMAND...: a write to the file fails; so does the command, and says so.
fails_at()
{
	local file=$1 text=$2 out status
	shift 2
	mount --bind /dev/full "$file" || return
	out=$("$@" 2>&1)
	status=$?
	umount "$file"
	[ $status = 1 ] || { echo "status $status: $out"; return 1; }
	[[ $out = *"$text"* ]] || { echo "it says $out"; return 1; }
}

answers()
{
	"$ctl" "$@" --json | python3 -c 'import json, sys
print(*(d[k] for d in json.load(sys.stdin)["devices"] for k in ("from", "to", "node")))'
}

binds_and_unbinds()
{
	local had
	had=$(driver "$(disk)")

	[ "$(answers bind "$(disk)" "$(spare)")" = "$had vfio-pci vfio0 None vfio-pci vfio1" ] &&
		is "$(disk)" vfio-pci vfio-pci 2 && [ -c /dev/vfio/devices/vfio1 ] &&
		"$ctl" bind "$(disk)" && is "$(disk)" vfio-pci vfio-pci 2 &&
		[ "$(answers unbind "$(spare)" "$(disk)")" = "vfio-pci None None vfio-pci $had None" ] &&
		is "$(disk)" "$had" '(null)' 0 && is "$(spare)" '' '(null)' 0
}

# The disk goes with the spare, or not at all; what is undone is as it was.
bind_undone()
{
	fails_at "$sys/drivers/vfio-pci/bind" "bind to vfio-pci: No space" \
		"$ctl" bind "$(disk)" "$(spare)" && is "$(disk)" virtio-pci '(null)' 0 &&
		fails_at "$sys/drivers/virtio-pci/unbind" "unbind from virtio-pci: No space" \
			"$ctl" bind "$(spare)" "$(disk)" && is "$(disk)" virtio-pci '(null)' 0 &&
		is "$(spare)" '' '(null)' 0 &&
		fails_at "$sys/devices/$(disk)/driver_override" "driver_override: No space" \
			"$ctl" bind "$(spare)" "$(disk)" && is "$(disk)" virtio-pci '(null)' 0 &&
		is "$(spare)" '' '(null)' 0 && [ -b /dev/vda ]
}

unbind_undone()
{
	"$ctl" bind "$(spare)" "$(disk)" >/dev/null &&
		fails_at "$sys/drivers/virtio-pci/bind" "bind to virtio-pci: No space" \
			"$ctl" unbind "$(spare)" "$(disk)" &&
		is "$(disk)" vfio-pci vfio-pci 2 && is "$(spare)" vfio-pci vfio-pci 2 &&
		"$ctl" unbind "$(spare)" "$(disk)" && is "$(disk)" virtio-pci '(null)' 0
}

nowhere_to_remember()
{
	local out

	mount -t tmpfs -o ro none /run/iommuctl || return
	out=$("$ctl" bind "$(disk)" 2>&1)
	umount /run/iommuctl
	[[ $out = *"cannot be remembered"* ]] && is "$(disk)" virtio-pci '(null)' 0
}

# The function is another: what was remembered at its address does not count.
other_function()
{
	"$ctl" bind "$(disk)" && sed -i '1s/.*/8086:1234/; 2s/.*/nonsense/' "/run/iommuctl/$(disk)" &&
		"$ctl" unbind "$(disk)" && is "$(disk)" virtio-pci '(null)' 0
}

open_refused()
{
	local fd out node

	node=/dev/vfio/devices/$(ls "$sys/devices/$(edu)/vfio-dev")
	exec {fd}<>"$node"
	out=$(timeout 20 "$ctl" unbind "$(edu)" 2>&1)
	exec {fd}>&-
	[[ $out = *"process $BASHPID (bash) has $node open"* ]] || { echo "$out"; return 1; }
	[ "$(driver "$(edu)")" = vfio-pci ]
}

# The chipset's functions are a group: a bridge, and two that nobody has.
binds_group()
{
	local one=$1 two=$2

	[ "$(answers bind --group "$one")" = "None vfio-pci vfio0 None vfio-pci vfio1" ] &&
		is "$two" vfio-pci vfio-pci 2 && "$ctl" unbind "$one" "$two" && is "$two" '' '(null)' 0
}

bridge_refused()
{
	local bridge
	bridge=$(basename "$(dirname "$(readlink -f "$sys/devices/$(shared_memory)")")")

	[[ $("$ctl" bind "$bridge" 2>&1) = *"a bridge stays with the kernel"* ]]
}

user_refused()
{
	cp "$ctl" /tmp/iommuctl
	! setpriv --reuid 65534 --clear-groups /tmp/iommuctl bind "$(disk)" 2>&1 &&
		is "$(disk)" virtio-pci '(null)' 0
}

# complete LINE: what bash offers.
complete()
{
	bash -c 'source tools/iommu/iommuctl.bash-completion; COMP_LINE=$1 COMP_POINT=${#1}
		COMP_WORDBREAKS=:; _iommuctl; echo "${COMPREPLY[*]}"' bash "$1"
}

completes()
{
	local edu
	edu=$(edu)

	[ "$(complete "iommuctl unbind 0")" = "$edu" ] &&
		[ "$(complete "iommuctl unbind ${edu%.*}")" = "${edu#*:*:}" ] &&
		[ "$(complete "iommuctl bind $(disk)")" = "$(disk | cut -d: -f3)" ] &&
		[ "$(complete "iommuctl to")" = top ]
}

installs()
{
	make -s -C tools/iommu O="$PROGS" DESTDIR=/tmp/root PREFIX=/usr install &&
		cmp "$ctl" /tmp/root/usr/sbin/iommuctl && [ -s /tmp/root/usr/share/man/man8/iommuctl.8 ] &&
		[ -s /tmp/root/usr/share/bash-completion/completions/iommuctl ]
}

# As no other case has left it.
from_vfio "$(edu)" "$(disk)" "$(spare)"
rm -rf /run/iommuctl
check "bind and unbind, and what was there before" binds_and_unbinds
check "bind: a step that fails is undone" bind_undone
check "unbind: a step that fails is undone" unbind_undone
check "bind: nothing, where it cannot be remembered" nowhere_to_remember
check "unbind: a record of another function does not count" other_function
check "bind: with all of the group" binds_group "$(pci_find 8086:2922)" "$(pci_find 8086:2930)"
check "bind: a bridge" bridge_refused
check "bind: another user" user_refused
check "bind: the function of the test" "$ctl" bind "$(edu)"
check "unbind: not while it is open" open_refused
check "completion" completes
check "install" installs
pasids=(1 1)
[ "$PROFILE" = vtd-sl ] || pasids=(5 9)
python3 tests/vm/iommuctl_check.py "$(edu)" 0 0 || failed=1
check "the module makes it one with PASIDs" shim_on "$PROGS"
python3 tests/vm/iommuctl_check.py "$(edu)" "${pasids[@]}" || failed=1
check "the module goes" shim_off
