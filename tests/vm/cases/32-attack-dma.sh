#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl vtd-legacy amd11 smmu smmu-s2
# Memory is taken from a function that goes on writing: the IOMMU stops it.
. tests/vm/lib.sh

to_vfio "$(edu)"
"$PROGS/attack-dma" "$(edu)"
