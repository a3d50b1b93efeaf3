// SPDX-License-Identifier: GPL-2.0-only
/* The calls that fail_nth makes fail. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/type1.h"

static int call_open(struct ctx *c)
{
	c->new_fd = iommu_open();
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int done_open(struct ctx *c)
{
	return close(c->new_fd);
}

static int call_ioas_alloc(struct ctx *c)
{
	return ioas_alloc(c->fd, &c->new_id);
}

static int done_new_id(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int call_map(struct ctx *c)
{
	return map_at(c->fd, c->ioas, c->small, SMALL, LATER);
}

static int done_map(struct ctx *c)
{
	return mock_check_map(c->fd, c->dev.hwpt, c->small, SMALL, LATER) ?:
	       unmap(c->fd, c->ioas, LATER, SMALL);
}

static int intact_map(struct ctx *c)
{
	if (!mock_check_map(c->fd, c->dev.hwpt, c->small, PAGE, LATER))
		return -EEXIST;
	return unmap(c->fd, c->ioas, LATER, SMALL) == -ENOENT ? 0 : -EEXIST;
}

static int call_map_large(struct ctx *c)
{
	return map_at(c->fd, c->ioas, c->large, LARGE, LATER);
}

static int done_map_large(struct ctx *c)
{
	return mock_check_map(c->fd, c->dev.hwpt, c->large, LARGE, LATER) ?:
	       unmap(c->fd, c->ioas, LATER, LARGE);
}

static int intact_map_large(struct ctx *c)
{
	return unmap(c->fd, c->ioas, LATER, LARGE) == -ENOENT ? 0 : -EEXIST;
}

static int call_map_chosen(struct ctx *c)
{
	c->iova = 0;
	return map(c->fd, c->ioas, PERM_RW, c->small, SMALL, &c->iova);
}

static int done_map_chosen(struct ctx *c)
{
	return unmap(c->fd, c->ioas, c->iova, SMALL);
}

static int call_map_idle(struct ctx *c)
{
	return map_at(c->fd, c->idle, c->small, SMALL, LATER);
}

static int done_map_idle(struct ctx *c)
{
	return unmap(c->fd, c->idle, LATER, SMALL);
}

static int call_map_file(struct ctx *c)
{
	c->iova = LATER;
	return map_file(c->fd, c->ioas, FIXED | PERM_RW, c->file, 0, LARGE, &c->iova);
}

static int has_map_file(struct ctx *c)
{
	struct iommu_ioas_map_file none = {};

	return iommu_call(c->fd, IOMMU_IOAS_MAP_FILE, &none);
}

static int done_map_file(struct ctx *c)
{
	return unmap(c->fd, c->ioas, LATER, LARGE);
}

static int intact_empty(struct ctx *c)
{
	return unmap_all(c->fd, c->empty) ? -EEXIST : 0;
}

static int before_map_dmabuf(struct ctx *c)
{
	c->new_fd = mock_dmabuf(c->fd, SMALL);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int call_map_dmabuf(struct ctx *c)
{
	c->iova = LATER;
	return map_file(c->fd, c->ioas, FIXED | PERM_RW, c->new_fd, 0, SMALL, &c->iova);
}

static int done_map_dmabuf(struct ctx *c)
{
	return unmap(c->fd, c->ioas, LATER, SMALL) ?: close(c->new_fd);
}

static int intact_map_dmabuf(struct ctx *c)
{
	return intact_map(c) ?: close(c->new_fd);
}

static int before_copy_dmabuf(struct ctx *c)
{
	return before_map_dmabuf(c) ?: call_map_dmabuf(c);
}

static int call_copy_dmabuf(struct ctx *c)
{
	return copy_at(c->fd, c->empty, c->ioas, SMALL, LATER, LATER);
}

static int done_copy_dmabuf(struct ctx *c)
{
	return unmap(c->fd, c->empty, LATER, SMALL) ?: done_map_dmabuf(c);
}

static int intact_copy_dmabuf(struct ctx *c)
{
	return intact_empty(c) ?: done_map_dmabuf(c);
}

static int call_revoke_dmabuf(struct ctx *c)
{
	return mock_dmabuf_revoke(c->fd, c->new_fd, true);
}

static int done_revoke_dmabuf(struct ctx *c)
{
	char *va = mmap(NULL, SMALL, PROT_READ, MAP_SHARED, c->new_fd, 0);

	if (va == MAP_FAILED || mock_check_map(c->fd, c->dev.hwpt, va, PAGE, LATER) != -EINVAL)
		return -EEXIST;
	munmap(va, SMALL);
	return done_map_dmabuf(c);
}

static int call_copy(struct ctx *c)
{
	return copy_at(c->fd, c->ioas, c->idle, SMALL, LATER, AT);
}

static int call_copy_several(struct ctx *c)
{
	return copy_at(c->fd, c->empty, c->ioas, LARGE + SMALL - 2 * PAGE, LATER, AT + PAGE);
}

static int done_copy_several(struct ctx *c)
{
	return mock_check_map(c->fd, c->empty_dev.hwpt, c->small + PAGE, SMALL - PAGE, LATER) ?:
	       unmap(c->fd, c->empty, LATER, LARGE + SMALL - 2 * PAGE);
}

static int before_unmap(struct ctx *c)
{
	return call_map_large(c) ?: map_at(c->fd, c->ioas, c->small, SMALL, LATER + LARGE);
}

static int call_unmap(struct ctx *c)
{
	return unmap(c->fd, c->ioas, LATER, LARGE + SMALL);
}

static int done_unmap(struct ctx *c)
{
	return intact_map_large(c);
}

static int intact_unmap(struct ctx *c)
{
	return mock_check_map(c->fd, c->dev.hwpt, c->large, LARGE, LATER) ?:
	       mock_check_map(c->fd, c->dev.hwpt, c->small, SMALL, LATER + LARGE) ?:
	       call_unmap(c);
}

static int before_unmap_pinned(struct ctx *c)
{
	return before_unmap(c) ?:
	       access_pin(c->fd, c->access, LATER, LARGE, c->large, 0, &c->pages);
}

static int done_unmap_pinned(struct ctx *c)
{
	return access_unpin(c->fd, c->access, c->pages) == -ENOENT ? 0 : -EEXIST;
}

static int call_unmap_all(struct ctx *c)
{
	__u64 n;

	return unmap_count(c->fd, c->empty, 0, U64_MAX, &n);
}

static int before_unmap_all(struct ctx *c)
{
	return map_at(c->fd, c->empty, c->large, LARGE, AT) ?:
	       map_at(c->fd, c->empty, c->small, SMALL, LATER);
}

/* What of it is left is told: each area is either mapped, or gone. */
static int intact_unmap_all(struct ctx *c)
{
	return unmap_all(c->fd, c->empty) == LARGE + SMALL ? 0 : -EIO;
}

static int call_ranges(struct ctx *c)
{
	struct iommu_iova_range array[4];
	__u32 num = 4;

	return ranges_get(c->fd, c->ioas, array, &num, NULL);
}

static int call_allow(struct ctx *c)
{
	struct iommu_iova_range array[3] = {
		{ AT, AT + LARGE }, { LATER, LATER + LARGE }, { 2 * LATER, 2 * LATER + LARGE },
	};

	return ranges_allow(c->fd, c->idle, array, 3);
}

static int done_allow(struct ctx *c)
{
	return ranges_allow(c->fd, c->idle, NULL, 0);
}

/* No list has been put in force: IOVAs outside of it are chosen. */
static int intact_allow(struct ctx *c)
{
	__u64 iova = 0;
	int rc = map(c->fd, c->idle, PERM_RW, c->large, 1ull << 40, &iova);

	return rc ?: unmap(c->fd, c->idle, iova, 1ull << 40);
}

static int call_option(struct ctx *c)
{
	__u64 value;

	return option_get(c->fd, IOMMU_OPTION_HUGE_PAGES, c->ioas, &value) ?:
	       option_set(c->fd, IOMMU_OPTION_HUGE_PAGES, c->ioas, 1);
}

static int call_hwpt(struct ctx *c)
{
	return hwpt_alloc(c->fd, c->dev.idev, c->ioas, 0, &c->new_id);
}

/* Of an IOAS that has pinned nothing yet. */
static int call_hwpt_idle(struct ctx *c)
{
	return hwpt_alloc(c->fd, c->dev.idev, c->idle, 0, &c->new_id);
}

static int call_info(struct ctx *c)
{
	struct iommu_test_hw_info data;
	struct iommu_hw_info info;
	__u32 length = sizeof(data);

	return hw_info(c->fd, c->dev.idev, &data, &length, &info);
}

static int call_attach(struct ctx *c)
{
	return mock_attach(c->fd, c->ioas, &c->new_dev);
}

static int call_attach_idle(struct ctx *c)
{
	return mock_attach(c->fd, c->idle, &c->new_dev);
}

static int done_attach(struct ctx *c)
{
	return mock_check_map(c->fd, c->new_dev.hwpt, c->small, SMALL, AT) ?:
	       destroy(c->fd, c->new_dev.stdev);
}

static int call_replace(struct ctx *c)
{
	return mock_replace(c->fd, c->empty_dev.stdev, c->idle);
}

static int done_replace(struct ctx *c)
{
	int rc = destroy(c->fd, c->idle) == -EBUSY ? 0 : -EIO;

	return rc ?: mock_replace(c->fd, c->empty_dev.stdev, c->empty);
}

/* Still on the old one, which therefore cannot be destroyed; the new one is free. */
static int intact_replace(struct ctx *c)
{
	return destroy(c->fd, c->empty) == -EBUSY ? 0 : -EIO;
}

static int before_detach(struct ctx *c)
{
	return mock_attach(c->fd, c->idle, &c->new_dev);
}

static int call_detach(struct ctx *c)
{
	return destroy(c->fd, c->new_dev.stdev);
}

/* The device leaves one of two tables: what both had stays pinned. */
static int before_detach_one(struct ctx *c)
{
	return call_hwpt(c) ?: mock_attach(c->fd, c->new_id, &c->new_dev);
}

static int call_detach_one(struct ctx *c)
{
	return destroy(c->fd, c->new_dev.stdev) ?: destroy(c->fd, c->new_id);
}

static int before_destroy_ioas(struct ctx *c)
{
	return ioas_alloc(c->fd, &c->new_id) ?:
	       map_at(c->fd, c->new_id, c->large, LARGE, AT) ?:
	       copy_at(c->fd, c->new_id, c->new_id, SMALL, LATER, AT + PAGE);
}

static int call_access(struct ctx *c)
{
	c->new_fd = access_new_pinning(c->fd, c->idle);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int call_pin(struct ctx *c)
{
	return access_pin(c->fd, c->access, AT + SMALL, LARGE, c->large, 0, &c->pages);
}

static int done_pin(struct ctx *c)
{
	return access_unpin(c->fd, c->access, c->pages);
}

static int before_pin_idle(struct ctx *c)
{
	return access_move(c->fd, c->access, c->idle);
}

static int move_back(struct ctx *c)
{
	return access_move(c->fd, c->access, c->ioas);
}

static int done_pin_idle(struct ctx *c)
{
	return done_pin(c) ?: move_back(c);
}

static int before_unpin(struct ctx *c)
{
	return before_pin_idle(c) ?: call_pin(c);
}

static int call_read(struct ctx *c)
{
	return device_read(c->fd, c->access, AT + 100, SMALL - 200, c->large);
}

static int call_write_idle(struct ctx *c)
{
	return device_write(c->fd, c->access, AT + 100, SMALL - 200, c->large);
}

static int before_t1(struct ctx *c)
{
	return t1_ioas(c->fd, IOMMU_VFIO_IOAS_SET, &c->ioas);
}

static int call_t1_map(struct ctx *c)
{
	return t1_map(c->fd, c->small, SMALL, LATER);
}

static int call_t1_info(struct ctx *c)
{
	struct {
		struct vfio_iommu_type1_info info;
		char caps[1000];
	} arg = { .info.argsz = sizeof(arg) };

	return iommu_call(c->fd, VFIO_IOMMU_GET_INFO, &arg);
}

/* In the first version of type1, which splits. */
static int before_t1_split(struct ctx *c)
{
	return t1_ioas(c->fd, IOMMU_VFIO_IOAS_SET, &c->empty) ?:
	       t1_number(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ?:
	       t1_map(c->fd, c->large, LARGE, LATER);
}

static int call_t1_split(struct ctx *c)
{
	return t1_unmap(c->fd, LATER + PAGE, PAGE, NULL);
}

static int end_t1_split(struct ctx *c, __u64 left)
{
	if (unmap_all(c->fd, c->empty) != left)
		return -EIO;
	return t1_number(c->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static int done_t1_split(struct ctx *c)
{
	return end_t1_split(c, LARGE - PAGE);
}

static int intact_t1_split(struct ctx *c)
{
	return mock_check_map(c->fd, c->empty_dev.hwpt, c->large, LARGE, LATER) ?:
	       end_t1_split(c, LARGE);
}

#define CALL(name, ...) { #name, .call = call_ ## name, __VA_ARGS__ }

const struct call calls[] = {
	CALL(open, .done = done_open),
	CALL(ioas_alloc, .done = done_new_id),
	CALL(map, .done = done_map, .intact = intact_map),
	CALL(map_large, .done = done_map_large, .intact = intact_map_large),
	CALL(map_chosen, .done = done_map_chosen),
	CALL(map_idle, .done = done_map_idle),
	CALL(map_file, .done = done_map_file, .intact = intact_map_large,
	     .optional = has_map_file),
	CALL(map_dmabuf, .before = before_map_dmabuf, .done = done_map_dmabuf,
	     .intact = intact_map_dmabuf),
	CALL(copy_dmabuf, .before = before_copy_dmabuf, .done = done_copy_dmabuf,
	     .intact = intact_copy_dmabuf),
	CALL(revoke_dmabuf, .before = before_copy_dmabuf, .done = done_revoke_dmabuf,
	     .must_succeed = true),
	CALL(copy, .done = done_map, .intact = intact_map),
	CALL(copy_several, .done = done_copy_several, .intact = intact_empty),
	CALL(unmap, .before = before_unmap, .done = done_unmap, .intact = intact_unmap),
	{ "unmap_pinned", .before = before_unmap_pinned, .call = call_unmap,
	  .done = done_unmap_pinned, .intact = intact_unmap },
	CALL(unmap_all, .before = before_unmap_all, .intact = intact_unmap_all),
	CALL(t1_map, .before = before_t1, .done = done_map, .intact = intact_map),
	CALL(t1_info, .before = before_t1),
	CALL(t1_split, .before = before_t1_split, .done = done_t1_split,
	     .intact = intact_t1_split),
	CALL(ranges),
	CALL(allow, .done = done_allow, .intact = intact_allow),
	CALL(option),
	CALL(hwpt, .done = done_new_id),
	CALL(hwpt_idle, .done = done_new_id),
	CALL(info),
	CALL(attach, .done = done_attach),
	CALL(attach_idle, .done = done_attach),
	CALL(replace, .done = done_replace, .intact = intact_replace),
	CALL(detach, .before = before_detach, .must_succeed = true),
	CALL(detach_one, .before = before_detach_one, .must_succeed = true),
	{ "destroy_ioas", .before = before_destroy_ioas, .call = done_new_id,
	  .must_succeed = true },
	CALL(access, .done = done_open),
	CALL(pin, .done = done_pin),
	{ "pin_idle", .before = before_pin_idle, .call = call_pin, .done = done_pin_idle,
	  .intact = move_back },
	{ "unpin", .before = before_unpin, .call = done_pin, .done = move_back,
	  .must_succeed = true },
	CALL(read),
	{ "write_idle", .before = before_pin_idle, .call = call_write_idle, .done = move_back,
	  .intact = move_back },
	{ "move", .call = before_pin_idle, .done = move_back },
};

const unsigned int num_calls = ARRAY_SIZE(calls);
