#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: smmu smmu-s1 smmu-s2
# SMMUv3: DMA of the RID reaches what is mapped and nothing else, interrupts arrive, and with both
# stages a guest owns the first.
. tests/vm/lib.sh

glance()
{
	"$PROGS/iommuctl" walk "$(disk)" --iova 0x1000 | grep -qE "^STE +0x[0-9a-f]+ +[0-9a-f]{16}"
}

to_vfio "$(edu)"
"$PROGS/edu-dma" "$(edu)"
check "the sample" [ $? = 0 ]
"$PROGS/dma" "$(edu)"
check "DMA" [ $? = 0 ]
"$PROGS/smmu-walk" "$(edu)"
check "the walker" [ $? = 0 ]
check "iommuctl prints a line for each entry" glance
"$PROGS/interrupt" "$(edu)"
check "interrupts" [ $? = 0 ]
[ "$PROFILE" != smmu ] || {
	"$PROGS/smmu-nested" "$(edu)"
	check "a guest's CD table" [ $? = 0 ]
}
