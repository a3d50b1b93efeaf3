#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-sl
# A module that was built out of tree against this kernel's build directory.
. tests/vm/lib.sh

check "insmod" insmod "$PROGS/hello/hello.ko"
check "it ran" eval "dmesg | grep -q 'hello: IOMMU on the PCI bus: 1'"
check "rmmod" rmmod hello
check "it went" eval "dmesg | grep -q 'hello: gone'"
