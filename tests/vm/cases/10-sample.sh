#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# The sample works, and says so when it cannot.
. tests/vm/lib.sh

check_status 2 "usage" "$PROGS/edu-dma"
from_vfio "$(edu)"
check_status 1 "a function without vfio-pci" "$PROGS/edu-dma" "$(edu)"
to_vfio "$(edu)"
check "copies, and sees the refusal" "$PROGS/edu-dma" "$(edu)"
check "a second time" "$PROGS/edu-dma" "$(edu)"
