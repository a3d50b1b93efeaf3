#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# The examples of the user ABI's documentation are one program, and it works.
. tests/vm/lib.sh

# The first block is the head of the file, the others are the body of main().
examples()
{
	awk '
		/^\.\. code-block:: c$/ {
			blocks++
			inside = 1
			if (blocks == 2)
				print "int main(int argc, char **argv)\n{\n\tif (argc != 2)\n\t\treturn 2;"
			next
		}
		/^[^ ]/ { inside = 0 }
		inside { print substr($0, 4) }
		END { print "\treturn " (blocks < 3) ";\n}" }' Documentation/userspace-api/iommufd.rst
}

to_vfio "$(edu)"
examples >/tmp/examples.c
check "the examples compile" gcc -std=gnu11 -Wall -Wextra -Werror -Iinclude/uapi \
	-I"$PROGS/include" -o /tmp/examples /tmp/examples.c
check "the examples run" /tmp/examples "/dev/vfio/devices/$(ls "/sys/bus/pci/devices/$(edu)/vfio-dev")"
