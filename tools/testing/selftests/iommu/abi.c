// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of the structures, the same for every call: one row says what a
 * call has, and each test walks all rows. A row's structure is valid, so that
 * the one thing a test changes is what the kernel refuses.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "abi.h"

FIXTURE(abi)
{
	struct objects o;
	/* Two pages, the second of which nobody may touch. */
	char *edge;
};

/* A call that the kernel does not have is told once, by the test "valid". */
static const struct row *next_row(int fd, const struct row *row)
{
	__u32 none = 0;

	while (row < rows_end && iommu_call(fd, row->nr, &none) == -ENOTTY)
		row++;
	return row;
}

#define FOR_EACH_ROW() \
	for (const struct row *row = next_row(self->o.fd, rows); row < rows_end; \
	     row = next_row(self->o.fd, row + 1))

FIXTURE_SETUP(abi)
{
	self->o.fd = iommu_open();
	ASSERT_LE(0, self->o.fd);
	ASSERT_EQ(0, objects_new(&self->o));
	self->edge = mem_private(2 * PAGE);
	ASSERT_NE(NULL, self->edge);
	ASSERT_EQ(0, mprotect(self->edge + PAGE, PAGE, PROT_NONE));
}

/* Nothing that was refused has left a trace. */
FIXTURE_TEARDOWN(abi)
{
	unmap_all(self->o.fd, self->o.ioas);
	EXPECT_EQ(0, pages_pinned());
	pasid_free(self->o.fd, self->o.pasids.idev, PASID);
	EXPECT_EQ(0, pasids_in_use(self->o.fd, self->o.pasids.idev));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.nested));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.viommu));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.parent));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.tracked));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.pasids.stdev));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.dev.stdev));
	EXPECT_EQ(0, destroy(self->o.fd, self->o.ioas));
	close(self->o.fd);
}

static union arg *prepare(struct _test_data_abi *f, const struct row *row)
{
	static union arg a;

	memset(&a, 0, sizeof(a));
	a.size = row->size;
	if (row->fill)
		row->fill(&f->o, &a);
	return &a;
}

/* Undoes what a call that went through has made. */
static int call_and_undo(struct _test_data_abi *f, const struct row *row, union arg *a)
{
	int rc = iommu_call(f->o.fd, row->nr, a);

	if (!rc && row->nr == IOMMU_IOAS_ALLOC)
		rc = destroy(f->o.fd, a->alloc.out_ioas_id);
	else if (!rc && row->nr == IOMMU_HWPT_ALLOC)
		rc = destroy(f->o.fd, a->hwpt.out_hwpt_id);
	else if (!rc && row->nr == IOMMU_FAULT_QUEUE_ALLOC)
		rc = close(a->fault.out_fault_fd) ?: destroy(f->o.fd, a->fault.out_fault_id);
	else if (!rc && row->nr == IOMMU_VIOMMU_ALLOC)
		rc = destroy(f->o.fd, a->viommu.out_viommu_id);
	else if (!rc && row->nr == IOMMU_VDEVICE_ALLOC)
		rc = destroy(f->o.fd, a->vdevice.out_vdevice_id);
	else if (!rc && row->nr == IOMMU_VEVENTQ_ALLOC)
		rc = close(a->veventq.out_veventq_fd) ?:
		     destroy(f->o.fd, a->veventq.out_veventq_id);
	else if (!rc && row->nr == IOMMU_HW_QUEUE_ALLOC)
		rc = destroy(f->o.fd, a->hw_queue.out_hw_queue_id);
	else if (!rc && row->nr == IOMMU_PASID_ALLOC)
		rc = pasid_free(f->o.fd, f->o.pasids.idev, a->pasid_alloc.pasid);
	else if (row->nr == IOMMU_DESTROY && rc)
		destroy(f->o.fd, a->destroy.id);
	unmap_count(f->o.fd, f->o.ioas, AT, BUF, &(__u64){ 0 });
	return rc;
}

/* As EXPECT_EQ(), with the row's name. */
#define EXPECT_RC(rc, row, call) \
	do { \
		int got = (call); \
		EXPECT_EQ(rc, got) TH_LOG("%s", (row)->name); \
	} while (0)

TEST_F(abi, valid)
{
	for (const struct row *row = rows; row < rows_end; row++)
		EXPECT_RC(0, row, call_and_undo(self, row, prepare(self, row)));
}

TEST_F(abi, short_size)
{
	FOR_EACH_ROW()
		for (unsigned int size = 0; size < row->size; size++) {
			union arg *a = prepare(self, row);

			a->size = size;
			EXPECT_RC(size < row->required ? -EINVAL : 0, row,
				  call_and_undo(self, row, a));
		}
}

TEST_F(abi, long_size)
{
	static const unsigned int tails[] = { 1, 8, 4096 };

	FOR_EACH_ROW()
		for (unsigned int i = 0; i < ARRAY_SIZE(tails); i++) {
			union arg *a = prepare(self, row);

			a->size = row->size + tails[i];
			EXPECT_RC(0, row, call_and_undo(self, row, a));
			a = prepare(self, row);
			a->size = row->size + tails[i];
			a->bytes[a->size - 1] = 1;
			EXPECT_RC(-E2BIG, row, call_and_undo(self, row, a));
		}
}

TEST_F(abi, tail_out_of_reach)
{
	FOR_EACH_ROW() {
		union arg *at = (union arg *)(self->edge + PAGE - row->size);

		memcpy(at, prepare(self, row), row->size);
		at->size = row->size + 1;
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, at));
		at->size = ~0u;
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, at));
		at->size = row->size;
		EXPECT_RC(0, row, call_and_undo(self, row, at));
	}
}

TEST_F(abi, bad_pointer)
{
	FOR_EACH_ROW() {
		char *at = self->edge + PAGE - 4;

		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, NULL));
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, self->edge + PAGE));
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, (void *)-64l));
		/* The size can be read, and nothing after it. */
		memcpy(at, &row->size, 4);
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, at));
	}
}

/* The result cannot be handed over: then the call has not happened. */
TEST_F(abi, read_only_result)
{
	__u32 before = ioas_new(self->o.fd), id;

	FOR_EACH_ROW() {
		union arg *at = (union arg *)self->edge;

		if (row->nr == IOMMU_DESTROY || row->nr == IOMMU_IOAS_ALLOW_IOVAS ||
		    row->nr == IOMMU_IOAS_UNMAP || row->nr == IOMMU_PASID_FREE ||
		    row->nr == IOMMU_VFIO_IOAS || row->nr == IOMMU_IOAS_CHANGE_PROCESS ||
		    row->nr == IOMMU_HWPT_SET_DIRTY_TRACKING ||
		    row->nr == IOMMU_HWPT_GET_DIRTY_BITMAP)
			continue;
		memcpy(at, prepare(self, row), row->size);
		ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ));
		EXPECT_RC(-EFAULT, row, iommu_call(self->o.fd, row->nr, at));
		EXPECT_RC(-ENOENT, row, unmap(self->o.fd, self->o.ioas, AT, PAGE));
		ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	}
	/* Objects made on the way would have IDs between these two; none may be alive. */
	for (id = before + 1; id < before + 8; id++)
		EXPECT_EQ(-ENOENT, destroy(self->o.fd, id));
	EXPECT_EQ(0, destroy(self->o.fd, before));
}

TEST_F(abi, unknown_flags)
{
	FOR_EACH_ROW()
		for (unsigned int bit = 0; row->flags != NONE && bit < 32; bit++) {
			union arg *a = prepare(self, row);
			__u32 flags;

			if (row->known & 1u << bit)
				continue;
			memcpy(&flags, a->bytes + row->flags, 4);
			flags |= 1u << bit;
			memcpy(a->bytes + row->flags, &flags, 4);
			EXPECT_RC(-EOPNOTSUPP, row, call_and_undo(self, row, a));
		}
}

TEST_F(abi, reserved_fields)
{
	FOR_EACH_ROW()
		for (unsigned int i = 0; i < ARRAY_SIZE(row->zero); i++)
			for (int byte = 0; byte < row->zero[i].bytes; byte++) {
				union arg *a = prepare(self, row);

				a->bytes[row->zero[i].at + byte] = 0x80;
				EXPECT_RC(-EOPNOTSUPP, row, call_and_undo(self, row, a));
			}
}

/* With that ID in the row's field. */
static int call_with_id(struct _test_data_abi *f, const struct row *row, int at, __u32 id)
{
	union arg *a = prepare(f, row);
	__u32 made = a->destroy.id;
	int rc;

	memcpy(a->bytes + at, &id, 4);
	rc = iommu_call(f->o.fd, row->nr, a);
	if (row->nr == IOMMU_DESTROY)
		destroy(f->o.fd, made);
	unmap_count(f->o.fd, f->o.ioas, AT, BUF, &(__u64){ 0 });
	return rc;
}

TEST_F(abi, ids)
{
	__u32 last = ioas_new(self->o.fd);
	/* The last two look like IDs of this context in their lower bits. */
	const __u32 dead[] = { 0, last + 100, 0x7fffffff, ~0u, self->o.ioas | 1u << 31,
			       self->o.ioas | 1u << 24 };

	FOR_EACH_ROW()
		for (unsigned int i = 0; i < ARRAY_SIZE(row->id) && row->id[i].at; i++) {
			int is_dev = row->nr == IOMMU_GET_HW_INFO ||
				     row->nr >= IOMMU_PASID_ALLOC ||
				     ((row->nr == IOMMU_HWPT_ALLOC ||
				       row->nr == IOMMU_VIOMMU_ALLOC ||
				       row->nr == IOMMU_VDEVICE_ALLOC) && !i);

			for (unsigned int j = 0; j < ARRAY_SIZE(dead); j++)
				EXPECT_RC(-ENOENT, row,
					  call_with_id(self, row, row->id[i].at, dead[j]));
			if (row->id[i].other_kind)
				EXPECT_RC(row->id[i].other_kind, row,
					  call_with_id(self, row, row->id[i].at, is_dev ?
						       self->o.ioas : self->o.dev.idev));
		}
	EXPECT_EQ(0, destroy(self->o.fd, last));
	FOR_EACH_ROW()
		if (row->id[0].at)
			EXPECT_RC(-ENOENT, row, call_with_id(self, row, row->id[0].at, last + 1));
}

TEST_F(abi, arrays)
{
	union arg *a = prepare(self, &rows[2]);

	ASSERT_EQ(IOMMU_IOAS_ALLOW_IOVAS, rows[2].nr);
	a->allow.allowed_iovas = (unsigned long)self->edge + PAGE;
	EXPECT_EQ(-EFAULT, iommu_call(self->o.fd, rows[2].nr, a));
	/* The first entry is there, the second is not. */
	a->allow.allowed_iovas = (unsigned long)self->edge + PAGE - sizeof(self->o.ranges[0]);
	a->allow.num_iovas = 2;
	memcpy(self->edge + PAGE - sizeof(self->o.ranges[0]), self->o.ranges,
	       sizeof(self->o.ranges[0]));
	EXPECT_EQ(-EFAULT, iommu_call(self->o.fd, rows[2].nr, a));
	a = prepare(self, &rows[3]);
	ASSERT_EQ(IOMMU_IOAS_IOVA_RANGES, rows[3].nr);
	a->ranges.allowed_iovas = (unsigned long)self->edge + PAGE;
	EXPECT_EQ(-EFAULT, iommu_call(self->o.fd, rows[3].nr, a));
}

TEST_F(abi, unknown_call)
{
	static const unsigned int numbers[] = { 0, 0x7f, 0xbf, 0xff };
	__u32 arg[64] = { sizeof(arg) };

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(-ENOTTY, iommu_call(self->o.fd, _IO(IOMMUFD_TYPE, numbers[i]), arg));
	EXPECT_EQ(-ENOTTY, iommu_call(self->o.fd, _IO('v', 0x80), arg));
	EXPECT_EQ(-ENOTTY, iommu_call(self->o.fd, _IOW(IOMMUFD_TYPE, 0x81, __u32), arg));
}

TEST_HARNESS_MAIN
