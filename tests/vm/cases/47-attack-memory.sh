#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl smmu amd11
# What page tables take is charged to the memory cgroup of who makes them.
. tests/vm/lib.sh

cgroups=/sys/fs/cgroup
group=$cgroups/attack

to_vfio "$(edu)"
check "a cgroup" eval "echo +memory >$cgroups/cgroup.subtree_control && mkdir $group"
"$PROGS/attack-memory" "$(edu)" $group || failed=1
check "the cgroup goes" rmdir $group
