#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl slow-fl slow-sl
# Replacing what a PASID or the RID is attached to loses no DMA that is under way.
. tests/vm/lib.sh

# DMA that strikes at any instruction of the driver finds a gap of some, given enough of it.
transfers=60
[ "${PROFILE%%-*}" != slow ] || transfers=250

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
"$PROGS/pasid-replace" "$(edu)" $transfers || failed=1
check "the module goes" shim_off
