#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# VFIO's calls, of a function and of a PASID, with each of their allocations failing.
. tests/vm/lib.sh

uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1002
dev=/sys/bus/mdev/devices/$uuid

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
# What a PCI function's bind does besides us is not made for an allocation that fails: ACPI's code
# for its interrupt frees what it does not have.
check "an emulated device" eval \
	"echo $uuid >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-1/create"
"$PROGS/vfio-nth" "$(edu)" "/dev/vfio/devices/$(ls "$dev/vfio-dev")" || failed=1
check "it goes" eval "echo 1 >$dev/remove"
check "the module goes" shim_off
