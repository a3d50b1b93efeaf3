#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A group in a type1 container, the base's own code, still works.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/group" "$(edu)"
