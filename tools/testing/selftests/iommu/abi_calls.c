// SPDX-License-Identifier: GPL-2.0-only
/* The calls that abi walks. */
#include <errno.h>
#include <stddef.h>
#include <kselftest.h>

#include "abi.h"
#include "lib/dirty.h"

int objects_new(struct objects *o)
{
	if (ioas_alloc(o->fd, &o->ioas) || mock_attach(o->fd, o->ioas, &o->dev) ||
	    per_rid_new(o->fd, 0, &o->pasids) ||
	    hwpt_alloc(o->fd, o->dev.idev, o->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &o->parent) ||
	    nested_alloc(o->fd, o->dev.idev, o->parent, 0, 0, &o->nested) ||
	    viommu_alloc(o->fd, o->dev.idev, o->parent, &o->viommu) ||
	    hwpt_alloc(o->fd, o->dev.idev, o->ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &o->tracked))
		return -1;
	o->buf = mem_shared(BUF);
	o->file = file_new(BUF, 0);
	o->ranges[0].start = MOCK_APERTURE_START;
	o->ranges[0].last = MOCK_APERTURE_LAST;
	return !o->buf || o->file < 0 ||
	       map_file(o->fd, o->ioas, FIXED | PERM_RW, o->file, 0, BUF, &(__u64){ SRC }) ? -1 : 0;
}

static void fill_destroy(struct objects *o, union arg *a)
{
	a->destroy.id = ioas_new(o->fd);
}

static void fill_allow(struct objects *o, union arg *a)
{
	a->allow.ioas_id = o->ioas;
	a->allow.num_iovas = 1;
	a->allow.allowed_iovas = (unsigned long)o->ranges;
}

static void fill_ranges(struct objects *o, union arg *a)
{
	a->ranges.ioas_id = o->ioas;
	a->ranges.num_iovas = 4;
	a->ranges.allowed_iovas = (unsigned long)(o->ranges + 1);
}

static void fill_map(struct objects *o, union arg *a)
{
	a->map.ioas_id = o->ioas;
	a->map.flags = FIXED | PERM_RW;
	a->map.user_va = (unsigned long)o->buf;
	a->map.length = PAGE;
	a->map.iova = AT;
}

static void fill_map_file(struct objects *o, union arg *a)
{
	a->map_file.ioas_id = o->ioas;
	a->map_file.flags = FIXED | PERM_RW;
	a->map_file.fd = o->file;
	a->map_file.length = PAGE;
	a->map_file.iova = AT;
}

static void fill_copy(struct objects *o, union arg *a)
{
	a->copy.dst_ioas_id = o->ioas;
	a->copy.src_ioas_id = o->ioas;
	a->copy.flags = FIXED | PERM_RW;
	a->copy.length = PAGE;
	a->copy.dst_iova = AT;
	a->copy.src_iova = SRC;
}

static void fill_unmap(struct objects *o, union arg *a)
{
	map_at(o->fd, o->ioas, o->buf, PAGE, AT);
	a->unmap.ioas_id = o->ioas;
	a->unmap.iova = AT;
	a->unmap.length = PAGE;
}

static void fill_option(struct objects *o, union arg *a)
{
	a->option.option_id = IOMMU_OPTION_HUGE_PAGES;
	a->option.op = IOMMU_OPTION_OP_GET;
	a->option.object_id = o->ioas;
}

static void fill_vfio_ioas(struct objects *o, union arg *a)
{
	a->vfio_ioas.op = IOMMU_VFIO_IOAS_SET;
	a->vfio_ioas.ioas_id = o->ioas;
}

static void fill_hwpt(struct objects *o, union arg *a)
{
	a->hwpt.dev_id = o->dev.idev;
	a->hwpt.pt_id = o->ioas;
}

static void fill_invalidate(struct objects *o, union arg *a)
{
	a->invalidate.hwpt_id = o->nested;
	a->invalidate.data_type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST;
}

static void fill_info(struct objects *o, union arg *a)
{
	a->info.dev_id = o->dev.idev;
}

static void fill_viommu(struct objects *o, union arg *a)
{
	a->viommu.type = IOMMU_VIOMMU_TYPE_SELFTEST;
	a->viommu.dev_id = o->dev.idev;
	a->viommu.hwpt_id = o->parent;
}

static void fill_vdevice(struct objects *o, union arg *a)
{
	a->vdevice.viommu_id = o->viommu;
	a->vdevice.dev_id = o->dev.idev;
	a->vdevice.virt_id = 1;
}

static void fill_veventq(struct objects *o, union arg *a)
{
	a->veventq.viommu_id = o->viommu;
	a->veventq.type = IOMMU_VEVENTQ_TYPE_SELFTEST;
	a->veventq.veventq_depth = 1;
}

static void fill_hw_queue(struct objects *o, union arg *a)
{
	a->hw_queue.viommu_id = o->viommu;
	a->hw_queue.type = IOMMU_HW_QUEUE_TYPE_SELFTEST;
	a->hw_queue.nesting_parent_iova = SRC;
	a->hw_queue.length = PAGE;
}

static void fill_track(struct objects *o, union arg *a)
{
	a->track.hwpt_id = o->tracked;
	a->track.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
}

static void fill_dirty(struct objects *o, union arg *a)
{
	dirty_track(o->fd, o->tracked, true);
	a->dirty.hwpt_id = o->tracked;
	a->dirty.iova = SRC;
	a->dirty.length = BUF;
	a->dirty.page_size = PAGE;
	a->dirty.data = (unsigned long)o->ranges;
}

static void fill_phys(struct objects *o, union arg *a)
{
	a->phys.ioas_id = o->ioas;
	a->phys.iova = SRC;
	a->phys.length = PAGE;
}

static void fill_pasid_alloc(struct objects *o, union arg *a)
{
	a->pasid_alloc.dev_id = o->pasids.idev;
}

static void fill_pasid_free(struct objects *o, union arg *a)
{
	pasid_tag(o->fd, o->pasids.idev, PASID);
	a->pasid_free.dev_id = o->pasids.idev;
	a->pasid_free.pasid = PASID;
}

static void fill_pasid_info(struct objects *o, union arg *a)
{
	a->pasid_info.dev_id = o->pasids.idev;
}

static void fill_pasid_list(struct objects *o, union arg *a)
{
	a->pasid_list.dev_id = o->pasids.idev;
	a->pasid_list.num_entries = ARRAY_SIZE(o->entries);
	a->pasid_list.entries = (unsigned long)o->entries;
}

#define FIELD(s, m) ((int)offsetof(struct s, m))

const struct row rows[] = {
	{ "DESTROY", IOMMU_DESTROY, 8, 8, fill_destroy, NONE, 0, {},
	  { { FIELD(iommu_destroy, id), 0 } } },
	{ "IOAS_ALLOC", IOMMU_IOAS_ALLOC, 12, 12, NULL, FIELD(iommu_ioas_alloc, flags), 0, {}, {} },
	{ "ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 24, 24, fill_allow, NONE, 0, { { 12, 4 } },
	  { { FIELD(iommu_ioas_allow_iovas, ioas_id), -ENOENT } } },
	{ "IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 32, 32, fill_ranges, NONE, 0, { { 12, 4 } },
	  { { FIELD(iommu_ioas_iova_ranges, ioas_id), -ENOENT } } },
	{ "MAP", IOMMU_IOAS_MAP, 40, 40, fill_map, FIELD(iommu_ioas_map, flags), 7, { { 12, 4 } },
	  { { FIELD(iommu_ioas_map, ioas_id), -ENOENT } } },
	{ "MAP_FILE", IOMMU_IOAS_MAP_FILE, 40, 40, fill_map_file,
	  FIELD(iommu_ioas_map_file, flags), 7, {},
	  { { FIELD(iommu_ioas_map_file, ioas_id), -ENOENT } } },
	{ "COPY", IOMMU_IOAS_COPY, 40, 40, fill_copy, FIELD(iommu_ioas_copy, flags), 7, {},
	  { { FIELD(iommu_ioas_copy, dst_ioas_id), -ENOENT },
	    { FIELD(iommu_ioas_copy, src_ioas_id), -ENOENT } } },
	{ "UNMAP", IOMMU_IOAS_UNMAP, 24, 24, fill_unmap, NONE, 0, {},
	  { { FIELD(iommu_ioas_unmap, ioas_id), -ENOENT } } },
	{ "OPTION", IOMMU_OPTION, 24, 24, fill_option, NONE, 0, { { 10, 2 } },
	  { { FIELD(iommu_option, object_id), -ENOENT } } },
	{ "VFIO_IOAS", IOMMU_VFIO_IOAS, 12, 12, fill_vfio_ioas, NONE, 0, { { 10, 2 } },
	  { { FIELD(iommu_vfio_ioas, ioas_id), -ENOENT } } },
	{ "HWPT_ALLOC", IOMMU_HWPT_ALLOC, 48, 24, fill_hwpt, FIELD(iommu_hwpt_alloc, flags), 15,
	  { { 20, 4 }, { 44, 4 } },
	  { { FIELD(iommu_hwpt_alloc, dev_id), -ENOENT },
	    { FIELD(iommu_hwpt_alloc, pt_id), -EINVAL } } },
	{ "GET_HW_INFO", IOMMU_GET_HW_INFO, 40, 32, fill_info, FIELD(iommu_hw_info, flags), 1,
	  { { 29, 1 }, { 30, 1 }, { 31, 1 } },
	  { { FIELD(iommu_hw_info, dev_id), -ENOENT } } },
	{ "HWPT_INVALIDATE", IOMMU_HWPT_INVALIDATE, 32, 32, fill_invalidate, NONE, 0,
	  { { 28, 4 } },
	  { { FIELD(iommu_hwpt_invalidate, hwpt_id), -EINVAL } } },
	{ "FAULT_QUEUE_ALLOC", IOMMU_FAULT_QUEUE_ALLOC, 16, 16, NULL,
	  FIELD(iommu_fault_alloc, flags), 0, {}, {} },
	{ "VIOMMU_ALLOC", IOMMU_VIOMMU_ALLOC, 40, 24, fill_viommu,
	  FIELD(iommu_viommu_alloc, flags), 0, { { 28, 4 } },
	  { { FIELD(iommu_viommu_alloc, dev_id), -ENOENT },
	    { FIELD(iommu_viommu_alloc, hwpt_id), -ENOENT } } },
	{ "VDEVICE_ALLOC", IOMMU_VDEVICE_ALLOC, 24, 24, fill_vdevice, NONE, 0, {},
	  { { FIELD(iommu_vdevice_alloc, dev_id), -ENOENT },
	    { FIELD(iommu_vdevice_alloc, viommu_id), -ENOENT } } },
	{ "VEVENTQ_ALLOC", IOMMU_VEVENTQ_ALLOC, 32, 28, fill_veventq,
	  FIELD(iommu_veventq_alloc, flags), 0, { { 28, 4 } },
	  { { FIELD(iommu_veventq_alloc, viommu_id), -ENOENT } } },
	{ "HW_QUEUE_ALLOC", IOMMU_HW_QUEUE_ALLOC, 40, 40, fill_hw_queue,
	  FIELD(iommu_hw_queue_alloc, flags), 0, {},
	  { { FIELD(iommu_hw_queue_alloc, viommu_id), -ENOENT } } },
	{ "SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 16, 16, fill_track,
	  FIELD(iommu_hwpt_set_dirty_tracking, flags), 1, { { 12, 4 } },
	  { { FIELD(iommu_hwpt_set_dirty_tracking, hwpt_id), -ENOENT } } },
	{ "GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 48, 48, fill_dirty,
	  FIELD(iommu_hwpt_get_dirty_bitmap, flags), 1, { { 12, 4 } },
	  { { FIELD(iommu_hwpt_get_dirty_bitmap, hwpt_id), -ENOENT } } },
	{ "CHANGE_PROCESS", IOMMU_IOAS_CHANGE_PROCESS, 8, 8, NULL, NONE, 0, { { 4, 4 } }, {} },
	{ "NOIOMMU_GET_PA", IOMMU_IOAS_NOIOMMU_GET_PA, 40, 40, fill_phys,
	  FIELD(iommu_ioas_noiommu_get_pa, flags), 0, { { 12, 4 } },
	  { { FIELD(iommu_ioas_noiommu_get_pa, ioas_id), -ENOENT } } },
	{ "PASID_ALLOC", IOMMU_PASID_ALLOC, 16, 16, fill_pasid_alloc,
	  FIELD(iommu_pasid_alloc, flags), 3, {},
	  { { FIELD(iommu_pasid_alloc, dev_id), -ENOENT } } },
	{ "PASID_FREE", IOMMU_PASID_FREE, 16, 16, fill_pasid_free,
	  FIELD(iommu_pasid_free, flags), 0, {},
	  { { FIELD(iommu_pasid_free, dev_id), -ENOENT } } },
	{ "PASID_INFO", IOMMU_PASID_INFO, 32, 32, fill_pasid_info,
	  FIELD(iommu_pasid_info, flags), 0, {},
	  { { FIELD(iommu_pasid_info, dev_id), -ENOENT } } },
	{ "PASID_LIST", IOMMU_PASID_LIST, 40, 40, fill_pasid_list,
	  FIELD(iommu_pasid_list, flags), 0, { { 20, 4 } },
	  { { FIELD(iommu_pasid_list, dev_id), -ENOENT } } },
};

const struct row *const rows_end = rows + ARRAY_SIZE(rows);
