#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A user may pin up to its limit, and gets all of it back.
. tests/vm/lib.sh

to_vfio "$(edu)"
chmod 666 /dev/iommu /dev/vfio/devices/*
"$PROGS/rlimit" "$(edu)"
