#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl
# A module whose devices are in use is not unloaded; when the user has gone, however, it is.
. tests/vm/lib.sh

uuid=6c14ac0e-7e2d-4b1e-9d51-0f3c0a6b7052
type=/sys/devices/virtual/pasidq/pasidq/mdev_supported_types/pasidq-queue
function=/sys/bus/pci/devices/$(edu)

# hold NAME ARGS: a holder in the background, which has said that it holds.
hold()
{
	local name=$1
	shift
	"$PROGS/holder" "$@" >/tmp/holds &
	holder=$!
	for _ in {1..100}; do
		grep -q holds /tmp/holds && ok "$name" && return
		sleep 0.1
	done
	not_ok "$name"
}

let_go()
{
	kill -9 $holder
	wait $holder 2>/dev/null
	true
}

# busy MODULE: it stays, and says why.
busy()
{
	! rmmod "$1" 2>/tmp/rmmod && grep -qi 'in use\|busy\|temporarily unavailable' /tmp/rmmod &&
		[ -e "/sys/module/$1" ]
}

give_to()
{
	echo "$1" >"$function/driver_override" && echo "${function##*/}" >"$function/driver/unbind" &&
		echo "${function##*/}" >/sys/bus/pci/drivers_probe &&
		[ "$(basename "$(readlink "$function/driver")")" = "$1" ]
}

check "pasidq: insmod" insmod "$PROGS/pasidq/pasidq.ko"
check "pasidq: a device" eval "echo $uuid >$type/create"
hold "pasidq: a user with 3 PASIDs attached" \
	"/dev/vfio/devices/$(ls "/sys/bus/mdev/devices/$uuid/vfio-dev")" 3
check "pasidq: it stays while it has a user" busy pasidq
check "pasidq: and works" kill -0 $holder
let_go
check "pasidq: it goes when the user is killed, with the device" rmmod pasidq
check "pasidq: no device is left" test ! -e "/sys/bus/mdev/devices/$uuid"

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
check "edu_vfio: insmod" insmod "$PROGS/edu_vfio/edu_vfio.ko"
check "edu_vfio: a variant of vfio-pci" give_to edu-variant
hold "edu_vfio: a user with a PASID attached" "$(edu)" 1
check "edu_vfio: it stays while it has a user" busy edu_vfio
let_go
check "edu_vfio: it goes when the user is killed, driver and all" rmmod edu_vfio
check "edu_vfio: the function has no driver" test ! -e "$function/driver"
check "nothing stays pinned" eval "cat /proc/sys/vm/stat_refresh;
	awk '\$1 == \"nr_foll_pin_acquired\" { a = \$2 } \$1 == \"nr_foll_pin_released\" { r = \$2 }
		END { exit a != r }' /proc/vmstat"
check "the module goes" shim_off
