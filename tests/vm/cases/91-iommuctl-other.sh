#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl
# On a kernel that is not ours iommuctl says what is missing and what to do. It is for the base's
# kernel, too; of ours, what the base has not is hidden.
. tests/vm/lib.sh

ctl=$PROGS/iommuctl

ours()
{
	grep -qs '^iommufd:' /proc/self/fdinfo/3 3</dev/iommu
}

# says STATUS TEXT COMMAND...
says()
{
	local want=$1 text=$2 out status
	shift 2
	out=$("$@" 2>&1)
	status=$?
	[ $status = "$want" ] && [[ $out = *"$text"* ]] || { echo "status $status: $out"; return 1; }
}

advises()
{
	local command

	for command in ps 'ps --json' 'top -n1' dot; do
		# shellcheck disable=SC2086 # words
		says 1 "$1" "$ctl" $command && says 1 "install iommufd-pasid-dkms" "$ctl" $command || return
	done
}

lists()
{
	says 1 "$1" "$ctl" list && says 1 "install iommufd-pasid-dkms" "$ctl" list &&
		says 1 "$(edu)" "$ctl" list && says 1 "dmar0: Intel VT-d" "$ctl" list &&
		"$ctl" list --json 2>/dev/null | python3 -c '
import json, sys
kernel = json.load(sys.stdin)["kernel"]
assert kernel["dev_iommu"] is (sys.argv[1] == "there"), kernel
assert not kernel["pasids"] and not kernel["fdinfo"], kernel' "$2"
}

binds()
{
	says 0 "no driver -> vfio-pci" "$ctl" bind "$(spare)" &&
		says 0 "vfio-pci -> no driver" "$ctl" unbind "$(spare)"
}

from_vfio "$(spare)"
if ours; then
	# It can be opened, and knows no call.
	mount --bind /dev/null /dev/iommu
	mount -t tmpfs none /sys/kernel/debug/iommu
fi
check "ps, top, dot: another iommufd" advises "does not tell who holds what"
check "list: another iommufd" lists "does not know PASIDs" there
check "bind, unbind: it is all the same" binds
check "walk: a kernel without" says 1 "the kernel has no CONFIG_IOMMU_WALK" "$ctl" walk "$(edu)"
umount /dev/iommu /sys/kernel/debug/iommu 2>/dev/null
rm /dev/iommu
check "ps, top, dot: no /dev/iommu" advises "/dev/iommu is missing: load the module iommufd"
check "list: no /dev/iommu" lists "/dev/iommu is missing" gone
umount -l /sys/kernel/debug
check "walk: no debugfs" says 1 "debugfs is missing" "$ctl" walk "$(edu)"
mknod /dev/iommu c "$(cut -d: -f1 /sys/class/misc/iommu/dev)" "$(cut -d: -f2 /sys/class/misc/iommu/dev)"
mount -t debugfs debugfs /sys/kernel/debug
check "and all is there again" test -c /dev/iommu
