#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Users are killed, or close their files in any order.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/life" "$(edu)"
