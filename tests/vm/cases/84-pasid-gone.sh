#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Users of a PASID are killed, or close their files in any order.
. tests/vm/lib.sh

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
"$PROGS/pasid-gone" "$(edu)" || failed=1
check "the module goes" shim_off
