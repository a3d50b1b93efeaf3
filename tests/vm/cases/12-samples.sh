#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# The samples print what they say they do, line by line, and say so when they cannot.
. tests/vm/lib.sh

# The output of a command is these lines of standard input, each a pattern for a whole one.
matches()
{
	local status=$1 out rc want got i
	shift

	out=$("$@" 2>&1)
	rc=$?
	[ $rc = "$status" ] || { echo "status $rc, not $status: $out"; return 1; }
	mapfile -t got <<<"$out"
	mapfile -t want
	for i in "${!want[@]}"; do
		[[ ${got[i]-} =~ ^${want[i]}$ ]] || { echo "line $i is '${got[i]-}', not '${want[i]}'"; return 1; }
	done
	[ ${#got[@]} = ${#want[@]} ] || { echo "one line more: ${got[${#want[@]}]}"; return 1; }
}

for sample in map pasid-dma fault-queue dirty; do
	check_status 2 "$sample: usage" "$PROGS/$sample"
done
from_vfio "$(edu)"
for sample in map pasid-dma dirty; do
	check "$sample: a function without vfio-pci" matches 1 "$PROGS/$sample" "$(edu)" <<-EOF
		$sample: $(edu) is not bound to vfio-pci
	EOF
done

to_vfio "$(edu)"
check "map" matches 0 "$PROGS/map" "$(edu)" <<-EOF
	usable   0 to 0xfedfffff
	usable   0xfef00000 to 0x[0-9a-f]+
	align    4096 bytes
	map      memory at IOVA 0x100000
	map      a file at IOVA 0x101000
	copy     2048 bytes from the memory into the file: equal
	refused  a second mapping at that IOVA: File exists
	refused  a mapping where interrupts go: Invalid argument
	refused  a mapping that is not aligned: Invalid argument
	refused  an unmap of a part of a mapping: No such file or directory
	refused  the function's write to what it may only read
	unmap    4096 bytes; the file is as it was
EOF

check "pasid-dma: a function without PASIDs" matches 1 "$PROGS/pasid-dma" "$(edu)" <<-EOF
	pasid-dma: $(edu) has no PASIDs: is pasid_shim loaded\?
EOF
check "the function has PASIDs" shim_on "$PROGS"
check "pasid-dma" matches 0 "$PROGS/pasid-dma" "$(edu)" <<-EOF
	PASIDs   1 to 1
	alloc    PASID 1, the kernel's choice
	write    "simple" with PASID 1: X "-", Y "simple"
	refused  to free it while it is attached: Device or resource busy
	write    "late" with PASID 1: X "-", Y "simple"
	refused  the write after the detach did not arrive
	free     PASID 1
	alloc    PASID 1, our choice
	write    "tagged" with PASID 1: X "-", Y "tagged"
	refused  the same PASID again: Device or resource busy
	refused  to free it while it is attached: Device or resource busy
	write    "late" with PASID 1: X "-", Y "tagged"
	refused  the write after the detach did not arrive
	free     PASID 1
EOF

check "fault-queue: a function without page requests" matches 1 "$PROGS/fault-queue" "$(edu)" 1 <<-EOF
	fault-queue: attaching the PASID: Operation not supported
EOF
check "fault-queue" matches 0 "$PROGS/fault-queue" --mock <<-EOF
	attach   PASID 5 to page table [0-9]+ with fault queue [0-9]+
	request  group 1: 0x1000000 at PASID 5, to write
	answer   group 1: mapped
	table    0x1000000 leads to our page
	request  group 2: 0x1009000 at PASID 5, to write
	answer   group 2: mapped
	table    0x1009000 leads to our page
	request  group 3: 0x1040000 at PASID 5, to write
	answer   group 3: refused
	table    0x1040000 leads to nothing
EOF

check "dirty: an IOMMU without" matches 1 "$PROGS/dirty" "$(edu)" <<-EOF
	dirty: a page table with dirty tracking: this IOMMU has none: Operation not supported
EOF
check "dirty" matches 0 "$PROGS/dirty" --mock <<-EOF
	tracking on
	dirty    0000000000000000
	write    page 0
	write    page 7
	dirty    0000000000000081, and kept
	dirty    0000000000000081
	write    page 63
	dirty    8000000000000000
	tracking off
EOF
check "the module goes" shim_off
