/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/iommu: I/O address spaces, the page tables made from them, and the
 * devices attached to them. Documentation/userspace-api/iommufd.rst explains
 * how the pieces fit, with an example per call.
 *
 * Every call passes one structure whose first member, size, is the number of
 * bytes that the caller knows. A shorter structure means zero in what is left
 * out; a longer one is accepted as long as the tail that the kernel does not
 * know is zero. All padding and reserved members must be zero. Ranges of IOVA
 * are closed: last is the last byte, so that the whole 64 bits can be named.
 *
 * One cause, one errno, the same for every call:
 *
 *   ENOTTY      the kernel has no such call
 *   EFAULT      the structure, or an array it points to, cannot be accessed;
 *               memory to be mapped is not there, or not with that permission
 *   EINVAL      size is smaller than the call's required part; an alignment,
 *               a length of zero, or values that contradict each other
 *   E2BIG       a byte beyond what the kernel knows is not zero
 *   EOPNOTSUPP  a flag, a reserved member, an operation or a type that is not
 *               zero and not known, or that this IOMMU cannot do
 *   ENOENT      no object of that kind has this ID; no mapping at this IOVA
 *   EBADF       no file is open at the descriptor to be mapped
 *   EOVERFLOW   an address range wraps, or does not fit the kernel's word
 *   EEXIST      a fixed IOVA is taken
 *   EADDRINUSE  what is mapped or allowed, and what a device or page table
 *               cannot translate or is not aligned for, exclude each other
 *   ENOSPC      no hole for a mapping whose IOVA the kernel chooses
 *   EMSGSIZE    the array passed is too small; its length is returned
 *   EBUSY       the object is in use
 *   EPERM       the caller lacks a capability; the device would write to what
 *               was opened, sealed or mapped against it
 *   ENOMEM      the system, RLIMIT_MEMLOCK or a cgroup has no more memory
 *
 * Of PASIDs, also in the attach and detach calls of VFIO:
 *
 *   EDOM        PASID 0, which stands for requests without PASID
 *   ERANGE      the number, or what it stands for, is too big for the device
 *   EOPNOTSUPP  the device, or its IOMMU, has no PASIDs, or its IOMMU cannot
 *               replace what is attached at one
 *   EPERM       the device shares its IOMMU group with others
 *   ENXIO       the number is not allocated, and has to be
 *   EINVAL      the page table cannot be used at a PASID, or that of requests
 *               without PASID not beside one; a way to allocate that the device
 *               or the context's other PASIDs exclude
 *   EBUSY       the number is taken, or attached
 *   ENOSPC      no number is left, of PASIDs or of the IOMMU's own for tables
 *   EDQUOT      the limit of the misc cgroup's resource pasid is reached
 *
 * A driver that has to know of each PASID, or a hypervisor, may refuse one: what
 * it says is the errno then.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE (';')

enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC = 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC = 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS = 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC = 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC = 0x94,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA = 0x95,
	IOMMUFD_CMD_PASID_ALLOC = 0xc0,
	IOMMUFD_CMD_PASID_FREE = 0xc1,
	IOMMUFD_CMD_PASID_INFO = 0xc2,
	IOMMUFD_CMD_PASID_LIST = 0xc3,
};

/**
 * struct iommu_destroy - ioctl(IOMMU_DESTROY)
 * @size: sizeof(struct iommu_destroy)
 * @id: the object to destroy, of any kind
 *
 * EBUSY while anything uses the object. Destroying an IOAS unmaps all of it.
 * A device is destroyed by closing its VFIO file, never by this call.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - ioctl(IOMMU_IOAS_ALLOC)
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: must be 0
 * @out_ioas_id: the new, empty I/O address space
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/**
 * struct iommu_iova_range - a closed range of IOVA
 * @start: first byte
 * @last: last byte
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - ioctl(IOMMU_IOAS_IOVA_RANGES)
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: the IOAS
 * @num_iovas: in: entries in @allowed_iovas; out: entries there are
 * @__reserved: must be 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range
 * @out_iova_alignment: smallest alignment of IOVA, address and length of a map
 *
 * The usable ranges, sorted. They shrink when a device is attached and grow
 * when one is detached. EMSGSIZE, with @num_iovas and @out_iova_alignment
 * filled in, if the array is too small; what fits is written.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/**
 * struct iommu_ioas_allow_iovas - ioctl(IOMMU_IOAS_ALLOW_IOVAS)
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: the IOAS
 * @num_iovas: entries in @allowed_iovas, 0 to allow everything again
 * @__reserved: must be 0
 * @allowed_iovas: pointer to an array of struct iommu_iova_range
 *
 * Promises that only these ranges will be used: a device that cannot serve one
 * of them cannot be attached any more, and IOVAs are chosen inside them. The
 * list replaces the one before. EADDRINUSE if it reaches into what an attached
 * device reserves or a page table cannot translate. A fixed IOVA may lie outside
 * of it. An entry has at least two bytes.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};

#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/**
 * enum iommufd_ioas_map_flags - flags of map and copy
 * @IOMMU_IOAS_MAP_FIXED_IOVA: the IOVA is given, not chosen by the kernel
 * @IOMMU_IOAS_MAP_WRITEABLE: the device may write
 * @IOMMU_IOAS_MAP_READABLE: the device may read
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/**
 * struct iommu_ioas_map - ioctl(IOMMU_IOAS_MAP)
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: of enum iommufd_ioas_map_flags, at least one permission
 * @ioas_id: the IOAS
 * @__reserved: must be 0
 * @user_va: address of the memory in the caller
 * @length: bytes
 * @iova: in with FIXED_IOVA, else out: where the device sees the memory
 *
 * The memory stays pinned, and charged to RLIMIT_MEMLOCK, as long as a device
 * or in-kernel user can reach the mapping.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_map_file - ioctl(IOMMU_IOAS_MAP_FILE)
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: as in struct iommu_ioas_map
 * @ioas_id: the IOAS
 * @fd: a memfd, or a file of tmpfs or hugetlbfs, open for what the device may do
 * @start: byte offset in the file
 * @length: bytes
 * @iova: as in struct iommu_ioas_map
 *
 * Like IOMMU_IOAS_MAP, of a file and not of the caller's address space. The fd
 * may be closed afterwards.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - ioctl(IOMMU_IOAS_COPY)
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: as in struct iommu_ioas_map
 * @dst_ioas_id: the IOAS that gets the mapping
 * @src_ioas_id: the IOAS that has it, may be the same
 * @length: bytes
 * @dst_iova: in with FIXED_IOVA, else out
 * @src_iova: where the memory is in the source
 *
 * Maps the same memory once more; what is pinned is shared. The source range
 * must be mapped without a hole; EPERM if write is asked for and the source
 * was mapped without it.
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - ioctl(IOMMU_IOAS_UNMAP)
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: the IOAS
 * @iova: first byte
 * @length: in: bytes; out: bytes that were unmapped
 *
 * Removes every mapping in the range; one that is only partly inside is
 * ENOENT, as is a range without any. @iova 0 with @length U64_MAX is the whole
 * space and never fails for being empty. No device can reach the memory any
 * more when the call returns.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * enum iommufd_option - settings of a context or an IOAS
 * @IOMMU_OPTION_RLIMIT_MODE: of the context, object 0. 0 (default): pinned memory
 *     counts per user; 1: per process, as VFIO type1 does. Setting it needs
 *     CAP_SYS_RESOURCE, and no object in the context.
 * @IOMMU_OPTION_HUGE_PAGES: of an IOAS. 1 (default): contiguous memory may use
 *     large IOMMU pages; 0: PAGE_SIZE ones only, and mappings are made of whole
 *     pages. Cannot become 0 while a page table holds a mapping.
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

/**
 * enum iommufd_option_ops - what to do with an option
 * @IOMMU_OPTION_OP_SET: set it to val64
 * @IOMMU_OPTION_OP_GET: return it in val64
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/**
 * struct iommu_option - ioctl(IOMMU_OPTION)
 * @size: sizeof(struct iommu_option)
 * @option_id: of enum iommufd_option
 * @op: of enum iommufd_option_ops
 * @__reserved: must be 0
 * @object_id: the object, 0 for the context
 * @val64: the value, in or out
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/**
 * enum iommufd_hwpt_alloc_flags - properties of a page table
 * @IOMMU_HWPT_ALLOC_NEST_PARENT: it can be the second stage below a guest's
 * @IOMMU_HWPT_ALLOC_DIRTY_TRACKING: only devices that can track dirty pages
 *     may be attached
 * @IOMMU_HWPT_FAULT_ID_VALID: fault_id names a fault queue
 * @IOMMU_HWPT_ALLOC_PASID: it can be attached at a PASID
 */
enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID = 1 << 2,
	IOMMU_HWPT_ALLOC_PASID = 1 << 3,
};

/**
 * enum iommu_hwpt_vtd_s1_flags - attributes of a VT-d first-stage table
 * @IOMMU_VTD_S1_SRE: supervisor requests
 * @IOMMU_VTD_S1_EAFE: extended accessed flag
 * @IOMMU_VTD_S1_WPE: write protect for supervisor requests
 */
enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

/**
 * struct iommu_hwpt_vtd_s1 - a guest's VT-d first-stage table
 * @flags: of enum iommu_hwpt_vtd_s1_flags
 * @pgtbl_addr: guest-physical address of the top table
 * @addr_width: bits of input address
 * @__reserved: must be 0
 */
struct iommu_hwpt_vtd_s1 {
	__aligned_u64 flags;
	__aligned_u64 pgtbl_addr;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_arm_smmuv3 - a guest's SMMUv3 stream table entry
 * @ste: its first two words, little endian (SMMU architecture specification,
 *     IHI 0070, section 5.2): V, Config, S1Fmt, S1ContextPtr, S1CDMax; S1DSS,
 *     S1CIR, S1COR, S1CSH, S1STALLD, EATS; the rest must be 0
 */
struct iommu_hwpt_arm_smmuv3 {
	__aligned_le64 ste[2];
};

/**
 * struct iommu_hwpt_amd_guest - a guest's AMD device table entry
 * @dte: its words; of them what points to the guest's tables is used: GCR3 root,
 *     GLX, GIOV, GV, GuestPagingMode (AMD I/O virtualization specification,
 *     48882, section 2.2.2.1)
 */
struct iommu_hwpt_amd_guest {
	__aligned_u64 dte[4];
};

/**
 * enum iommu_hwpt_data_type - kind of the data passed to IOMMU_HWPT_ALLOC
 * @IOMMU_HWPT_DATA_NONE: none, a page table made from an IOAS
 * @IOMMU_HWPT_DATA_VTD_S1: struct iommu_hwpt_vtd_s1
 * @IOMMU_HWPT_DATA_ARM_SMMUV3: struct iommu_hwpt_arm_smmuv3
 * @IOMMU_HWPT_DATA_AMD_GUEST: struct iommu_hwpt_amd_guest
 */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
	IOMMU_HWPT_DATA_VTD_S1 = 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3 = 2,
	IOMMU_HWPT_DATA_AMD_GUEST = 3,
};

/**
 * struct iommu_hwpt_alloc - ioctl(IOMMU_HWPT_ALLOC)
 * @size: sizeof(struct iommu_hwpt_alloc)
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @dev_id: the device whose IOMMU decides the format
 * @pt_id: the IOAS to make a page table of; with data, what to nest it on
 * @out_hwpt_id: the new page table
 * @__reserved: must be 0
 * @data_type: of enum iommu_hwpt_data_type
 * @data_len: bytes at @data_uptr
 * @data_uptr: pointer to the data
 * @fault_id: with FAULT_ID_VALID, a fault queue
 * @__reserved2: must be 0
 *
 * An attach to an IOAS makes and shares a page table by itself; this call is
 * for one with properties of its own. It lives until destroyed.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommu_hw_info_vtd_flags - what a VT-d unit is known for
 * @IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: a second-stage table that nests must
 *     not hold read-only mappings
 */
enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

/**
 * struct iommu_hw_info_vtd - registers of a VT-d unit
 * @flags: of enum iommu_hw_info_vtd_flags
 * @__reserved: 0
 * @cap_reg: capability register, VT-d specification section 11.4.2
 * @ecap_reg: extended capability register, section 11.4.3
 */
struct iommu_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap_reg;
	__aligned_u64 ecap_reg;
};

/**
 * enum iommu_hw_info_arm_smmuv3_flags - what an SMMUv3 is known for
 * @IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI: invalidations have to be
 *     issued twice
 */
enum iommu_hw_info_arm_smmuv3_flags {
	IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI = 1 << 0,
};

/**
 * struct iommu_hw_info_arm_smmuv3 - registers of an SMMUv3
 * @flags: of enum iommu_hw_info_arm_smmuv3_flags
 * @__reserved: 0
 * @idr: SMMU_IDR0 to SMMU_IDR5 (IHI 0070, section 6.3)
 * @iidr: SMMU_IIDR
 * @aidr: SMMU_AIDR
 *
 * What the hardware has, not what a guest may use of it: a VMM that does not know
 * a feature has to hide it.
 */
struct iommu_hw_info_arm_smmuv3 {
	__u32 flags;
	__u32 __reserved;
	__u32 idr[6];
	__u32 iidr;
	__u32 aidr;
};

/**
 * struct iommu_hw_info_tegra241_cmdqv - what a Tegra241 CMDQV has
 * @flags: 0
 * @version: of it
 * @log2vcmdqs: command queues of a virtual interface, by power of two
 * @log2vsids: virtual stream IDs of a virtual interface, likewise
 * @__reserved: 0
 */
struct iommu_hw_info_tegra241_cmdqv {
	__u32 flags;
	__u8 version;
	__u8 log2vcmdqs;
	__u8 log2vsids;
	__u8 __reserved;
};

/**
 * struct iommu_hw_info_amd - registers of an AMD IOMMU
 * @efr: extended feature register (48882, section 3.4.1)
 * @efr2: extended feature 2 register
 */
struct iommu_hw_info_amd {
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/**
 * enum iommu_hw_info_type - kind of the data that IOMMU_GET_HW_INFO returns
 * @IOMMU_HW_INFO_TYPE_NONE: none
 * @IOMMU_HW_INFO_TYPE_DEFAULT: in: whatever the IOMMU has
 * @IOMMU_HW_INFO_TYPE_INTEL_VTD: struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_TYPE_ARM_SMMUV3: struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: struct iommu_hw_info_tegra241_cmdqv
 * @IOMMU_HW_INFO_TYPE_AMD: struct iommu_hw_info_amd
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
	IOMMU_HW_INFO_TYPE_DEFAULT = 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD = 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3,
	IOMMU_HW_INFO_TYPE_AMD = 4,
};

/**
 * enum iommufd_hw_capabilities - what a device can do behind its IOMMU
 * @IOMMU_HW_CAP_DIRTY_TRACKING: the IOMMU records written pages
 * @IOMMU_HW_CAP_PCI_PASID_EXEC: requests with a PASID may ask to execute
 * @IOMMU_HW_CAP_PCI_PASID_PRIV: requests with a PASID may be privileged
 * @IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: a PCI function that cannot use ATS here;
 *     absent on a kernel that does not know, or where ATS can be used
 *
 * The PASID bits tell what is enabled in the function's PASID control register
 * (PCIe base specification 6.0, section 7.8.8.3).
 */
enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC = 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV = 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3,
};

/**
 * enum iommufd_hw_info_flags - flags of IOMMU_GET_HW_INFO
 * @IOMMU_HW_INFO_FLAG_INPUT_TYPE: in_data_type names the kind of data wanted
 */
enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/**
 * struct iommu_hw_info - ioctl(IOMMU_GET_HW_INFO)
 * @size: sizeof(struct iommu_hw_info)
 * @flags: of enum iommufd_hw_info_flags
 * @dev_id: the device
 * @data_len: in: bytes at @data_uptr; out: bytes the kernel has
 * @data_uptr: where the IOMMU's data goes, cut or filled with zeroes to fit
 * @in_data_type: with FLAG_INPUT_TYPE, of enum iommu_hw_info_type
 * @out_data_type: of enum iommu_hw_info_type
 * @out_max_pasid_log2: PASIDs are this many bits wide; 0: no PASIDs
 * @__reserved: must be 0
 * @out_capabilities: of enum iommufd_hw_capabilities
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};

#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - flags of IOMMU_HWPT_SET_DIRTY_TRACKING
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: on; without it, off
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - ioctl(IOMMU_HWPT_SET_DIRTY_TRACKING)
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: of enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: a page table allocated with IOMMU_HWPT_ALLOC_DIRTY_TRACKING
 * @__reserved: must be 0
 *
 * When it goes on, everything is clean. EOPNOTSUPP for a page table without.
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};

#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - flags of IOMMU_HWPT_GET_DIRTY_BITMAP
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: what is dirty stays dirty, as is right
 *     before the pages are unmapped
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - ioctl(IOMMU_HWPT_GET_DIRTY_BITMAP)
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: a page table whose tracking is on
 * @flags: of enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: must be 0
 * @iova: first byte, a multiple of @page_size
 * @length: bytes, a multiple of @page_size
 * @page_size: bytes for which a bit stands: a power of two, not smaller than the
 *     smallest page of the IOMMU
 * @data: pointer to the bitmap, of 64-bit words: bits are set, none is cleared
 *
 * Bit n of word k stands for the page at @iova + (64 k + n) * @page_size. Of a
 * page of the IOMMU that lies only partly in the range the part is reported, and
 * it stays dirty. EINVAL while tracking is off; EFAULT if the bitmap cannot be
 * written to, where something is mapped. What an error leaves in the bitmap has
 * been read, and counts.
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};

#define IOMMU_HWPT_GET_DIRTY_BITMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/**
 * enum iommu_hwpt_vtd_s1_invalidate_flags - scope of an invalidation
 * @IOMMU_VTD_INV_FLAGS_LEAF: only leaf entries changed
 */
enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

/**
 * enum iommu_hwpt_invalidate_data_type - kind of an invalidation request
 * @IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: struct iommu_hwpt_vtd_s1_invalidate
 * @IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: struct
 *     iommu_viommu_arm_smmuv3_invalidate
 * @IOMMU_HWPT_INVALIDATE_DATA_AMD: struct iommu_hwpt_amd_invalidate; mainline has
 *     none for AMD
 */
enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1,
	IOMMU_HWPT_INVALIDATE_DATA_AMD = 0xc0,
};

/**
 * struct iommu_hwpt_vtd_s1_invalidate - pages of a VT-d first-stage table
 * @addr: first address, page aligned
 * @npages: 4 KiB pages, U64_MAX with @addr 0 for all of the table
 * @flags: of enum iommu_hwpt_vtd_s1_invalidate_flags
 * @__reserved: must be 0
 */
struct iommu_hwpt_vtd_s1_invalidate {
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_amd_invalidate - a command of a guest's AMD IOMMU
 * @cmd: the command, in the CPU's byte order; the page table says which domain it is
 *     for, and the domain ID in it is not looked at: INVALIDATE_IOMMU_PAGES, of a
 *     PASID with GN, of all without, and INVALIDATE_IOMMU_ALL (AMD I/O virtualization
 *     specification, 48882, section 2.4)
 */
struct iommu_hwpt_amd_invalidate {
	__aligned_u64 cmd[2];
};

/**
 * struct iommu_viommu_arm_smmuv3_invalidate - a command of a guest's SMMUv3
 * @cmd: the command, little endian, with the guest's stream ID and without VMID:
 *     CMD_TLBI_NSNH_ALL, CMD_TLBI_NH_VA, _VAA, _ALL, _ASID, CMD_ATC_INV,
 *     CMD_CFGI_CD, CMD_CFGI_CD_ALL (IHI 0070, section 4)
 */
struct iommu_viommu_arm_smmuv3_invalidate {
	__aligned_le64 cmd[2];
};

/**
 * struct iommu_hwpt_invalidate - ioctl(IOMMU_HWPT_INVALIDATE)
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: a nested page table, or a virtual IOMMU
 * @data_uptr: pointer to an array of requests
 * @data_type: of enum iommu_hwpt_invalidate_data_type: what the requests are
 * @entry_len: bytes of one request
 * @entry_num: in: requests there are; out: those that are done
 * @__reserved: must be 0
 *
 * Requests are done in order, up to the first that cannot be, which decides the
 * errno. @entry_num of 0 asks whether @data_type is known.
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};

#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/**
 * enum iommu_hwpt_pgfault_flags - flags of a page request
 * @IOMMU_PGFAULT_FLAGS_PASID_VALID: it came with a PASID
 * @IOMMU_PGFAULT_FLAGS_LAST_PAGE: it is the last of its group
 */
enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID = 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE = 1 << 1,
};

/**
 * enum iommu_hwpt_pgfault_perm - what a page request asks for
 * @IOMMU_PGFAULT_PERM_READ: to read
 * @IOMMU_PGFAULT_PERM_WRITE: to write
 * @IOMMU_PGFAULT_PERM_EXEC: to execute
 * @IOMMU_PGFAULT_PERM_PRIV: as a privileged request
 */
enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ = 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE = 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC = 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV = 1 << 3,
};

/**
 * struct iommu_hwpt_pgfault - a page request, read from a fault queue
 * @flags: of enum iommu_hwpt_pgfault_flags
 * @dev_id: the device
 * @pasid: the PASID that user space knows it by
 * @grpid: number of the group that the device made it in
 * @perm: of enum iommu_hwpt_pgfault_perm
 * @__reserved: 0
 * @addr: page-aligned address
 * @length: bytes that it is a hint for, or 0
 * @cookie: the same for all of a group: names it in the response
 */
struct iommu_hwpt_pgfault {
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 __reserved;
	__aligned_u64 addr;
	__u32 length;
	__u32 cookie;
};

/**
 * enum iommufd_page_response_code - what the device is told
 * @IOMMUFD_PAGE_RESP_SUCCESS: the pages are there: try again
 * @IOMMUFD_PAGE_RESP_INVALID: they cannot be had: give up
 */
enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS = 0,
	IOMMUFD_PAGE_RESP_INVALID = 1,
};

/**
 * struct iommu_hwpt_page_response - an answer, written to a fault queue
 * @cookie: of the group
 * @code: of enum iommufd_page_response_code
 */
struct iommu_hwpt_page_response {
	__u32 cookie;
	__u32 code;
};

/**
 * struct iommu_fault_alloc - ioctl(IOMMU_FAULT_QUEUE_ALLOC)
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: must be 0
 * @out_fault_id: the new queue, for iommu_hwpt_alloc.fault_id
 * @out_fault_fd: a file: read struct iommu_hwpt_pgfault, write struct
 *     iommu_hwpt_page_response, poll
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};

#define IOMMU_FAULT_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

/**
 * enum iommu_viommu_type - kind of a virtual IOMMU
 * @IOMMU_VIOMMU_TYPE_DEFAULT: none in particular
 * @IOMMU_VIOMMU_TYPE_ARM_SMMUV3: Arm SMMUv3
 * @IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: SMMUv3 with queues of NVIDIA Tegra241
 */
enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT = 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_viommu_alloc - ioctl(IOMMU_VIOMMU_ALLOC)
 * @size: sizeof(struct iommu_viommu_alloc)
 * @flags: must be 0
 * @type: of enum iommu_viommu_type
 * @dev_id: a device behind the IOMMU that does the work
 * @hwpt_id: the page table with IOMMU_HWPT_ALLOC_NEST_PARENT below the guest's
 * @out_viommu_id: the new virtual IOMMU
 * @data_len: bytes at @data_uptr
 * @__reserved: must be 0
 * @data_uptr: pointer to what the kind wants and tells
 *
 * What a guest's IOMMU has beyond page tables: its devices' numbers, its
 * invalidation requests, its events. It keeps the page table.
 */
struct iommu_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 dev_id;
	__u32 hwpt_id;
	__u32 out_viommu_id;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};

#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

/**
 * struct iommu_vdevice_alloc - ioctl(IOMMU_VDEVICE_ALLOC)
 * @size: sizeof(struct iommu_vdevice_alloc)
 * @viommu_id: the virtual IOMMU
 * @dev_id: a device behind its IOMMU; has one virtual device at most
 * @out_vdevice_id: the new virtual device
 * @virt_id: what the guest's IOMMU knows the device by; unique there
 */
struct iommu_vdevice_alloc {
	__u32 size;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 out_vdevice_id;
	__aligned_u64 virt_id;
};

#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/**
 * struct iommu_ioas_change_process - ioctl(IOMMU_IOAS_CHANGE_PROCESS)
 * @size: sizeof(struct iommu_ioas_change_process)
 * @__reserved: must be 0
 *
 * The calling process pays from now on for all that is pinned, in all IOASes of
 * the context. All of it has to be mapped from files: EINVAL.
 */
struct iommu_ioas_change_process {
	__u32 size;
	__u32 __reserved;
};

#define IOMMU_IOAS_CHANGE_PROCESS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

/**
 * enum iommu_veventq_flag - flags of an event's header
 * @IOMMU_VEVENTQ_FLAG_LOST_EVENTS: it stands alone, for events that were lost
 */
enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1 << 0,
};

/**
 * struct iommufd_vevent_header - before each event that is read
 * @flags: of enum iommu_veventq_flag
 * @sequence: number of the event, from 0 to INT_MAX and round again; one that
 *     is missing was lost
 */
struct iommufd_vevent_header {
	__u32 flags;
	__u32 sequence;
};

/**
 * enum iommu_veventq_type - kind of the events of a queue
 * @IOMMU_VEVENTQ_TYPE_DEFAULT: none, reserved
 * @IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: struct iommu_vevent_arm_smmuv3
 * @IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: struct iommu_vevent_tegra241_cmdqv
 */
enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT = 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_vevent_arm_smmuv3 - an event of a virtual SMMUv3
 * @evt: the event record, little endian, with the guest's stream ID (SMMU
 *     architecture specification, IHI 0070, section 7.3)
 */
struct iommu_vevent_arm_smmuv3 {
	__aligned_le64 evt[4];
};

/**
 * struct iommu_vevent_tegra241_cmdqv - an error of a Tegra241 CMDQV interface
 * @lvcmdq_err_map: a bit per logical virtual command queue
 */
struct iommu_vevent_tegra241_cmdqv {
	__aligned_le64 lvcmdq_err_map[2];
};

/**
 * struct iommu_veventq_alloc - ioctl(IOMMU_VEVENTQ_ALLOC)
 * @size: sizeof(struct iommu_veventq_alloc)
 * @flags: must be 0
 * @viommu_id: the virtual IOMMU
 * @type: of enum iommu_veventq_type; one queue of each kind
 * @veventq_depth: events that it holds
 * @out_veventq_id: the new queue
 * @out_veventq_fd: a file: read a struct iommufd_vevent_header and an event of
 *     the kind, poll
 * @__reserved: must be 0
 */
struct iommu_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 veventq_depth;
	__u32 out_veventq_id;
	__u32 out_veventq_fd;
	__u32 __reserved;
};

#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

/**
 * enum iommu_hw_queue_type - kind of a queue that hardware reads by itself
 * @IOMMU_HW_QUEUE_TYPE_DEFAULT: none, reserved
 * @IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: a command queue of NVIDIA Tegra241
 */
enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT = 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1,
};

/**
 * struct iommu_hw_queue_alloc - ioctl(IOMMU_HW_QUEUE_ALLOC)
 * @size: sizeof(struct iommu_hw_queue_alloc)
 * @flags: must be 0
 * @viommu_id: the virtual IOMMU
 * @type: of enum iommu_hw_queue_type
 * @index: which of the virtual IOMMU's queues
 * @out_hw_queue_id: the new queue
 * @nesting_parent_iova: where the guest has the queue, in the IOAS of the page
 *     table below the guest's
 * @length: bytes
 *
 * The memory is pinned, and its mapping cannot be unmapped, as long as the queue is.
 */
struct iommu_hw_queue_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 index;
	__u32 out_hw_queue_id;
	__aligned_u64 nesting_parent_iova;
	__aligned_u64 length;
};

#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

/**
 * struct iommu_viommu_tegra241_cmdqv - data of a Tegra241 CMDQV virtual IOMMU
 * @out_vintf_mmap_offset: where the file maps the page of the virtual interface
 * @out_vintf_mmap_length: bytes
 */
struct iommu_viommu_tegra241_cmdqv {
	__aligned_u64 out_vintf_mmap_offset;
	__aligned_u64 out_vintf_mmap_length;
};

/**
 * enum iommufd_vfio_ioas_op - what IOMMU_VFIO_IOAS does
 * @IOMMU_VFIO_IOAS_GET: say which it is
 * @IOMMU_VFIO_IOAS_SET: choose another
 * @IOMMU_VFIO_IOAS_CLEAR: have none
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/**
 * struct iommu_vfio_ioas - ioctl(IOMMU_VFIO_IOAS)
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: in for SET, out for GET
 * @op: of enum iommufd_vfio_ioas_op
 * @__reserved: must be 0
 *
 * The IOAS that VFIO's type1 calls on this file work on. The first VFIO group that
 * gets this file as its container makes one if there is none; GET and type1's
 * calls are ENODEV without. It stays the choice until it is destroyed.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/**
 * struct iommu_ioas_noiommu_get_pa - ioctl(IOMMU_IOAS_NOIOMMU_GET_PA)
 * @size: sizeof(struct iommu_ioas_noiommu_get_pa)
 * @flags: must be 0
 * @ioas_id: the IOAS
 * @__reserved: must be 0
 * @iova: first byte
 * @length: in: bytes of interest, not 0; out: those that are contiguous
 * @out_phys: physical address of the first
 *
 * For a program that does DMA without an IOMMU, with all the rights that takes:
 * CAP_SYS_RAWIO, and a kernel with CONFIG_VFIO_NOIOMMU, else EOPNOTSUPP. From the
 * first call on, everything that the IOAS maps is pinned: the address is right
 * until the IOVA is unmapped. ENOENT if nothing, or no memory, is mapped there.
 */
struct iommu_ioas_noiommu_get_pa {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 out_phys;
};

#define IOMMU_IOAS_NOIOMMU_GET_PA _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)

/**
 * enum iommu_pasid_alloc_flags - how the number is chosen
 * @IOMMU_PASID_ALLOC_TAGGED: the caller names it: the number that its guest uses
 * @IOMMU_PASID_ALLOC_IDENTITY: the kernel names one that is nobody else's on any
 *     device of the system; EINVAL for a device of the per-RID policy, where no
 *     number is
 *
 * With neither, the kernel names one that the device can be programmed with as
 * it is. Both together are EINVAL.
 */
enum iommu_pasid_alloc_flags {
	IOMMU_PASID_ALLOC_TAGGED = 1 << 0,
	IOMMU_PASID_ALLOC_IDENTITY = 1 << 1,
};

/**
 * struct iommu_pasid_alloc - ioctl(IOMMU_PASID_ALLOC)
 * @size: sizeof(struct iommu_pasid_alloc)
 * @flags: of enum iommu_pasid_alloc_flags
 * @dev_id: the device
 * @pasid: the number by which all other calls know it; in with TAGGED, else out
 *
 * Where PASIDs are the device's own (policy per-RID) the number is the one in
 * its requests. Where they are the system's (policy global) a tag stands for
 * another number in requests, which user space never sees: the same tag on a
 * second such device of the context stands for the same. Tags and numbers that
 * the kernel names do not mix in a context: EINVAL, except that a named number
 * may be a tag for another device.
 */
struct iommu_pasid_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
};

#define IOMMU_PASID_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_PASID_ALLOC)

/**
 * struct iommu_pasid_free - ioctl(IOMMU_PASID_FREE)
 * @size: sizeof(struct iommu_pasid_free)
 * @flags: must be 0
 * @dev_id: the device
 * @pasid: a number got from IOMMU_PASID_ALLOC for this device
 *
 * EBUSY while it is attached.
 */
struct iommu_pasid_free {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
};

#define IOMMU_PASID_FREE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_PASID_FREE)

/**
 * enum iommu_pasid_policy - whose a device's PASIDs are
 * @IOMMU_PASID_POLICY_NONE: it has none
 * @IOMMU_PASID_POLICY_PER_RID: the device's own: its table serves one user
 * @IOMMU_PASID_POLICY_GLOBAL: the system's: others use entries of its table
 */
enum iommu_pasid_policy {
	IOMMU_PASID_POLICY_NONE = 0,
	IOMMU_PASID_POLICY_PER_RID = 1,
	IOMMU_PASID_POLICY_GLOBAL = 2,
};

/**
 * struct iommu_pasid_info - ioctl(IOMMU_PASID_INFO)
 * @size: sizeof(struct iommu_pasid_info)
 * @flags: must be 0
 * @dev_id: the device
 * @out_policy: of enum iommu_pasid_policy
 * @out_width: numbers in the device's requests are this many bits wide
 * @out_limit: PASIDs that the device can have at once
 * @out_in_use: PASIDs that it has, allocated or attached
 * @out_attached: those of them that are attached
 *
 * A device without PASIDs has policy NONE, and zeroes.
 */
struct iommu_pasid_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 out_policy;
	__u32 out_width;
	__u32 out_limit;
	__u32 out_in_use;
	__u32 out_attached;
};

#define IOMMU_PASID_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_PASID_INFO)

/**
 * enum iommu_pasid_entry_flags - what a PASID of a device is
 * @IOMMU_PASID_ENTRY_ALLOCATED: by IOMMU_PASID_ALLOC; else it is there because,
 *     and for as long as, it is attached
 * @IOMMU_PASID_ENTRY_ATTACHED: @hwpt_id and @ioas_id say to what
 * @IOMMU_PASID_ENTRY_IDENTITY: the number is the one in the device's requests, as
 *     it was promised to be; a tag never is, though it may be the same
 */
enum iommu_pasid_entry_flags {
	IOMMU_PASID_ENTRY_ALLOCATED = 1 << 0,
	IOMMU_PASID_ENTRY_ATTACHED = 1 << 1,
	IOMMU_PASID_ENTRY_IDENTITY = 1 << 2,
};

/**
 * struct iommu_pasid_entry - a PASID of a device
 * @pasid: its number
 * @flags: of enum iommu_pasid_entry_flags
 * @hwpt_id: the page table attached to, or 0: an emulated device has none
 * @ioas_id: the IOAS attached to, or 0
 */
struct iommu_pasid_entry {
	__u32 pasid;
	__u32 flags;
	__u32 hwpt_id;
	__u32 ioas_id;
};

/**
 * struct iommu_pasid_list - ioctl(IOMMU_PASID_LIST)
 * @size: sizeof(struct iommu_pasid_list)
 * @flags: must be 0
 * @dev_id: the device
 * @pasid: in: the first number wanted; out: the one to go on with, 0 at the end
 * @num_entries: in: entries that @entries has room for; out: entries written
 * @__reserved: must be 0
 * @entries: pointer to an array of struct iommu_pasid_entry
 * @out_changes: grows with each change of the device's PASIDs
 *
 * Numbers ascend. Each PASID that the device has all the while is listed once,
 * whatever happens to others. A list taken in several calls is one state of the
 * device if all of them return the same @out_changes; one call is in any case,
 * up to 256 entries, and never returns more.
 */
struct iommu_pasid_list {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 num_entries;
	__u32 __reserved;
	__aligned_u64 entries;
	__aligned_u64 out_changes;
};

#define IOMMU_PASID_LIST _IO(IOMMUFD_TYPE, IOMMUFD_CMD_PASID_LIST)

#endif
