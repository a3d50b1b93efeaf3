#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl amd11
# DMA reaches what is mapped and nothing else.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/dma" "$(edu)"
