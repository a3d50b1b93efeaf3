#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# DMA through an entry of the function's PASID table reaches what is attached at that PASID.
. tests/vm/lib.sh

width()
{
	"$PROGS/iommuctl" list --hw-info | grep -E "^$(edu) .* PASID width $1,"
}

to_vfio "$(edu)"
check "GET_HW_INFO: a function without PASIDs" width 0
check "the module makes it one with PASIDs" shim_on "$PROGS"
check "GET_HW_INFO: as wide as the IOMMU has them" width 1
"$PROGS/pasid" "$(edu)" || failed=1
check "the module goes" shim_off
check "GET_HW_INFO: a function without PASIDs again" width 0
