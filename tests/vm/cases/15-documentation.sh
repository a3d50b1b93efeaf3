#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# The examples of the user ABI's documentation are one program a page, and it works.
. tests/vm/lib.sh

# A block that begins with a directive or a static function is of the head of the file, the others
# are the body of main().
examples()
{
	awk '
		/^\.\. code-block:: c$/ {
			blocks++
			inside = first = 1
			next
		}
		/^[^ ]/ { inside = 0 }
		inside && first && NF {
			first = 0
			head = /^   (#|static )/
		}
		inside && head { print substr($0, 4) }
		inside && !head { body = body substr($0, 4) "\n" }
		END {
			print "int main(int argc, char **argv)\n{\n\tif (argc != 2)\n\t\treturn 2;"
			print body "\treturn " (blocks < 3) ";\n}"
		}' "Documentation/userspace-api/$1.rst"
}

# works PAGE
works()
{
	examples "$1" >"/tmp/$1.c"
	check "$1: the examples compile" gcc -std=gnu11 -Wall -Wextra -Werror -Iinclude/uapi \
		-I"$PROGS/include" -o "/tmp/$1" "/tmp/$1.c"
	check "$1: the examples run" "/tmp/$1" \
		"/dev/vfio/devices/$(ls "/sys/bus/pci/devices/$(edu)/vfio-dev")"
}

# The table of what mixes names the test of each row, and has a row for each such test.
named()
{
	local page=Documentation/userspace-api/iommu-pasid.rst tests=tools/testing/selftests/iommu
	local there said missing

	there=$(sed -nE 's/^TEST_F\((mix|at_pasid), (\w+)\)$/\1.\2/p' $tests/pasid_*.c)
	said=$(grep -oE '(mix|at_pasid)\.\w+' $page)
	if missing=$(grep -vxF "$there" <<<"$said"); then
		echo "no test is called $missing"
		return 1
	fi
	if missing=$(grep -E '^mix\.' <<<"$there" | grep -vxF "$said"); then
		echo "no row has $missing"
		return 1
	fi
}

# The page on porting has a row for each hook, and no other.
hooks()
{
	diff <(printf '%s\n' patches/linux-*/*.patch | sed -E 's|.*/([0-9]+)-.*|\1|') \
		<(sed -nE 's/^([0-9]{4}) .*/\1/p' Documentation/driver-api/iommufd-porting.rst)
}

check "iommu-pasid: the tests of its table are there" named
check "iommufd-porting: the hooks of its table are there" hooks
to_vfio "$(edu)"
works iommufd
check "the function has PASIDs" shim_on "$PROGS"
works iommu-pasid
check "the module goes" shim_off
