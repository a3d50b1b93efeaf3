#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A PASID that was one user's is another's, and reaches that one's memory only.
. tests/vm/lib.sh

to_vfio "$(edu)"
check "the function has PASIDs" shim_on "$PROGS"
"$PROGS/pasid-reuse" "$(edu)" || failed=1
check "the module goes" shim_off
