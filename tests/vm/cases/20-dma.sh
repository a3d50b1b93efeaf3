#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl amd11
# DMA reaches what is mapped and nothing else.
. tests/vm/lib.sh

to_vfio "$(edu)"
gap=()
# The AMD driver detaches the one before it attaches the other.
[ "$PROFILE" != amd11 ] || gap=(gap)
"$PROGS/dma" "$(edu)" "${gap[@]}"
