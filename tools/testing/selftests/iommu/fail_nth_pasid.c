// SPDX-License-Identifier: GPL-2.0-only
/* The calls with PASIDs that fail_nth makes fail. */
#include <errno.h>
#include <unistd.h>
#include <kselftest.h>

#include "fail_nth.h"

/* No table that grows with numbers has room for these. */
#define FAR 70000
#define AWAY 300000

static int tag_and_attach(struct ctx *c, const struct pasid_dev *dev)
{
	return pasid_tag(c->fd, dev->idev, PASID) ?:
	       pasid_attach(c->fd, dev->stdev, PASID, c->ioas, NULL);
}

int setup_pasids(struct ctx *c)
{
	int rc;

	rc = per_rid_new(c->fd, 0, &c->own) ?: global_new(c->fd, 0, &c->global) ?:
	     parent_new(c->fd, &c->parent) ?: slice_new(c->fd, &c->parent, 0, &c->slice) ?:
	     follow(c->fd, &c->follower) ?: tag_and_attach(c, &c->own) ?:
	     tag_and_attach(c, &c->global) ?: tag_and_attach(c, &c->slice) ?:
	     hwpt_alloc(c->fd, c->own.idev, c->empty, IOMMU_HWPT_ALLOC_PASID, &c->fits);
	if (rc)
		return rc;
	c->emulated = access_global(c->fd, 0, MOCK_PASID_WIDTH, c->parent.index, &c->emulated_id);
	if (c->emulated < 0)
		return c->emulated;
	return pasid_tag(c->fd, c->emulated_id, PASID) ?:
	       pasid_tag(c->fd, c->emulated_id, AWAY) ?:
	       access_attach_at(c->fd, c->emulated, PASID, c->ioas);
}

int teardown_pasids(struct ctx *c)
{
	close(c->emulated);
	return destroy(c->fd, c->follower) ?: destroy(c->fd, c->own.stdev) ?:
	       destroy(c->fd, c->global.stdev) ?: destroy(c->fd, c->slice.stdev) ?:
	       destroy(c->fd, c->parent.stdev) ?: destroy(c->fd, c->fits);
}

static int call_alloc(struct ctx *c)
{
	return pasid_alloc(c->fd, c->own.idev, 0, &c->new_pasid);
}

static int done_alloc(struct ctx *c)
{
	return pasid_free(c->fd, c->own.idev, c->new_pasid);
}

/* Of all devices: the setup's, and no other. */
static int intact_numbers(struct ctx *c)
{
	return pasids_in_use(c->fd, c->own.idev) == 1 &&
	       pasids_in_use(c->fd, c->global.idev) == 1 &&
	       pasids_in_use(c->fd, c->emulated_id) == 2 &&
	       pasids_attached(c->fd, c->own.idev) == 1 &&
	       pair(c->fd, c->follower, FAR, NULL) == -ENOENT ? 0 : -EIO;
}

static int call_tag(struct ctx *c)
{
	return pasid_tag(c->fd, c->own.idev, FAR);
}

static int done_tag(struct ctx *c)
{
	return pasid_free(c->fd, c->own.idev, FAR);
}

static int call_tag_global(struct ctx *c)
{
	return pasid_tag(c->fd, c->global.idev, FAR);
}

static int done_tag_global(struct ctx *c)
{
	return pasid_free(c->fd, c->global.idev, FAR);
}

/* In a context of its own: the other has tags. */
static int before_identity(struct ctx *c)
{
	c->new_fd = iommu_open();
	return c->new_fd < 0 ? c->new_fd : global_new(c->new_fd, 0, &c->new_pasids);
}

static int call_identity(struct ctx *c)
{
	return pasid_alloc(c->new_fd, c->new_pasids.idev, IDENTITY, &c->new_pasid);
}

static int close_new(struct ctx *c)
{
	return close(c->new_fd);
}

static int call_info(struct ctx *c)
{
	return pasids_in_use(c->fd, c->own.idev) == 1 ? 0 : -EIO;
}

static int call_list(struct ctx *c)
{
	struct iommu_pasid_entry entries[4];
	__u32 num = 4, next = 0;
	int rc = pasid_list(c->fd, c->own.idev, entries, &num, &next, NULL);

	return rc || (num == 1 && !next) ? rc : -EIO;
}

/* A number that is not allocated, to an IOAS that has no table yet and pins nothing. */
static int call_attach(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, FAR, c->idle, NULL);
}

static int done_attach(struct ctx *c)
{
	return request(c->fd, c->own.stdev, FAR, AT, c->small, SMALL) ?:
	       pasid_detach(c->fd, c->own.stdev, FAR) ?: intact_numbers(c);
}

static int call_attach_table(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, FAR, c->fits, NULL);
}

static int done_attach_table(struct ctx *c)
{
	return pasid_detach(c->fd, c->own.stdev, FAR) ?: intact_numbers(c);
}

static int call_attach_global(struct ctx *c)
{
	return pasid_attach(c->fd, c->global.stdev, FAR, c->idle, NULL);
}

static int done_attach_global(struct ctx *c)
{
	return request(c->fd, c->global.stdev, FAR, AT, c->small, SMALL) ?:
	       pasid_detach(c->fd, c->global.stdev, FAR) ?: done_tag_global(c);
}

static int intact_attach_global(struct ctx *c)
{
	if (pasids_attached(c->fd, c->global.idev) != 1)
		return -EIO;
	return pair(c->fd, c->global.stdev, FAR, NULL) == -ENOENT ? done_tag_global(c) :
									   -EIO;
}

static int call_attach_device(struct ctx *c)
{
	return pasid_attach(c->fd, c->own.stdev, 0, c->idle, NULL);
}

static int done_attach_device(struct ctx *c)
{
	return pasid_detach(c->fd, c->own.stdev, 0);
}

static int call_attach_slice(struct ctx *c)
{
	return pasid_attach(c->fd, c->slice.stdev, 0, c->idle, NULL);
}

static int done_attach_slice(struct ctx *c)
{
	return request(c->fd, c->slice.stdev, 0, AT, c->small, SMALL) ?:
	       pasid_detach(c->fd, c->slice.stdev, 0);
}

static int call_replace(struct ctx *c)
{
	return pasid_replace(c->fd, c->own.stdev, PASID, c->idle, NULL);
}

static int done_replace(struct ctx *c)
{
	struct iommu_pasid_entry entry;

	if (pasid_entry(c->fd, c->own.idev, PASID, &entry) || entry.ioas_id != c->idle)
		return -EIO;
	return request(c->fd, c->own.stdev, PASID, AT, c->small, SMALL) ?:
	       pasid_replace(c->fd, c->own.stdev, PASID, c->ioas, NULL);
}

static int intact_replace(struct ctx *c)
{
	struct iommu_pasid_entry entry;

	if (pasid_entry(c->fd, c->own.idev, PASID, &entry) || entry.ioas_id != c->ioas)
		return -EIO;
	return request(c->fd, c->own.stdev, PASID, AT, c->small, SMALL);
}

static int call_fits(struct ctx *c)
{
	return hwpt_alloc(c->fd, c->own.idev, c->idle, IOMMU_HWPT_ALLOC_PASID, &c->new_id);
}

static int done_fits(struct ctx *c)
{
	return destroy(c->fd, c->new_id);
}

static int call_bind(struct ctx *c)
{
	return global_new(c->fd, c->ioas, &c->new_pasids);
}

static int call_bind_slice(struct ctx *c)
{
	return slice_new(c->fd, &c->parent, c->ioas, &c->new_pasids);
}

static int done_bind(struct ctx *c)
{
	return destroy(c->fd, c->new_pasids.stdev);
}

/* It has numbers, attached, and takes them with it. */
static int before_unbind(struct ctx *c)
{
	return call_bind_slice(c) ?: tag_and_attach(c, &c->new_pasids) ?:
	       pasid_tag(c->fd, c->new_pasids.idev, FAR);
}

static int call_follow(struct ctx *c)
{
	return follow(c->fd, &c->new_id);
}

static int call_emulated(struct ctx *c)
{
	c->new_fd = access_own(c->fd, c->ioas, 20, &c->new_id);
	return c->new_fd < 0 ? c->new_fd : 0;
}

static int call_emulated_attach(struct ctx *c)
{
	return access_attach_at(c->fd, c->emulated, AWAY, c->idle);
}

static int done_emulated_attach(struct ctx *c)
{
	return access_detach_at(c->fd, c->emulated, AWAY);
}

static int call_emulated_replace(struct ctx *c)
{
	return access_replace_at(c->fd, c->emulated, PASID, c->idle);
}

static int done_emulated_replace(struct ctx *c)
{
	return access_replace_at(c->fd, c->emulated, PASID, c->ioas);
}

static int call_emulated_pin(struct ctx *c)
{
	return access_pin_at(c->fd, c->emulated, PASID, AT, SMALL, c->small, &c->pages);
}

static int done_emulated_pin(struct ctx *c)
{
	return access_unpin(c->fd, c->emulated, c->pages);
}

static int call_emulated_read(struct ctx *c)
{
	return access_read_at(c->fd, c->emulated, PASID, AT + 100, SMALL - 200, c->large);
}

#define CALL(name, ...) { "pasid_" #name, .call = call_ ## name, __VA_ARGS__ }
/* The iommu core says the same when it has no number and when it has no memory. */
#define NEW_GLOBAL .instead = -ENOSPC

const struct call pasid_calls[] = {
	CALL(alloc, .done = done_alloc, .intact = intact_numbers),
	CALL(tag, .done = done_tag, .intact = intact_numbers),
	CALL(tag_global, .done = done_tag_global, .intact = intact_numbers, NEW_GLOBAL),
	CALL(identity, .before = before_identity, .done = close_new, .intact = close_new,
	     NEW_GLOBAL),
	{ "pasid_free", .before = call_tag_global, .call = done_tag_global,
	  .must_succeed = true },
	CALL(info),
	CALL(list),
	CALL(attach, .done = done_attach, .intact = intact_numbers),
	CALL(attach_table, .done = done_attach_table, .intact = intact_numbers),
	CALL(attach_global, .before = call_tag_global, .done = done_attach_global,
	     .intact = intact_attach_global),
	CALL(attach_device, .done = done_attach_device, .intact = intact_numbers),
	CALL(attach_slice, .done = done_attach_slice, .intact = intact_numbers),
	CALL(replace, .done = done_replace, .intact = intact_replace),
	{ "pasid_detach", .before = call_attach, .call = done_attach_table,
	  .must_succeed = true },
	CALL(fits, .done = done_fits),
	CALL(bind, .done = done_bind),
	CALL(bind_slice, .done = done_bind, NEW_GLOBAL),
	{ "pasid_unbind", .before = before_unbind, .call = done_bind, .must_succeed = true },
	CALL(follow, .done = done_fits),
	CALL(emulated, .done = close_new),
	CALL(emulated_attach, .done = done_emulated_attach, .intact = intact_numbers),
	CALL(emulated_replace, .done = done_emulated_replace),
	{ "pasid_emulated_detach", .before = call_emulated_attach,
	  .call = done_emulated_attach, .must_succeed = true },
	CALL(emulated_pin, .done = done_emulated_pin),
	CALL(emulated_read),
};

const unsigned int num_pasid_calls = ARRAY_SIZE(pasid_calls);
