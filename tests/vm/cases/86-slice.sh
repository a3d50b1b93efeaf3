#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Drivers that bind a device not as vfio-pci does: slices of a function, and a variant of vfio-pci.
. tests/vm/lib.sh

dev=/sys/bus/pci/devices/$(edu)
cgroups=/sys/fs/cgroup
group=$cgroups/slice
uuids=(1c1b7d52-7d0c-4f0e-9f52-2f3f6d5a8601 1c1b7d52-7d0c-4f0e-9f52-2f3f6d5a8602)

# give_to DRIVER
give_to()
{
	echo "$1" >"$dev/driver_override" && echo "${dev##*/}" >"$dev/driver/unbind" &&
		echo "${dev##*/}" >/sys/bus/pci/drivers_probe &&
		[ "$(basename "$(readlink "$dev/driver")")" = "$1" ]
}

node()
{
	echo "/dev/vfio/devices/$(ls "/sys/bus/mdev/devices/$1/vfio-dev")"
}

# What pays for PASIDs is a cgroup: the program has one of its own.
run()
{
	(echo "$BASHPID" >"$group/cgroup.procs" && exec "$PROGS/$1" "${@:2}") || failed=1
}

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
check "a cgroup with misc" eval "echo +misc >$cgroups/cgroup.subtree_control && mkdir $group"
check "insmod" insmod "$PROGS/edu_vfio/edu_vfio.ko"

check "a driver of its own" give_to edu-slice
# What is not mapped for the kernel's own DMA is refused only there.
check "the kernel's DMA is translated" grep -q '^DMA' "$dev/iommu_group/type"
for uuid in "${uuids[@]}"; do
	check "create a slice" eval "echo $uuid >$dev/mdev_supported_types/edu-slice-slice/create"
done
run pasid-driver "$(edu)" "$(node "${uuids[0]}")" "$(node "${uuids[1]}")"
run pasid-reuse "$(edu)" "$(node "${uuids[0]}")" "$(node "${uuids[1]}")"
check "remove a slice" eval "echo 1 >/sys/bus/mdev/devices/${uuids[0]}/remove"

# The other goes with its parent.
check "a variant of vfio-pci" give_to edu-variant
check "no slice is left" test ! -e "/sys/bus/mdev/devices/${uuids[1]}"
run pasid-driver "$(edu)"

to_vfio "$(edu)"
check "rmmod" rmmod edu_vfio
check "the module goes" shim_off
check "the cgroup goes" eval "rmdir $group && echo -misc >$cgroups/cgroup.subtree_control"
