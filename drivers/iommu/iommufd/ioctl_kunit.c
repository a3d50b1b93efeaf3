// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every row of the table of ioctls, against the layout of the structures as the
 * binary interface has it: the numbers here are that interface, and stay.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "ioctl.h"

#define FIRST_NR 0x80
#define TEST_NR 0xa0
#define FIELDS 11

enum { PLAIN, FLAGS, RESERVED };

/**
 * struct field - a member as compiled, and as it must be
 * @name: for messages
 * @at: offset as compiled
 * @len: size as compiled
 * @want_at: offset in the interface
 * @want_len: size in the interface
 * @kind: FLAGS: bits that are not known are refused; RESERVED: must be zero
 */
struct field {
	const char *name;
	u32 at;
	u32 len;
	u32 want_at;
	u32 want_len;
	int kind;
};

/**
 * struct layout - an ioctl
 * @name: of its structure
 * @cmd: number as compiled
 * @nr: number in the interface, of type 0x3b
 * @size: of the structure as compiled
 * @want_size: in the interface
 * @want_min: how much of it every caller must pass
 * @known_flags: what may be set in its flags
 * @fields: all of its members
 */
struct layout {
	const char *name;
	u32 cmd;
	u32 nr;
	u32 size;
	u32 want_size;
	u32 want_min;
	u32 known_flags;
	struct field fields[FIELDS];
};

#define STRUCT(tag, ioc, number, bytes, min)				\
	.name = #tag, .cmd = ioc, .nr = number, .size = sizeof(struct tag),	\
	.want_size = bytes, .want_min = min
#define F(tag, member, offset, bytes, sort)				\
	{ #member, offsetof(struct tag, member), sizeof_field(struct tag, member),	\
	  offset, bytes, sort }

static const struct layout layouts[] = {
#define S iommu_destroy
	{ STRUCT(iommu_destroy, IOMMU_DESTROY, 0x80, 8, 8), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, id, 4, 4, PLAIN) } },
#undef S
#define S iommu_ioas_alloc
	{ STRUCT(iommu_ioas_alloc, IOMMU_IOAS_ALLOC, 0x81, 12, 12), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS),
		F(S, out_ioas_id, 8, 4, PLAIN) } },
#undef S
#define S iommu_ioas_allow_iovas
	{ STRUCT(iommu_ioas_allow_iovas, IOMMU_IOAS_ALLOW_IOVAS, 0x82, 24, 24), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, ioas_id, 4, 4, PLAIN), F(S, num_iovas, 8, 4, PLAIN),
		F(S, __reserved, 12, 4, RESERVED), F(S, allowed_iovas, 16, 8, PLAIN) } },
#undef S
#define S iommu_ioas_copy
	{ STRUCT(iommu_ioas_copy, IOMMU_IOAS_COPY, 0x83, 40, 40), .known_flags = 7, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dst_ioas_id, 8, 4, PLAIN),
		F(S, src_ioas_id, 12, 4, PLAIN), F(S, length, 16, 8, PLAIN),
		F(S, dst_iova, 24, 8, PLAIN), F(S, src_iova, 32, 8, PLAIN) } },
#undef S
#define S iommu_ioas_iova_ranges
	{ STRUCT(iommu_ioas_iova_ranges, IOMMU_IOAS_IOVA_RANGES, 0x84, 32, 32), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, ioas_id, 4, 4, PLAIN), F(S, num_iovas, 8, 4, PLAIN),
		F(S, __reserved, 12, 4, RESERVED), F(S, allowed_iovas, 16, 8, PLAIN),
		F(S, out_iova_alignment, 24, 8, PLAIN) } },
#undef S
#define S iommu_ioas_map
	{ STRUCT(iommu_ioas_map, IOMMU_IOAS_MAP, 0x85, 40, 40), .known_flags = 7, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, ioas_id, 8, 4, PLAIN),
		F(S, __reserved, 12, 4, RESERVED), F(S, user_va, 16, 8, PLAIN),
		F(S, length, 24, 8, PLAIN), F(S, iova, 32, 8, PLAIN) } },
#undef S
#define S iommu_ioas_unmap
	{ STRUCT(iommu_ioas_unmap, IOMMU_IOAS_UNMAP, 0x86, 24, 24), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, ioas_id, 4, 4, PLAIN), F(S, iova, 8, 8, PLAIN),
		F(S, length, 16, 8, PLAIN) } },
#undef S
#define S iommu_option
	{ STRUCT(iommu_option, IOMMU_OPTION, 0x87, 24, 24), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, option_id, 4, 4, PLAIN), F(S, op, 8, 2, PLAIN),
		F(S, __reserved, 10, 2, RESERVED), F(S, object_id, 12, 4, PLAIN),
		F(S, val64, 16, 8, PLAIN) } },
#undef S
#define S iommu_vfio_ioas
	{ STRUCT(iommu_vfio_ioas, IOMMU_VFIO_IOAS, 0x88, 12, 12), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, ioas_id, 4, 4, PLAIN), F(S, op, 8, 2, PLAIN),
		F(S, __reserved, 10, 2, RESERVED) } },
#undef S
#define S iommu_hwpt_alloc
	{ STRUCT(iommu_hwpt_alloc, IOMMU_HWPT_ALLOC, 0x89, 48, 24), .known_flags = 15, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, pt_id, 12, 4, PLAIN), F(S, out_hwpt_id, 16, 4, PLAIN),
		F(S, __reserved, 20, 4, RESERVED), F(S, data_type, 24, 4, PLAIN),
		F(S, data_len, 28, 4, PLAIN), F(S, data_uptr, 32, 8, PLAIN),
		F(S, fault_id, 40, 4, PLAIN), F(S, __reserved2, 44, 4, RESERVED) } },
#undef S
#define S iommu_hw_info
	{ STRUCT(iommu_hw_info, IOMMU_GET_HW_INFO, 0x8a, 40, 32), .known_flags = 1, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, data_len, 12, 4, PLAIN), F(S, data_uptr, 16, 8, PLAIN),
		F(S, in_data_type, 24, 4, PLAIN), F(S, out_data_type, 24, 4, PLAIN),
		F(S, out_max_pasid_log2, 28, 1, PLAIN), F(S, __reserved, 29, 3, RESERVED),
		F(S, out_capabilities, 32, 8, PLAIN) } },
#undef S
#define S iommu_hwpt_invalidate
	{ STRUCT(iommu_hwpt_invalidate, IOMMU_HWPT_INVALIDATE, 0x8d, 32, 32), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, hwpt_id, 4, 4, PLAIN), F(S, data_uptr, 8, 8, PLAIN),
		F(S, data_type, 16, 4, PLAIN), F(S, entry_len, 20, 4, PLAIN),
		F(S, entry_num, 24, 4, PLAIN), F(S, __reserved, 28, 4, RESERVED) } },
#undef S
#define S iommu_fault_alloc
	{ STRUCT(iommu_fault_alloc, IOMMU_FAULT_QUEUE_ALLOC, 0x8e, 16, 16), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, out_fault_id, 8, 4, PLAIN),
		F(S, out_fault_fd, 12, 4, PLAIN) } },
#undef S
#define S iommu_hwpt_set_dirty_tracking
	{ STRUCT(iommu_hwpt_set_dirty_tracking, IOMMU_HWPT_SET_DIRTY_TRACKING, 0x8b, 16, 16),
	  .known_flags = 1, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, hwpt_id, 8, 4, PLAIN),
		F(S, __reserved, 12, 4, RESERVED) } },
#undef S
#define S iommu_hwpt_get_dirty_bitmap
	{ STRUCT(iommu_hwpt_get_dirty_bitmap, IOMMU_HWPT_GET_DIRTY_BITMAP, 0x8c, 48, 48),
	  .known_flags = 1, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, hwpt_id, 4, 4, PLAIN), F(S, flags, 8, 4, FLAGS),
		F(S, __reserved, 12, 4, RESERVED), F(S, iova, 16, 8, PLAIN),
		F(S, length, 24, 8, PLAIN), F(S, page_size, 32, 8, PLAIN),
		F(S, data, 40, 8, PLAIN) } },
#undef S
#define S iommu_ioas_map_file
	{ STRUCT(iommu_ioas_map_file, IOMMU_IOAS_MAP_FILE, 0x8f, 40, 40), .known_flags = 7,
	  .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, ioas_id, 8, 4, PLAIN),
		F(S, fd, 12, 4, PLAIN), F(S, start, 16, 8, PLAIN), F(S, length, 24, 8, PLAIN),
		F(S, iova, 32, 8, PLAIN) } },
#undef S
#define S iommu_viommu_alloc
	{ STRUCT(iommu_viommu_alloc, IOMMU_VIOMMU_ALLOC, 0x90, 40, 24), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, type, 8, 4, PLAIN),
		F(S, dev_id, 12, 4, PLAIN), F(S, hwpt_id, 16, 4, PLAIN),
		F(S, out_viommu_id, 20, 4, PLAIN), F(S, data_len, 24, 4, PLAIN),
		F(S, __reserved, 28, 4, RESERVED), F(S, data_uptr, 32, 8, PLAIN) } },
#undef S
#define S iommu_vdevice_alloc
	{ STRUCT(iommu_vdevice_alloc, IOMMU_VDEVICE_ALLOC, 0x91, 24, 24), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, viommu_id, 4, 4, PLAIN), F(S, dev_id, 8, 4, PLAIN),
		F(S, out_vdevice_id, 12, 4, PLAIN), F(S, virt_id, 16, 8, PLAIN) } },
#undef S
#define S iommu_veventq_alloc
	{ STRUCT(iommu_veventq_alloc, IOMMU_VEVENTQ_ALLOC, 0x93, 32, 28), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, viommu_id, 8, 4, PLAIN),
		F(S, type, 12, 4, PLAIN), F(S, veventq_depth, 16, 4, PLAIN),
		F(S, out_veventq_id, 20, 4, PLAIN), F(S, out_veventq_fd, 24, 4, PLAIN),
		F(S, __reserved, 28, 4, RESERVED) } },
#undef S
#define S iommu_hw_queue_alloc
	{ STRUCT(iommu_hw_queue_alloc, IOMMU_HW_QUEUE_ALLOC, 0x94, 40, 40), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, viommu_id, 8, 4, PLAIN),
		F(S, type, 12, 4, PLAIN), F(S, index, 16, 4, PLAIN),
		F(S, out_hw_queue_id, 20, 4, PLAIN), F(S, nesting_parent_iova, 24, 8, PLAIN),
		F(S, length, 32, 8, PLAIN) } },
#undef S
#define S iommu_ioas_change_process
	{ STRUCT(iommu_ioas_change_process, IOMMU_IOAS_CHANGE_PROCESS, 0x92, 8, 8), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, __reserved, 4, 4, RESERVED) } },
#undef S
#define S iommu_ioas_noiommu_get_pa
	{ STRUCT(iommu_ioas_noiommu_get_pa, IOMMU_IOAS_NOIOMMU_GET_PA, 0x95, 40, 40), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, ioas_id, 8, 4, PLAIN),
		F(S, __reserved, 12, 4, RESERVED), F(S, iova, 16, 8, PLAIN),
		F(S, length, 24, 8, PLAIN), F(S, out_phys, 32, 8, PLAIN) } },
#undef S
#define S iommu_pasid_alloc
	{ STRUCT(iommu_pasid_alloc, IOMMU_PASID_ALLOC, 0xc0, 16, 16), .known_flags = 3, .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, pasid, 12, 4, PLAIN) } },
#undef S
#define S iommu_pasid_free
	{ STRUCT(iommu_pasid_free, IOMMU_PASID_FREE, 0xc1, 16, 16), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, pasid, 12, 4, PLAIN) } },
#undef S
#define S iommu_pasid_info
	{ STRUCT(iommu_pasid_info, IOMMU_PASID_INFO, 0xc2, 32, 32), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, out_policy, 12, 4, PLAIN), F(S, out_width, 16, 4, PLAIN),
		F(S, out_limit, 20, 4, PLAIN), F(S, out_in_use, 24, 4, PLAIN),
		F(S, out_attached, 28, 4, PLAIN) } },
#undef S
#define S iommu_pasid_list
	{ STRUCT(iommu_pasid_list, IOMMU_PASID_LIST, 0xc3, 40, 40), .fields = {
		F(S, size, 0, 4, PLAIN), F(S, flags, 4, 4, FLAGS), F(S, dev_id, 8, 4, PLAIN),
		F(S, pasid, 12, 4, PLAIN), F(S, num_entries, 16, 4, PLAIN),
		F(S, __reserved, 20, 4, RESERVED), F(S, entries, 24, 8, PLAIN),
		F(S, out_changes, 32, 8, PLAIN) } },
#undef S
};

/* What the rows do not name: vendor structures and the values of enums. */
static void ioctl_abi_values(struct kunit *test)
{
	static const u32 pairs[][2] = {
		{ IOMMU_IOAS_MAP_FIXED_IOVA, 1 }, { IOMMU_IOAS_MAP_WRITEABLE, 2 },
		{ IOMMU_IOAS_MAP_READABLE, 4 }, { IOMMU_OPTION_RLIMIT_MODE, 0 },
		{ IOMMU_OPTION_HUGE_PAGES, 1 }, { IOMMU_OPTION_OP_SET, 0 },
		{ IOMMU_OPTION_OP_GET, 1 }, { IOMMU_HWPT_ALLOC_NEST_PARENT, 1 },
		{ IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 2 }, { IOMMU_HWPT_FAULT_ID_VALID, 4 },
		{ IOMMU_HWPT_ALLOC_PASID, 8 }, { IOMMU_HWPT_DATA_NONE, 0 },
		{ IOMMU_HWPT_DATA_VTD_S1, 1 }, { IOMMU_HW_INFO_TYPE_INTEL_VTD, 1 },
		{ IOMMU_HW_INFO_FLAG_INPUT_TYPE, 1 }, { IOMMU_HW_CAP_DIRTY_TRACKING, 1 },
		{ IOMMU_HW_CAP_PCI_PASID_EXEC, 2 }, { IOMMU_HW_CAP_PCI_PASID_PRIV, 4 },
		{ IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED, 8 },
		{ IOMMU_HWPT_DIRTY_TRACKING_ENABLE, 1 },
		{ IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, 1 },
		{ IOMMU_PASID_ALLOC_TAGGED, 1 }, { IOMMU_PASID_ALLOC_IDENTITY, 2 },
		{ IOMMU_PASID_POLICY_NONE, 0 }, { IOMMU_PASID_POLICY_PER_RID, 1 },
		{ IOMMU_PASID_POLICY_GLOBAL, 2 }, { IOMMU_PASID_ENTRY_ALLOCATED, 1 },
		{ IOMMU_PASID_ENTRY_ATTACHED, 2 }, { IOMMU_PASID_ENTRY_IDENTITY, 4 },
		{ sizeof(struct iommu_pasid_entry), 16 },
		{ sizeof(struct iommu_iova_range), 16 },
		{ offsetof(struct iommu_iova_range, last), 8 },
		{ sizeof(struct iommu_hw_info_vtd), 24 },
		{ offsetof(struct iommu_hw_info_vtd, cap_reg), 8 },
		{ offsetof(struct iommu_hw_info_vtd, ecap_reg), 16 },
		{ sizeof(struct iommu_hwpt_vtd_s1), 24 },
		{ offsetof(struct iommu_hwpt_vtd_s1, pgtbl_addr), 8 },
		{ offsetof(struct iommu_hwpt_vtd_s1, addr_width), 16 },
		{ IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, 0 }, { IOMMU_VTD_INV_FLAGS_LEAF, 1 },
		{ sizeof(struct iommu_hwpt_vtd_s1_invalidate), 24 },
		{ offsetof(struct iommu_hwpt_vtd_s1_invalidate, npages), 8 },
		{ offsetof(struct iommu_hwpt_vtd_s1_invalidate, flags), 16 },
		{ IOMMU_HWPT_DATA_AMD_GUEST, 3 }, { sizeof(struct iommu_hwpt_amd_guest), 32 },
		{ IOMMU_HW_INFO_TYPE_AMD, 4 }, { sizeof(struct iommu_hw_info_amd), 16 },
		{ IOMMU_HWPT_INVALIDATE_DATA_AMD, 0xc0 },
		{ sizeof(struct iommu_hwpt_amd_invalidate), 16 },
		{ sizeof(struct iommu_hwpt_pgfault), 40 },
		{ offsetof(struct iommu_hwpt_pgfault, dev_id), 4 },
		{ offsetof(struct iommu_hwpt_pgfault, pasid), 8 },
		{ offsetof(struct iommu_hwpt_pgfault, grpid), 12 },
		{ offsetof(struct iommu_hwpt_pgfault, perm), 16 },
		{ offsetof(struct iommu_hwpt_pgfault, addr), 24 },
		{ offsetof(struct iommu_hwpt_pgfault, length), 32 },
		{ offsetof(struct iommu_hwpt_pgfault, cookie), 36 },
		{ IOMMU_PGFAULT_FLAGS_PASID_VALID, 1 }, { IOMMU_PGFAULT_FLAGS_LAST_PAGE, 2 },
		{ IOMMU_PGFAULT_PERM_READ, 1 }, { IOMMU_PGFAULT_PERM_WRITE, 2 },
		{ IOMMU_PGFAULT_PERM_EXEC, 4 }, { IOMMU_PGFAULT_PERM_PRIV, 8 },
		{ sizeof(struct iommu_hwpt_page_response), 8 },
		{ offsetof(struct iommu_hwpt_page_response, code), 4 },
		{ IOMMUFD_PAGE_RESP_SUCCESS, 0 }, { IOMMUFD_PAGE_RESP_INVALID, 1 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		KUNIT_EXPECT_EQ_MSG(test, pairs[i][0], pairs[i][1], "pair %u", i);
}

static const struct ioctl_row *row_of(u32 nr)
{
	return nr - FIRST_NR < ioctl_nr_rows && ioctl_rows[nr - FIRST_NR].size ?
	       &ioctl_rows[nr - FIRST_NR] : NULL;
}

static const struct layout *layout_of(u32 nr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].nr == nr)
			return &layouts[i];
	return NULL;
}

/* Members lie where they must, and there is no hole between them. */
static void ioctl_abi_layout(struct kunit *test)
{
	const struct layout *l;
	const struct field *f;

	for (l = layouts; l < layouts + ARRAY_SIZE(layouts); l++) {
		u32 end = 0;

		KUNIT_EXPECT_EQ_MSG(test, l->cmd, 0x3b00 | l->nr, "%s", l->name);
		KUNIT_EXPECT_EQ_MSG(test, l->size, l->want_size, "%s", l->name);
		KUNIT_EXPECT_NOT_NULL_MSG(test, row_of(l->nr), "%s has no row", l->name);
		for (f = l->fields; f < l->fields + FIELDS && f->name; f++) {
			KUNIT_EXPECT_EQ_MSG(test, f->at, f->want_at, "%s.%s", l->name, f->name);
			KUNIT_EXPECT_EQ_MSG(test, f->len, f->want_len, "%s.%s", l->name, f->name);
			KUNIT_EXPECT_LE_MSG(test, f->at, end, "hole before %s.%s", l->name,
					    f->name);
			end = f->at + f->len;
		}
		KUNIT_EXPECT_EQ_MSG(test, end, l->size, "%s ends in padding", l->name);
	}
}

/* A member that the row names is one of the layout, of that kind. */
static void expect_named(struct kunit *test, const struct layout *l, const struct ioctl_field *rf,
			 int kind)
{
	const struct field *f;

	if (!rf->size)
		return;
	for (f = l->fields; f < l->fields + FIELDS && f->name; f++)
		if (f->kind == kind && f->at == rf->offset && f->len == rf->size)
			return;
	KUNIT_FAIL(test, "%s: the row has something at %u that is not there", l->name, rf->offset);
}

static void ioctl_rows_sane(struct kunit *test)
{
	u32 nr, i;

	for (nr = FIRST_NR; nr < FIRST_NR + ioctl_nr_rows; nr++) {
		const struct ioctl_row *row = &ioctl_rows[nr - FIRST_NR];
		const struct layout *l = layout_of(nr);

		if (!row->size) {
			KUNIT_EXPECT_TRUE_MSG(test, !row->handler, "%#x: no size", nr);
			continue;
		}
		KUNIT_EXPECT_NOT_NULL_MSG(test, row->handler, "%#x: no handler", nr);
		KUNIT_EXPECT_LE_MSG(test, row->size, IOCTL_BUFFER, "%#x", nr);
		KUNIT_EXPECT_LE_MSG(test, row->min_size, row->size, "%#x", nr);
		KUNIT_EXPECT_GE_MSG(test, row->min_size, 8, "%#x", nr);
		KUNIT_EXPECT_EQ_MSG(test, row->min_size % 4, 0, "%#x", nr);
		if (nr == TEST_NR && IS_ENABLED(CONFIG_IOMMUFD_TEST)) {
			KUNIT_EXPECT_EQ(test, row->size, 72);
			continue;
		}
		KUNIT_EXPECT_NOT_NULL_MSG(test, l, "%#x: give it a layout here", nr);
		if (!l)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, row->size, l->want_size, "%s", l->name);
		KUNIT_EXPECT_EQ_MSG(test, row->min_size, l->want_min, "%s", l->name);
		KUNIT_EXPECT_EQ_MSG(test, row->known_flags, l->known_flags, "%s", l->name);
		expect_named(test, l, &row->flags, FLAGS);
		for (i = 0; i < IOCTL_RESERVED; i++)
			expect_named(test, l, &row->reserved[i], RESERVED);
	}
}

/* Each bit of a member alone, all others being set where they may be. */
static void expect_bits(struct kunit *test, const struct layout *l, const struct field *f, u8 *cmd)
{
	u32 bit;

	for (bit = 0; bit < f->len * 8; bit++) {
		bool ok = f->kind == FLAGS ? l->known_flags >> bit & 1 : f->kind == PLAIN;

		cmd[f->at + bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, ioctl_check(row_of(l->nr), cmd), ok ? 0 : -EOPNOTSUPP,
				    "%s.%s, bit %u", l->name, f->name, bit);
		cmd[f->at + bit / 8] ^= 1 << bit % 8;
	}
}

static void ioctl_checks_bits(struct kunit *test)
{
	const struct layout *l;
	const struct field *f;
	u64 buffer[IOCTL_BUFFER / sizeof(u64)];

	for (l = layouts; l < layouts + ARRAY_SIZE(layouts); l++) {
		u8 *cmd = (u8 *)buffer;

		KUNIT_ASSERT_NOT_NULL(test, row_of(l->nr));
		memset(cmd, 0, sizeof(buffer));
		for (f = l->fields; f < l->fields + FIELDS && f->name; f++)
			if (f->kind == PLAIN)
				memset(cmd + f->at, 0xff, f->len);
		KUNIT_EXPECT_EQ_MSG(test, ioctl_check(row_of(l->nr), cmd), 0, "%s", l->name);
		for (f = l->fields; f < l->fields + FIELDS && f->name; f++)
			expect_bits(test, l, f, cmd);
	}
}

/* What is refused before a handler runs, for each number there could be. */
static void ioctl_refuses(struct kunit *test)
{
	struct file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	unsigned long addr;
	u32 nr, words[64] = {};

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NOT_NULL(test, file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr) || !addr);
	for (nr = 0; nr < 256; nr++) {
		const struct ioctl_row *row = row_of(nr);

		KUNIT_EXPECT_EQ(test, ioctl_dispatch(file, 0x3c00 | nr, addr), -ENOTTY);
		if (!row) {
			/* VFIO's numbers are those of type1, which wants a context. */
			if (nr >= 0x64 && nr <= 0x75)
				continue;
			KUNIT_EXPECT_EQ(test, ioctl_dispatch(file, 0x3b00 | nr, addr), -ENOTTY);
			continue;
		}
		KUNIT_EXPECT_EQ(test, ioctl_dispatch(file, 0x3b00 | nr, 0), -EFAULT);
		words[0] = row->min_size - 1;
		KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, words, 256), 0);
		KUNIT_EXPECT_EQ(test, ioctl_dispatch(file, 0x3b00 | nr, addr), -EINVAL);
		words[0] = row->size + 4;
		words[row->size / 4] = 1 << 24;
		KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, words, 256), 0);
		KUNIT_EXPECT_EQ(test, ioctl_dispatch(file, 0x3b00 | nr, addr), -E2BIG);
		words[row->size / 4] = 0;
	}
}

static struct kunit_case ioctl_cases[] = {
	KUNIT_CASE(ioctl_abi_values),
	KUNIT_CASE(ioctl_abi_layout),
	KUNIT_CASE(ioctl_rows_sane),
	KUNIT_CASE(ioctl_checks_bits),
	KUNIT_CASE(ioctl_refuses),
	{}
};

static struct kunit_suite ioctl_suite = {
	.name = "iommufd_ioctl",
	.test_cases = ioctl_cases,
};

kunit_test_suite(ioctl_suite);
