#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl
# The sample pasidq: an emulated device that reads and writes through the address spaces of PASIDs.
# The IOMMU has no part in it.
. tests/vm/lib.sh

uuid=6c14ac0e-7e2d-4b1e-9d51-0f3c0a6b7051
dev=/sys/bus/mdev/devices/$uuid
type=/sys/devices/virtual/pasidq/pasidq/mdev_supported_types/pasidq-queue

check "insmod" insmod "$PROGS/pasidq/pasidq.ko"
check "create by sysfs" eval "echo $uuid >$type/create"
node=/dev/vfio/devices/$(ls "$dev/vfio-dev")
"$PROGS/queue" "$node" || failed=1
"$PROGS/queue-race" "$node" 10 || failed=1
check "remove by sysfs" eval "echo 1 >$dev/remove"
check "it is gone" test ! -e "$dev"
check "rmmod" rmmod pasidq
