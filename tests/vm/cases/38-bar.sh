#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# DMA of one function to the BAR of another, and what ends it.
. tests/vm/lib.sh

to_vfio "$(edu)" "$(shared_memory)"
"$PROGS/bar" "$(edu)" "$(shared_memory)" || failed=1
dmesg >/tmp/dmesg
check "the IOMMU reports what it refuses" \
	grep "DMAR: .*DMA Write.*\[$(edu | cut -d: -f2-)\].*fault addr 0x40000000" /tmp/dmesg
