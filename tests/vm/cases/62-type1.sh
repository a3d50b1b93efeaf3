#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# A program that only knows type1 gets the same answers from whoever serves its container.
. tests/vm/lib.sh

to_vfio "$(edu)" "$(spare)"
for version in v1 v2; do
	for container in /dev/vfio/vfio /dev/iommu; do
		out=/tmp/type1-$version-${container##*/}
		"$PROGS/type1" $container $version "$(edu)" "$(spare)" >"$out"
		status=$?
		sed -E "s|^(ok\|not ok) |&$version $container: |" "$out"
		[ $status = 0 ] || not_ok "$version $container: status $status"
	done
	check "$version: the same answers" cmp "/tmp/type1-$version-vfio" "/tmp/type1-$version-iommu"
done
served=vfio
! zgrep -q '^CONFIG_IOMMUFD_VFIO_CONTAINER=y' /proc/config.gz || served=iommufd
check "/dev/vfio/vfio is served by $served" [ "$("$PROGS/type1" /dev/vfio/vfio)" = $served ]
# The name that everybody may open.
check "/dev/vfio/vfio is for everybody" [ "$(stat -c %a /dev/vfio/vfio)" = 666 ]
