#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-legacy smmu amd11
# Files and IDs that are another context's, and a user who has no more than the files.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/attack-files" "$(edu)"
