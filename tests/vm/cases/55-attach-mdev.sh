#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl
# The same with an emulated device, the kernel's sample mtty, which comes and goes by sysfs.
. tests/vm/lib.sh

uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
dev=/sys/bus/mdev/devices/$uuid

check "create by sysfs" eval \
	"echo $uuid >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-1/create"
"$PROGS/attach" "/dev/vfio/devices/$(ls "$dev/vfio-dev")" || failed=1
check "remove by sysfs" eval "echo 1 >$dev/remove"
check "it is gone" test ! -e "$dev"
