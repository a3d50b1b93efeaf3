# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that run inside the VM.

# The PCI addresses of a vendor:device, in order.
pci_find()
{
	local dir

	for dir in /sys/bus/pci/devices/*; do
		[ "$(<"$dir/vendor"):$(<"$dir/device")" = "0x${1%:*}:0x${1#*:}" ] && echo "${dir##*/}"
	done
}

edu()
{
	pci_find 1234:11e8 | sed -n 1p
}

spare()
{
	pci_find 1234:11e8 | sed -n 2p
}

disk()
{
	pci_find 1af4:1042 | sed -n 1p
}

# Has a BAR that is memory, and behind its port a reset.
shared_memory()
{
	pci_find 1af4:1110 | sed -n 1p
}

# Gives PCI functions to vfio-pci, from whatever driver has them.
to_vfio()
{
	local bdf dev

	for bdf; do
		dev=/sys/bus/pci/devices/$bdf
		echo vfio-pci >"$dev/driver_override"
		[ ! -e "$dev/driver" ] || echo "$bdf" >"$dev/driver/unbind"
		echo "$bdf" >/sys/bus/pci/drivers_probe
		[ "$(basename "$(readlink "$dev/driver")")" = vfio-pci ] || {
			echo "cannot bind $bdf to vfio-pci" >&2
			return 1
		}
	done
}

from_vfio()
{
	local bdf dev

	for bdf; do
		dev=/sys/bus/pci/devices/$bdf
		echo >"$dev/driver_override"
		[ ! -e "$dev/driver" ] || echo "$bdf" >"$dev/driver/unbind"
		echo "$bdf" >/sys/bus/pci/drivers_probe
	done
}

# shim_on PROGS: the edu function has PASIDs from now on; shim_off: it has none.
shim_on()
{
	insmod "$1/pasid_shim/pasid_shim.ko" "function=$(edu)" && to_vfio "$(edu)"
}

shim_off()
{
	rmmod pasid_shim && to_vfio "$(edu)"
}

ok()
{
	echo "ok $*"
}

not_ok()
{
	echo "not ok $*"
	failed=1
}

# check NAME COMMAND...: the command's success is the check; what it prints is the reason.
check()
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name: ${out:-"$* failed"}"
	fi
}

# check_status WANT NAME COMMAND...: the command must fail, in the way it should.
check_status()
{
	local want=$1 name=$2 status
	shift 2
	"$@" >/dev/null 2>&1
	status=$?
	if [ $status = "$want" ]; then
		ok "$name"
	else
		not_ok "$name: status $status, not $want"
	fi
}

failed=''

# The status of a case is that of its checks.
trap '[ -z "$failed" ] || exit 1' EXIT
