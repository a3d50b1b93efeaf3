// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls there are. A row says what each member of a call's structure means, and
 * which of them the kernel sets, to an ID or file descriptor that later calls take.
 */
#include <string.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "fuzz.h"
#include "iommufd_test.h"
#include "lists.h"

#define F(s, m, c, p, o) { #m, offsetof(struct s, m), sizeof(((struct s *)0)->m), c, o, p }
/* A member of an operation of the mock; ID: the one that all have; OP: which it is */
#define M(u, m, c, p, o) { #m, offsetof(struct iommu_test_cmd, u.m), \
			   sizeof(((struct iommu_test_cmd *)0)->u.m), c, o, p }
#define ID(c, p) F(iommu_test_cmd, id, c, p, 0)
#define OP(n) F(iommu_test_cmd, op, C_CONST, n, 0)
#define END {}
#define FIELDS(name, ...) static const struct field name[] = { __VA_ARGS__, END }

const char *const res_names[R_COUNT] = {
	"none", "ioas", "hwpt", "stdev", "idev", "fault", "viommu", "vdev", "veventq", "hwq",
	"access", "follow", "kpasid", "index", "pasid", "pages", "iova", "cookie", "offset",
	"fd_access", "fd_fault", "fd_vevent", "fd_dmabuf", "fd_mem",
};

FIELDS(f_destroy, F(iommu_destroy, id, C_ANY_ID, 0, 0));
FIELDS(f_ioas_alloc, F(iommu_ioas_alloc, flags, C_ZERO, 0, 0),
	F(iommu_ioas_alloc, out_ioas_id, C_ZERO, 0, R_IOAS));
FIELDS(f_ranges, F(iommu_ioas_iova_ranges, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_iova_ranges, num_iovas, C_NUM, 64, 0),
	F(iommu_ioas_iova_ranges, __reserved, C_ZERO, 0, 0),
	F(iommu_ioas_iova_ranges, allowed_iovas, C_DATA, 0, 0));
FIELDS(f_allow, F(iommu_ioas_allow_iovas, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_allow_iovas, num_iovas, C_NUM, 3, 0),
	F(iommu_ioas_allow_iovas, __reserved, C_ZERO, 0, 0),
	F(iommu_ioas_allow_iovas, allowed_iovas, C_DATA, 0, 0));
FIELDS(f_map, F(iommu_ioas_map, flags, C_FLAGS, 7, 0),
	F(iommu_ioas_map, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_map, __reserved, C_ZERO, 0, 0), F(iommu_ioas_map, user_va, C_VA, 0, 0),
	F(iommu_ioas_map, length, C_LEN, 0, 0), F(iommu_ioas_map, iova, C_IOVA, 0, R_IOVA));
FIELDS(f_map_file, F(iommu_ioas_map_file, flags, C_FLAGS, 7, 0),
	F(iommu_ioas_map_file, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_map_file, fd, C_LIST, L_FILE, 0),
	F(iommu_ioas_map_file, start, C_OFF, 0, 0),
	F(iommu_ioas_map_file, length, C_LEN, 0, 0),
	F(iommu_ioas_map_file, iova, C_IOVA, 0, R_IOVA));
FIELDS(f_copy, F(iommu_ioas_copy, flags, C_FLAGS, 7, 0),
	F(iommu_ioas_copy, dst_ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_copy, src_ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_copy, length, C_LEN, 0, 0),
	F(iommu_ioas_copy, dst_iova, C_IOVA, 0, R_IOVA),
	F(iommu_ioas_copy, src_iova, C_IOVA, 0, 0));
FIELDS(f_unmap, F(iommu_ioas_unmap, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_unmap, iova, C_IOVA, 0, 0), F(iommu_ioas_unmap, length, C_LEN, 0, 0));
FIELDS(f_option, F(iommu_option, option_id, C_NUM, 2, 0), F(iommu_option, op, C_NUM, 2, 0),
	F(iommu_option, __reserved, C_ZERO, 0, 0),
	F(iommu_option, object_id, C_LIST, L_IOAS_OR_0, 0), F(iommu_option, val64, C_NUM, 2, 0));
FIELDS(f_vfio_ioas, F(iommu_vfio_ioas, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_vfio_ioas, op, C_NUM, 3, 0), F(iommu_vfio_ioas, __reserved, C_ZERO, 0, 0));
FIELDS(f_hwpt, F(iommu_hwpt_alloc, flags, C_FLAGS, 15, 0),
	F(iommu_hwpt_alloc, dev_id, C_RES, R_IDEV, 0),
	F(iommu_hwpt_alloc, pt_id, C_LIST, L_PARENT, 0),
	F(iommu_hwpt_alloc, out_hwpt_id, C_ZERO, 0, R_HWPT),
	F(iommu_hwpt_alloc, __reserved, C_ZERO, 0, 0),
	F(iommu_hwpt_alloc, data_type, C_LIST, L_HWPT_TYPE, 0),
	F(iommu_hwpt_alloc, data_len, C_LIST, L_DATA_LEN, 0),
	F(iommu_hwpt_alloc, data_uptr, C_DATA, 1, 0),
	F(iommu_hwpt_alloc, fault_id, C_RES, R_FAULT, 0),
	F(iommu_hwpt_alloc, __reserved2, C_ZERO, 0, 0));
FIELDS(f_hw_info, F(iommu_hw_info, flags, C_FLAGS, 1, 0),
	F(iommu_hw_info, dev_id, C_RES, R_IDEV, 0),
	F(iommu_hw_info, data_len, C_LIST, L_DATA_LEN, 0),
	F(iommu_hw_info, data_uptr, C_DATA, 0, 0),
	F(iommu_hw_info, in_data_type, C_LIST, L_INFO_TYPE, 0));
FIELDS(f_set_dirty, F(iommu_hwpt_set_dirty_tracking, flags, C_FLAGS, 1, 0),
	F(iommu_hwpt_set_dirty_tracking, hwpt_id, C_RES, R_HWPT, 0));
FIELDS(f_get_dirty, F(iommu_hwpt_get_dirty_bitmap, hwpt_id, C_RES, R_HWPT, 0),
	F(iommu_hwpt_get_dirty_bitmap, flags, C_FLAGS, 1, 0),
	F(iommu_hwpt_get_dirty_bitmap, iova, C_IOVA, 0, 0),
	F(iommu_hwpt_get_dirty_bitmap, length, C_LEN, 0, 0),
	F(iommu_hwpt_get_dirty_bitmap, page_size, C_LIST, L_PAGE_SIZE, 0),
	F(iommu_hwpt_get_dirty_bitmap, data, C_DATA, 0, 0));
FIELDS(f_invalidate, F(iommu_hwpt_invalidate, hwpt_id, C_LIST, L_INVALIDATE, 0),
	F(iommu_hwpt_invalidate, data_uptr, C_DATA, 0, 0),
	F(iommu_hwpt_invalidate, data_type, C_LIST, L_INV_TYPE, 0),
	F(iommu_hwpt_invalidate, entry_len, C_LIST, L_INV_LEN, 0),
	F(iommu_hwpt_invalidate, entry_num, C_NUM, 4, 0),
	F(iommu_hwpt_invalidate, __reserved, C_ZERO, 0, 0));
FIELDS(f_fault_alloc, F(iommu_fault_alloc, flags, C_ZERO, 0, 0),
	F(iommu_fault_alloc, out_fault_id, C_ZERO, 0, R_FAULT),
	F(iommu_fault_alloc, out_fault_fd, C_ZERO, 0, R_FD_FAULT));
FIELDS(f_viommu, F(iommu_viommu_alloc, flags, C_ZERO, 0, 0),
	F(iommu_viommu_alloc, type, C_LIST, L_VIOMMU_TYPE, 0),
	F(iommu_viommu_alloc, dev_id, C_RES, R_IDEV, 0),
	F(iommu_viommu_alloc, hwpt_id, C_RES, R_HWPT, 0),
	F(iommu_viommu_alloc, out_viommu_id, C_ZERO, 0, R_VIOMMU),
	F(iommu_viommu_alloc, data_len, C_LIST, L_DATA_LEN, 0),
	F(iommu_viommu_alloc, __reserved, C_ZERO, 0, 0),
	F(iommu_viommu_alloc, data_uptr, C_DATA, 1, 0),
	{ "offset", offsetof(struct iommu_viommu_selftest, out_mmap_offset), 8, C_DATA_OUT,
	 R_OFFSET, 0 });
FIELDS(f_vdevice, F(iommu_vdevice_alloc, viommu_id, C_RES, R_VIOMMU, 0),
	F(iommu_vdevice_alloc, dev_id, C_RES, R_IDEV, 0),
	F(iommu_vdevice_alloc, out_vdevice_id, C_ZERO, 0, R_VDEV),
	F(iommu_vdevice_alloc, virt_id, C_NUM, 4, 0));
FIELDS(f_change, F(iommu_ioas_change_process, __reserved, C_ZERO, 0, 0));
FIELDS(f_veventq, F(iommu_veventq_alloc, flags, C_ZERO, 0, 0),
	F(iommu_veventq_alloc, viommu_id, C_RES, R_VIOMMU, 0),
	F(iommu_veventq_alloc, type, C_LIST, L_VEVENTQ_TYPE, 0),
	F(iommu_veventq_alloc, veventq_depth, C_NUM, 4, 0),
	F(iommu_veventq_alloc, out_veventq_id, C_ZERO, 0, R_VEVENTQ),
	F(iommu_veventq_alloc, out_veventq_fd, C_ZERO, 0, R_FD_VEVENT),
	F(iommu_veventq_alloc, __reserved, C_ZERO, 0, 0));
FIELDS(f_hwq, F(iommu_hw_queue_alloc, flags, C_ZERO, 0, 0),
	F(iommu_hw_queue_alloc, viommu_id, C_RES, R_VIOMMU, 0),
	F(iommu_hw_queue_alloc, type, C_LIST, L_VIOMMU_TYPE, 0),
	F(iommu_hw_queue_alloc, index, C_NUM, 2, 0),
	F(iommu_hw_queue_alloc, out_hw_queue_id, C_ZERO, 0, R_HWQ),
	F(iommu_hw_queue_alloc, nesting_parent_iova, C_IOVA, 0, 0),
	F(iommu_hw_queue_alloc, length, C_LEN, 0, 0));
FIELDS(f_get_pa, F(iommu_ioas_noiommu_get_pa, flags, C_ZERO, 0, 0),
	F(iommu_ioas_noiommu_get_pa, ioas_id, C_RES, R_IOAS, 0),
	F(iommu_ioas_noiommu_get_pa, __reserved, C_ZERO, 0, 0),
	F(iommu_ioas_noiommu_get_pa, iova, C_IOVA, 0, 0),
	F(iommu_ioas_noiommu_get_pa, length, C_LEN, 0, 0));
FIELDS(f_pasid_alloc, F(iommu_pasid_alloc, flags, C_FLAGS, 3, 0),
	F(iommu_pasid_alloc, dev_id, C_RES, R_IDEV, 0),
	F(iommu_pasid_alloc, pasid, C_PASID, 0, R_PASID));
FIELDS(f_pasid_free, F(iommu_pasid_free, flags, C_ZERO, 0, 0),
	F(iommu_pasid_free, dev_id, C_RES, R_IDEV, 0),
	F(iommu_pasid_free, pasid, C_PASID, 0, 0));
FIELDS(f_pasid_info, F(iommu_pasid_info, flags, C_ZERO, 0, 0),
	F(iommu_pasid_info, dev_id, C_RES, R_IDEV, 0));
FIELDS(f_pasid_list, F(iommu_pasid_list, flags, C_ZERO, 0, 0),
	F(iommu_pasid_list, dev_id, C_RES, R_IDEV, 0), F(iommu_pasid_list, pasid, C_PASID, 0, 0),
	F(iommu_pasid_list, num_entries, C_NUM, 64, 0),
	F(iommu_pasid_list, __reserved, C_ZERO, 0, 0),
	F(iommu_pasid_list, entries, C_DATA, 0, 0));

/* Type1's; of the calls with a number, the number stands for the structure. */
FIELDS(f_t1_map, F(vfio_iommu_type1_dma_map, flags, C_FLAGS, 3, 0),
	F(vfio_iommu_type1_dma_map, vaddr, C_VA, 0, 0),
	F(vfio_iommu_type1_dma_map, iova, C_IOVA, 0, 0),
	F(vfio_iommu_type1_dma_map, size, C_LEN, 0, 0));
#define T1_BITMAP(m, c, p) { #m, sizeof(struct vfio_iommu_type1_dma_unmap) + \
			     offsetof(struct vfio_bitmap, m), 8, c, 0, p }
FIELDS(f_t1_unmap, F(vfio_iommu_type1_dma_unmap, flags, C_FLAGS, 3, 0),
	F(vfio_iommu_type1_dma_unmap, iova, C_IOVA, 0, 0),
	F(vfio_iommu_type1_dma_unmap, size, C_LEN, 0, 0), T1_BITMAP(pgsize, C_LIST, L_PAGE_SIZE),
	{ "bsize", sizeof(struct vfio_iommu_type1_dma_unmap) +
	 offsetof(struct vfio_bitmap, size), 8, C_NUM, 0, 64 }, T1_BITMAP(data, C_DATA, 0));
FIELDS(f_t1_dirty, { "flags", 4, 4, C_FLAGS, 0, 7 }, { "iova", 8, 8, C_IOVA, 0, 0 },
	{ "size", 16, 8, C_LEN, 0, 0 }, { "pgsize", 24, 8, C_LIST, 0, L_PAGE_SIZE },
	{ "bsize", 32, 8, C_NUM, 0, 64 }, { "data", 40, 8, C_DATA, 0, 0 });
FIELDS(f_t1_info, F(vfio_iommu_type1_info, flags, C_ZERO, 0, 0));
FIELDS(f_number, { "n", 0, 8, C_NUM, 0, 10 });

/* The mock's */
FIELDS(f_reserve, OP(IOMMU_TEST_OP_ADD_RESERVED), ID(C_RES, R_IOAS),
	M(add_reserved, start, C_IOVA, 0, 0), M(add_reserved, length, C_LEN, 0, 0));
FIELDS(f_domain, OP(IOMMU_TEST_OP_MOCK_DOMAIN), ID(C_PT, 0),
	M(mock_domain, out_stdev_id, C_ZERO, 0, R_STDEV),
	M(mock_domain, out_hwpt_id, C_ZERO, 0, R_HWPT),
	M(mock_domain, out_idev_id, C_ZERO, 0, R_IDEV));
FIELDS(f_domain_flags, OP(IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS), ID(C_PT, 0),
	M(mock_domain_flags, out_stdev_id, C_ZERO, 0, R_STDEV),
	M(mock_domain_flags, out_hwpt_id, C_ZERO, 0, R_HWPT),
	M(mock_domain_flags, out_idev_id, C_ZERO, 0, R_IDEV),
	M(mock_domain_flags, dev_flags, C_FLAGS, 5, 0));
FIELDS(f_replace, OP(IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE), ID(C_RES, R_STDEV),
	M(mock_domain_replace, pt_id, C_PT, 0, 0));
FIELDS(f_check_map, OP(IOMMU_TEST_OP_MD_CHECK_MAP), ID(C_RES, R_HWPT),
	M(check_map, iova, C_IOVA, 0, 0), M(check_map, length, C_LEN, 0, 0),
	M(check_map, uptr, C_VA, 0, 0));
FIELDS(f_check_refs, OP(IOMMU_TEST_OP_MD_CHECK_REFS), M(check_refs, length, C_LEN, 0, 0),
	M(check_refs, uptr, C_VA, 0, 0), M(check_refs, refs, C_NUM, 2, 0));
FIELDS(f_access, OP(IOMMU_TEST_OP_CREATE_ACCESS), ID(C_RES, R_IOAS),
	M(create_access, out_access_fd, C_ZERO, 0, R_FD_ACCESS),
	M(create_access, flags, C_FLAGS, 1, 0));
FIELDS(f_unpin, OP(IOMMU_TEST_OP_DESTROY_ACCESS_PAGES), ID(C_RES, R_FD_ACCESS),
	M(destroy_access_pages, access_pages_id, C_RES, R_PAGES, 0));
FIELDS(f_pin, OP(IOMMU_TEST_OP_ACCESS_PAGES), ID(C_RES, R_FD_ACCESS),
	M(access_pages, flags, C_FLAGS, 1, 0),
	M(access_pages, out_access_pages_id, C_ZERO, 0, R_PAGES),
	M(access_pages, iova, C_IOVA, 0, 0), M(access_pages, length, C_LEN, 0, 0),
	M(access_pages, uptr, C_VA, 0, 0));
FIELDS(f_rw, OP(IOMMU_TEST_OP_ACCESS_RW), ID(C_RES, R_FD_ACCESS),
	M(access_rw, iova, C_IOVA, 0, 0), M(access_rw, length, C_LEN, 0, 0),
	M(access_rw, uptr, C_VA, 0, 0), M(access_rw, flags, C_FLAGS, 5, 0));
FIELDS(f_access_replace, OP(IOMMU_TEST_OP_ACCESS_REPLACE_IOAS), ID(C_RES, R_FD_ACCESS),
	M(access_replace_ioas, ioas_id, C_LIST, L_IOAS_OR_0, 0));
FIELDS(f_limit, OP(IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT), M(memory_limit, limit, C_NUM, 64, 0));
FIELDS(f_dirty, OP(IOMMU_TEST_OP_DIRTY), ID(C_RES, R_HWPT), M(dirty, flags, C_ZERO, 0, 0),
	M(dirty, iova, C_IOVA, 0, 0), M(dirty, length, C_LEN, 0, 0),
	M(dirty, page_size, C_LIST, L_PAGE_SIZE, 0), M(dirty, uptr, C_DATA, 0, 0));
FIELDS(f_check_iotlb, OP(IOMMU_TEST_OP_MD_CHECK_IOTLB), ID(C_RES, R_HWPT),
	{ "nr", offsetof(struct iommu_test_cmd, check_iotlb.id),
	4, C_NUM, 0, 4 }, M(check_iotlb, iotlb, C_NUM, 2, 0));
FIELDS(f_iopf, OP(IOMMU_TEST_OP_TRIGGER_IOPF), M(trigger_iopf, dev_id, C_RES, R_IDEV, 0),
	M(trigger_iopf, pasid, C_PASID, 0, 0), M(trigger_iopf, grpid, C_NUM, 4, 0),
	M(trigger_iopf, perm, C_FLAGS, 15, 0), M(trigger_iopf, addr, C_IOVA, 0, 0));
FIELDS(f_check_cache, OP(IOMMU_TEST_OP_DEV_CHECK_CACHE), ID(C_RES, R_IDEV),
	{ "nr", offsetof(struct iommu_test_cmd, check_dev_cache.id),
	4, C_NUM, 0, 4 }, M(check_dev_cache, cache, C_NUM, 2, 0));
FIELDS(f_vevent, OP(IOMMU_TEST_OP_TRIGGER_VEVENT), M(trigger_vevent, dev_id, C_RES, R_IDEV, 0));
FIELDS(f_pasid_attach, OP(IOMMU_TEST_OP_PASID_ATTACH), ID(C_RES, R_STDEV),
	M(pasid_attach, pasid, C_PASID, 0, 0), M(pasid_attach, pt_id, C_PT, 0, 0));
FIELDS(f_pasid_replace, OP(IOMMU_TEST_OP_PASID_REPLACE), ID(C_RES, R_STDEV),
	M(pasid_replace, pasid, C_PASID, 0, 0), M(pasid_replace, pt_id, C_PT, 0, 0));
FIELDS(f_pasid_detach, OP(IOMMU_TEST_OP_PASID_DETACH), ID(C_RES, R_STDEV),
	M(pasid_detach, pasid, C_PASID, 0, 0));
FIELDS(f_pasid_check, OP(IOMMU_TEST_OP_PASID_CHECK_HWPT), ID(C_RES, R_STDEV),
	M(pasid_check, pasid, C_PASID, 0, 0), M(pasid_check, hwpt_id, C_RES, R_HWPT, 0));
FIELDS(f_dmabuf, OP(IOMMU_TEST_OP_DMABUF_GET), M(dmabuf_get, length, C_LEN, 0, 0),
	M(dmabuf_get, open_flags, C_LIST, L_OPEN, 0));
FIELDS(f_revoke, OP(IOMMU_TEST_OP_DMABUF_REVOKE),
	M(dmabuf_revoke, dmabuf_fd, C_RES, R_FD_DMABUF, 0),
	M(dmabuf_revoke, revoked, C_NUM, 1, 0));
FIELDS(f_device, OP(MOCK_OP_DEVICE), ID(C_LIST, L_PT_OR_0), M(device, flags, C_FLAGS, 63, 0),
	M(device, width, C_LIST, L_WIDTH, 0), M(device, other, C_RES, R_INDEX, 0),
	M(device, out_stdev_id, C_ZERO, 0, R_STDEV), M(device, out_hwpt_id, C_ZERO, 0, R_HWPT),
	M(device, out_idev_id, C_ZERO, 0, R_IDEV), M(device, out_index, C_ZERO, 0, R_INDEX));
FIELDS(f_attach, OP(MOCK_OP_ATTACH), ID(C_RES, R_STDEV), M(move, pasid, C_PASID, 0, 0),
	M(move, pt_id, C_PT, 0, R_HWPT));
FIELDS(f_move, OP(MOCK_OP_REPLACE), ID(C_RES, R_STDEV), M(move, pasid, C_PASID, 0, 0),
	M(move, pt_id, C_PT, 0, R_HWPT));
FIELDS(f_detach, OP(MOCK_OP_DETACH), ID(C_RES, R_STDEV), M(move, pasid, C_PASID, 0, 0));
FIELDS(f_request, OP(MOCK_OP_REQUEST), ID(C_RES, R_STDEV), M(request, pasid, C_PASID, 0, 0),
	M(request, flags, C_FLAGS, 1, 0), M(request, iova, C_IOVA, 0, 0),
	M(request, length, C_LEN, 0, 0), M(request, uptr, C_VA, 0, 0));
FIELDS(f_kpasid, OP(MOCK_OP_KERNEL_PASID), ID(C_RES, R_STDEV),
	M(kernel_pasid, out_id, C_ZERO, 0, R_KPASID),
	M(kernel_pasid, out_pasid, C_ZERO, 0, R_PASID));
FIELDS(f_follow, OP(MOCK_OP_FOLLOW), M(follow, out_id, C_ZERO, 0, R_FOLLOW));
FIELDS(f_pair, OP(MOCK_OP_PAIR), ID(C_LIST, L_TOLD), M(pair, vpasid, C_PASID, 0, 0),
	M(pair, out_ppasid, C_ZERO, 0, R_PASID));
FIELDS(f_fail_map, OP(MOCK_OP_FAIL_MAP), ID(C_LIST, L_TOLD),
	M(fail_map, error, C_LIST, L_ERROR, 0));
FIELDS(f_event, OP(MOCK_OP_EVENT), M(event, at, C_NUM, 64, 0));
FIELDS(f_count, OP(MOCK_OP_COUNT), M(count, index, C_RES, R_INDEX, 0));
FIELDS(f_access_new, OP(MOCK_OP_ACCESS), ID(C_LIST, L_IOAS_OR_0),
	M(access, flags, C_FLAGS, 3, 0),
	M(access, width, C_LIST, L_WIDTH, 0), M(access, parent, C_RES, R_INDEX, 0),
	M(access, out_access_fd, C_ZERO, 0, R_FD_ACCESS),
	M(access, out_access_id, C_ZERO, 0, R_ACCESS));
FIELDS(f_access_attach, OP(MOCK_OP_ACCESS_ATTACH), ID(C_RES, R_FD_ACCESS),
	M(access_move, pasid, C_PASID, 0, 0), M(access_move, ioas_id, C_RES, R_IOAS, 0));
FIELDS(f_access_move, OP(MOCK_OP_ACCESS_REPLACE), ID(C_RES, R_FD_ACCESS),
	M(access_move, pasid, C_PASID, 0, 0), M(access_move, ioas_id, C_RES, R_IOAS, 0));
FIELDS(f_access_detach, OP(MOCK_OP_ACCESS_DETACH), ID(C_RES, R_FD_ACCESS),
	M(access_move, pasid, C_PASID, 0, 0));
FIELDS(f_access_pin, OP(MOCK_OP_ACCESS_PIN), ID(C_RES, R_FD_ACCESS),
	M(access_pin, pasid, C_PASID, 0, 0), M(access_pin, flags, C_FLAGS, 1, 0),
	M(access_pin, out_access_pages_id, C_ZERO, 0, R_PAGES),
	M(access_pin, iova, C_IOVA, 0, 0), M(access_pin, length, C_LEN, 0, 0),
	M(access_pin, uptr, C_VA, 0, 0));
FIELDS(f_access_copy, OP(MOCK_OP_ACCESS_RW), ID(C_RES, R_FD_ACCESS),
	M(access_copy, pasid, C_PASID, 0, 0), M(access_copy, flags, C_FLAGS, 5, 0),
	M(access_copy, iova, C_IOVA, 0, 0), M(access_copy, length, C_LEN, 0, 0),
	M(access_copy, uptr, C_VA, 0, 0));
FIELDS(f_unmaps, OP(MOCK_OP_ACCESS_UNMAPS), ID(C_RES, R_FD_ACCESS),
	M(access_unmaps, at, C_NUM, 4, 0));
FIELDS(f_page_request, OP(MOCK_OP_PAGE_REQUEST), ID(C_RES, R_STDEV),
	M(page_request, pasid, C_PASID, 0, 0), M(page_request, grpid, C_NUM, 4, 0),
	M(page_request, perm, C_FLAGS, 15, 0), M(page_request, more, C_NUM, 1, 0),
	M(page_request, addr, C_IOVA, 0, 0));
FIELDS(f_page_answer, OP(MOCK_OP_PAGE_ANSWER), ID(C_RES, R_STDEV),
	M(page_answer, at, C_NUM, 4, 0));
FIELDS(f_no_op, F(iommu_test_cmd, op, C_NUM, 0x120, 0), ID(C_ANY_ID, 0));

/* Beside the ioctls: arguments are eight bytes each. */
#define A(i, n, c, p) { n, (i) * 8, 8, c, 0, p }
FIELDS(f_va_len, A(0, "va", C_VA, 0), A(1, "len", C_LEN, 0));
FIELDS(f_mremap, A(0, "va", C_VA, 0), A(1, "len", C_LEN, 0), A(2, "to", C_VA, 0));
FIELDS(f_madvise, A(0, "va", C_VA, 0), A(1, "len", C_LEN, 0), A(2, "advice", C_LIST, L_ADVICE));
FIELDS(f_remap, A(0, "arena", C_NUM, NR_ARENAS - 1));
FIELDS(f_protect, A(0, "va", C_VA, 0), A(1, "len", C_LEN, 0), A(2, "prot", C_FLAGS, 3));
FIELDS(f_punch, A(0, "fd", C_RES, R_FD_MEM), A(1, "off", C_OFF, 0), A(2, "len", C_LEN, 0));
FIELDS(f_truncate, A(0, "fd", C_RES, R_FD_MEM), A(1, "len", C_OFF, 0));
FIELDS(f_fork, A(0, "what", C_NUM, 5));
FIELDS(f_close, A(0, "fd", C_ANY_FD, 0));
FIELDS(f_read_fault, A(0, "fd", C_RES, R_FD_FAULT), A(1, "len", C_NUM, 120),
	{ "cookie", 16, 4, C_ZERO, R_COOKIE, 0 });
FIELDS(f_answer, A(0, "fd", C_RES, R_FD_FAULT), A(1, "cookie", C_RES, R_COOKIE),
	A(2, "code", C_NUM, 2), A(3, "len", C_LIST, L_ANSWER_LEN));
FIELDS(f_read_event, A(0, "fd", C_LIST, L_EVENT_FD), A(1, "len", C_NUM, 64));
FIELDS(f_poll, A(0, "fd", C_ANY_FD, 0));
FIELDS(f_map_viommu, A(0, "off", C_RES, R_OFFSET), A(1, "len", C_LEN, 0), A(2, "keep", C_NUM, 1),
	A(3, "prot", C_FLAGS, 7), A(4, "private", C_LIST, L_RARELY));
FIELDS(f_map_dmabuf, A(0, "fd", C_RES, R_FD_DMABUF), A(1, "off", C_OFF, 0), A(2, "len", C_LEN, 0));
FIELDS(f_none, A(0, "n", C_NUM, SHARED_CTX - 1));

#define IO(n, nr, s, w, f) { n, nr, sizeof(struct s), S_IOCTL, 0, w, f }
#define T1(n, nr, size, w, f) { n, nr, size, S_IOCTL, 0, w, f }
#define NUM(n, nr, w) { n, nr, 8, S_NUMBER, 0, w, f_number }
#define MOCK(n, w, f) { n, IOMMU_TEST_CMD, sizeof(struct iommu_test_cmd), S_IOCTL, 0, w, f }
#define DEVICE(n, w, f) { n, IOMMU_TEST_CMD, sizeof(struct iommu_test_cmd), S_IOCTL, 0, w, f, \
			  true }
#define SYS(n, op, w, f) { n, 0, 0, op, 0, w, f }

const struct kind kinds[] = {
	IO("destroy", IOMMU_DESTROY, iommu_destroy, 30, f_destroy),
	IO("ioas_alloc", IOMMU_IOAS_ALLOC, iommu_ioas_alloc, 20, f_ioas_alloc),
	IO("iova_ranges", IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, 6, f_ranges),
	IO("allow_iovas", IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, 6, f_allow),
	IO("map", IOMMU_IOAS_MAP, iommu_ioas_map, 50, f_map),
	IO("map_file", IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, 30, f_map_file),
	IO("copy", IOMMU_IOAS_COPY, iommu_ioas_copy, 25, f_copy),
	IO("unmap", IOMMU_IOAS_UNMAP, iommu_ioas_unmap, 30, f_unmap),
	IO("option", IOMMU_OPTION, iommu_option, 8, f_option),
	IO("vfio_ioas", IOMMU_VFIO_IOAS, iommu_vfio_ioas, 8, f_vfio_ioas),
	IO("hwpt_alloc", IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, 35, f_hwpt),
	IO("hw_info", IOMMU_GET_HW_INFO, iommu_hw_info, 6, f_hw_info),
	IO("set_dirty", IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking, 10,
	   f_set_dirty),
	IO("get_dirty", IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, 15, f_get_dirty),
	IO("invalidate", IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, 15, f_invalidate),
	IO("fault_alloc", IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, 10, f_fault_alloc),
	IO("viommu_alloc", IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, 15, f_viommu),
	IO("vdevice_alloc", IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, 15, f_vdevice),
	IO("change_process", IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process, 5, f_change),
	IO("veventq_alloc", IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, 12, f_veventq),
	IO("hw_queue_alloc", IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, 12, f_hwq),
	IO("get_pa", IOMMU_IOAS_NOIOMMU_GET_PA, iommu_ioas_noiommu_get_pa, 6, f_get_pa),
	IO("pasid_alloc", IOMMU_PASID_ALLOC, iommu_pasid_alloc, 25, f_pasid_alloc),
	IO("pasid_free", IOMMU_PASID_FREE, iommu_pasid_free, 15, f_pasid_free),
	IO("pasid_info", IOMMU_PASID_INFO, iommu_pasid_info, 5, f_pasid_info),
	IO("pasid_list", IOMMU_PASID_LIST, iommu_pasid_list, 8, f_pasid_list),
	T1("t1_map", VFIO_IOMMU_MAP_DMA, sizeof(struct vfio_iommu_type1_dma_map), 10, f_t1_map),
	T1("t1_unmap", VFIO_IOMMU_UNMAP_DMA, sizeof(struct vfio_iommu_type1_dma_unmap) +
	   sizeof(struct vfio_bitmap), 10, f_t1_unmap),
	T1("t1_dirty", VFIO_IOMMU_DIRTY_PAGES, 48, 4, f_t1_dirty),
	T1("t1_info", VFIO_IOMMU_GET_INFO, 256, 4, f_t1_info),
	NUM("t1_version", VFIO_GET_API_VERSION, 1),
	NUM("t1_extension", VFIO_CHECK_EXTENSION, 3),
	NUM("t1_set_iommu", VFIO_SET_IOMMU, 5),
	MOCK("reserve", 5, f_reserve),
	DEVICE("domain", 5, f_domain),
	DEVICE("domain_flags", 5, f_domain_flags),
	MOCK("replace", 20, f_replace),
	MOCK("check_map", 8, f_check_map),
	MOCK("check_refs", 3, f_check_refs),
	MOCK("access", 10, f_access),
	MOCK("unpin", 10, f_unpin),
	MOCK("pin", 15, f_pin),
	MOCK("rw", 12, f_rw),
	MOCK("access_replace", 8, f_access_replace),
	MOCK("limit", 1, f_limit),
	MOCK("dirty", 10, f_dirty),
	MOCK("check_iotlb", 3, f_check_iotlb),
	MOCK("iopf", 15, f_iopf),
	MOCK("check_cache", 2, f_check_cache),
	MOCK("vevent", 10, f_vevent),
	MOCK("pasid_attach", 15, f_pasid_attach),
	MOCK("pasid_replace", 15, f_pasid_replace),
	MOCK("pasid_detach", 15, f_pasid_detach),
	MOCK("pasid_check", 3, f_pasid_check),
	{ "dmabuf", IOMMU_TEST_CMD, sizeof(struct iommu_test_cmd), S_IOCTL, R_FD_DMABUF, 8,
	  f_dmabuf },
	MOCK("revoke", 6, f_revoke),
	DEVICE("device", 10, f_device),
	MOCK("attach", 25, f_attach),
	MOCK("move", 25, f_move),
	MOCK("detach", 20, f_detach),
	MOCK("request", 10, f_request),
	MOCK("kernel_pasid", 5, f_kpasid),
	MOCK("follow", 5, f_follow),
	MOCK("pair", 3, f_pair),
	MOCK("fail_map", 3, f_fail_map),
	MOCK("event", 2, f_event),
	MOCK("count", 0, f_count),
	MOCK("access_new", 10, f_access_new),
	MOCK("access_attach", 10, f_access_attach),
	MOCK("access_move", 10, f_access_move),
	MOCK("access_detach", 8, f_access_detach),
	MOCK("access_pin", 10, f_access_pin),
	MOCK("access_copy", 8, f_access_copy),
	MOCK("unmaps", 2, f_unmaps),
	MOCK("page_request", 15, f_page_request),
	MOCK("page_answer", 3, f_page_answer),
	MOCK("no_op", 1, f_no_op),
	SYS("munmap", S_MUNMAP, 4, f_va_len),
	SYS("mremap", S_MREMAP, 2, f_mremap),
	SYS("madvise", S_MADVISE, 5, f_madvise),
	SYS("remap", S_REMAP, 8, f_remap),
	SYS("touch", S_TOUCH, 3, f_va_len),
	SYS("protect", S_PROTECT, 2, f_protect),
	SYS("punch", S_PUNCH, 4, f_punch),
	SYS("truncate", S_TRUNCATE, 4, f_truncate),
	SYS("fork", S_FORK, 1, f_fork), /* and most of them not done: see exec.c */
	SYS("close", S_CLOSE, 10, f_close),
	SYS("read_fault", S_READ_FAULT, 15, f_read_fault),
	SYS("answer", S_ANSWER, 15, f_answer),
	SYS("read_event", S_READ_EVENT, 8, f_read_event),
	SYS("poll", S_POLL, 3, f_poll),
	SYS("map_viommu", S_MAP_VIOMMU, 6, f_map_viommu),
	SYS("map_dmabuf", S_MAP_DMABUF, 3, f_map_dmabuf),
	SYS("reopen", S_REOPEN, 1, f_none),
	SYS("send", S_SEND, 1, f_none),
	SYS("receive", S_RECEIVE, 1, f_none),
	SYS("getfd", S_GETFD, 1, f_none),
	SYS("memlock", S_LIMIT, 1, f_none),
	SYS("look", S_LOOK, 1, f_none),
};

const unsigned int nr_kinds = ARRAY_SIZE(kinds);

_Static_assert(ARRAY_SIZE(kinds) <= MAX_KINDS, "MAX_KINDS");

int kind_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

unsigned int kind_nr_fields(const struct kind *kind)
{
	unsigned int n = 0;

	while (kind->fields[n].name)
		n++;
	return n;
}

#define IOAS BIT(R_IOAS)
#define HWPT BIT(R_HWPT)

/* As a mask of what fits a member. */
uint32_t field_wants(const struct field *field)
{
	static const uint32_t lists[L_NUMBERS] = {
		[L_FILE] = BIT(R_FD_MEM) | BIT(R_FD_DMABUF),
		[L_IOAS_OR_0] = IOAS,
		[L_PARENT] = IOAS | HWPT | BIT(R_VIOMMU),
		[L_INVALIDATE] = HWPT | BIT(R_VIOMMU),
		[L_PT_OR_0] = IOAS | HWPT,
		[L_TOLD] = BIT(R_STDEV) | BIT(R_FOLLOW),
		[L_EVENT_FD] = BIT(R_FD_VEVENT) | BIT(R_FD_FAULT),
	};

	switch (field->cls) {
	case C_RES:
		return 1u << field->par;
	case C_PT:
		return IOAS | HWPT;
	case C_ANY_ID:
		return (1u << FIRST_NO_ID) - 2;
	case C_ANY_FD:
		return (BIT(R_COUNT)) - (1u << FIRST_FD);
	case C_IOVA:
		return BIT(R_IOVA);
	case C_PASID:
		return BIT(R_PASID);
	case C_LIST:
		return field->par < L_NUMBERS ? lists[field->par] : 0;
	default:
		return 0;
	}
}

/* As a caller has it who means well. */
void call_init(struct call *call, unsigned int kind)
{
	unsigned int i;

	memset(call, 0, sizeof(*call));
	call->kind = kind;
	call->size = kinds[kind].size;
	for (i = 0; kinds[kind].fields[i].name; i++) {
		if (kinds[kind].fields[i].cls == C_CONST)
			call->arg[i].v = kinds[kind].fields[i].par;
		if (kinds[kind].fields[i].cls == C_DATA && !kinds[kind].fields[i].par)
			call->arg[i].v = DATA(0);
	}
}
