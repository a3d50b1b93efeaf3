#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Memory goes away, or is shared by fork, while mapped.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/gone" "$(edu)"
