# SPDX-License-Identifier: GPL-2.0
# The calls that there are, as the headers and the table of type1 name them, for fail_nth.
/_BASE = /d
s/^\t\(IOMMUFD_CMD_[A-Z_]*\) = .*/CMD(\1)/p
s/^\t\(IOMMU_TEST_OP_[A-Z_]*\) = .*/OP(\1)/p
s/^\t\(MOCK_OP_[A-Z_]*\)\( = .*\)\?,$/OP(\1)/p
s/^\t{ \(VFIO_[A-Z_]*\), type1_.*/TYPE1(\1)/p
