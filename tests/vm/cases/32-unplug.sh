#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A function is taken away by sysfs while it does DMA, and while it does DMA at a PASID.
. tests/vm/lib.sh

victim=$(spare)
to_vfio "$victim"
"$PROGS/unplug" "$victim" remove || failed=1
check "the function has PASIDs" shim_on "$PROGS"
"$PROGS/unplug" "$(edu)" pasid || failed=1
check "the module goes" shim_off
