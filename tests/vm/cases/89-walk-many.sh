#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd11-fl vtd11-sl
# PASIDs of 20 bits, which only a newer QEMU has.
. tests/vm/lib.sh

wide()
{
	"$PROGS/iommuctl" list --hw-info | grep -E "^$(edu) .* PASID width 20,"
}

to_vfio "$(edu)"
check "the module makes it one with PASIDs" shim_on "$PROGS"
check "they have 20 bits" wide
"$PROGS/walk-many" "$(edu)" || failed=1
check "the module goes" shim_off
