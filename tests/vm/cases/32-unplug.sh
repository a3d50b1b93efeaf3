#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A function is taken away by sysfs while it does DMA.
. tests/vm/lib.sh

victim=$(spare)
to_vfio "$victim"
"$PROGS/unplug" "$victim" remove || failed=1
