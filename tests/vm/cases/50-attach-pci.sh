#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# profiles: vtd-fl vtd-sl
# Bind, attach, replace and detach of a PCI function, right and wrong.
. tests/vm/lib.sh

to_vfio "$(spare)"
"$PROGS/attach" "$(spare)"
