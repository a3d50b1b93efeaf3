#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: noiommu
# A group without an IOMMU, in a container that /dev/iommu serves.
. tests/vm/lib.sh

to_vfio "$(edu)"
for container in /dev/vfio/vfio /dev/iommu; do
	"$PROGS/noiommu" $container /dev/vfio/noiommu-0 "$(edu)" >/tmp/noiommu || not_ok "$container: status $?"
	sed -E "s|^(ok\|not ok) |&$container: |" /tmp/noiommu
done
