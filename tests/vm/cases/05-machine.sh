#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# The machine is what the other cases think it is.
. tests/vm/lib.sh

stage=second
[ "$PROFILE" = vtd-sl ] || stage=first

other()
{
	[ $stage = first ] && echo second || echo first
}

to_vfio "$(edu)"
"$PROGS/iommuctl" list --hw-info >/tmp/list || not_ok "the lister"
check "scalable mode" grep -q 'scalable mode yes' /tmp/list
check "$stage stage" grep -q "$stage stage yes" /tmp/list
check "no $(other) stage" grep -q "$(other) stage no" /tmp/list
check "GET_HW_INFO tells of VT-d" grep -qE "^$(edu) .* type 1, .*, ecap 0x[0-9a-f]+$" /tmp/list
check "the disk function is there" test -n "$(disk)"
check "the spare function is there" test -n "$(spare)"
for bdf in "$(edu)" "$(disk)" "$(spare)"; do
	group=/sys/bus/pci/devices/$bdf/iommu_group/devices
	check "$bdf is alone in its group" test "$(ls "$group")" = "$bdf"
done
