#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Wrong calls get their errno and change nothing.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/misuse" "$(edu)"
