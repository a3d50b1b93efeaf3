#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl vtd-legacy amd11
# The walker says what the hardware does; its file comes and goes with the device.
. tests/vm/lib.sh
walk=/sys/kernel/debug/iommu/walk

for_root_only()
{
	[ "$(stat -c %a "$walk/$1")" = 600 ] &&
		! setpriv --reuid 65534 --clear-groups cat "$walk/$1" 2>/dev/null
}

# An answer begun before its device went is not finished after.
file_follows_device()
{
	local dev=/sys/bus/pci/devices/$1 fd

	[ -e "$walk/$1" ] || { echo "there is none"; return 1; }
	exec {fd}<>"$walk/$1"
	echo 1 >"$dev/remove"
	[ ! -e "$walk/$1" ] || { echo "it stays when the device goes"; return 1; }
	! cat <&"$fd" 2>/dev/null || { echo "who has it open reads on"; return 1; }
	! (echo - >&"$fd") 2>/dev/null || { echo "who has it open writes on"; return 1; }
	exec {fd}>&-
	echo 1 >/sys/bus/pci/rescan
	[ -e "$walk/$1" ] || { echo "it does not come back"; return 1; }
	"$PROGS/iommuctl" walk "$1"
}

glance()
{
	"$PROGS/iommuctl" walk "$(disk)" | grep -qE "^(context|device table) entry +0x[0-9a-f]+ +[0-9a-f]{16}"
}

mode=${PROFILE#vtd-} pasids=1
[ "$mode" != amd11 ] || mode=amd
case $mode in
legacy | amd) pasids='' ;;
esac
to_vfio "$(edu)"
[ -z "$pasids" ] || check "the module makes it one with PASIDs" shim_on "$PROGS"
"$PROGS/walk" "$(edu)" "$mode" || failed=1
[ -z "$pasids" ] || check "the module goes" shim_off
check "the file is root's alone" for_root_only "$(edu)"
check "the file is there as long as the device is" file_follows_device "$(shared_memory)"
check "iommuctl prints a line for each entry" glance
check_status 1 "iommuctl: a device that there is not" "$PROGS/iommuctl" walk 0000:7f:1f.7
check_status 1 "iommuctl: a path" "$PROGS/iommuctl" walk ../../../etc/passwd
check_status 2 "iommuctl: no device" "$PROGS/iommuctl" walk
check_status 2 "iommuctl: a write without an address" "$PROGS/iommuctl" walk "$(edu)" --write
check_status 2 "iommuctl: a PASID of 21 bits" "$PROGS/iommuctl" walk "$(edu)" --pasid 0x100000
check_status 2 "iommuctl: no number" "$PROGS/iommuctl" walk "$(edu)" --iova -1
