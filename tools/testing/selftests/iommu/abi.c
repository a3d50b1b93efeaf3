// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of the structures, the same for every call: one row says what a
 * call has, and each test walks all rows. A row's structure is valid, so that
 * the one thing a test changes is what the kernel refuses.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define BUF (4 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define SRC (MOCK_APERTURE_START + 64 * PAGE)
#define NONE (-1)

FIXTURE(abi)
{
	int fd;
	int file;
	__u32 ioas;
	__u32 empty;
	struct mock_dev dev;
	char *buf;
	struct iommu_iova_range ranges[4];
	/* Two pages, the second of which nobody may touch. */
	char *edge;
};

union arg {
	__u32 size;
	struct iommu_destroy destroy;
	struct iommu_ioas_alloc alloc;
	struct iommu_ioas_allow_iovas allow;
	struct iommu_ioas_iova_ranges ranges;
	struct iommu_ioas_map map;
	struct iommu_ioas_map_file map_file;
	struct iommu_ioas_copy copy;
	struct iommu_ioas_unmap unmap;
	struct iommu_option option;
	struct iommu_hwpt_alloc hwpt;
	struct iommu_hw_info info;
	char bytes[2 * PAGE];
};

typedef FIXTURE_DATA(abi) fixture;

static void fill_destroy(fixture *f, union arg *a)
{
	a->destroy.id = ioas_new(f->fd);
}

static void fill_allow(fixture *f, union arg *a)
{
	a->allow.ioas_id = f->ioas;
	a->allow.num_iovas = 1;
	a->allow.allowed_iovas = (unsigned long)f->ranges;
}

static void fill_ranges(fixture *f, union arg *a)
{
	a->ranges.ioas_id = f->ioas;
	a->ranges.num_iovas = 4;
	a->ranges.allowed_iovas = (unsigned long)(f->ranges + 1);
}

static void fill_map(fixture *f, union arg *a)
{
	a->map.ioas_id = f->ioas;
	a->map.flags = FIXED | PERM_RW;
	a->map.user_va = (unsigned long)f->buf;
	a->map.length = PAGE;
	a->map.iova = AT;
}

static void fill_map_file(fixture *f, union arg *a)
{
	a->map_file.ioas_id = f->ioas;
	a->map_file.flags = FIXED | PERM_RW;
	a->map_file.fd = f->file;
	a->map_file.length = PAGE;
	a->map_file.iova = AT;
}

static void fill_copy(fixture *f, union arg *a)
{
	a->copy.dst_ioas_id = f->ioas;
	a->copy.src_ioas_id = f->ioas;
	a->copy.flags = FIXED | PERM_RW;
	a->copy.length = PAGE;
	a->copy.dst_iova = AT;
	a->copy.src_iova = SRC;
}

static void fill_unmap(fixture *f, union arg *a)
{
	map_at(f->fd, f->ioas, f->buf, PAGE, AT);
	a->unmap.ioas_id = f->ioas;
	a->unmap.iova = AT;
	a->unmap.length = PAGE;
}

static void fill_option(fixture *f, union arg *a)
{
	a->option.option_id = IOMMU_OPTION_HUGE_PAGES;
	a->option.op = IOMMU_OPTION_OP_GET;
	a->option.object_id = f->ioas;
}

static void fill_hwpt(fixture *f, union arg *a)
{
	a->hwpt.dev_id = f->dev.idev;
	a->hwpt.pt_id = f->ioas;
}

static void fill_info(fixture *f, union arg *a)
{
	a->info.dev_id = f->dev.idev;
}

#define FIELD(s, m) (int)offsetof(struct s, m)

static const struct row {
	const char *name;
	unsigned long nr;
	/* Bytes of the structure, and of its part that every caller must know. */
	unsigned int size, required;
	void (*fill)(fixture *f, union arg *a);
	/* Where 32 bits of flags are, and which of them exist. */
	int flags;
	__u32 known;
	/* What must be zero: offset and bytes. */
	struct { int at, bytes; } zero[3];
	/* The IDs it takes: where, and the errno for an object of another kind. */
	struct { int at; int other_kind; } id[2];
} rows[] = {
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
	{ "HWPT_ALLOC", IOMMU_HWPT_ALLOC, 48, 24, fill_hwpt, FIELD(iommu_hwpt_alloc, flags), 15,
	  { { 20, 4 }, { 44, 4 } },
	  { { FIELD(iommu_hwpt_alloc, dev_id), -ENOENT },
	    { FIELD(iommu_hwpt_alloc, pt_id), -EINVAL } } },
	{ "GET_HW_INFO", IOMMU_GET_HW_INFO, 40, 32, fill_info, FIELD(iommu_hw_info, flags), 1,
	  { { 29, 1 }, { 30, 1 }, { 31, 1 } },
	  { { FIELD(iommu_hw_info, dev_id), -ENOENT } } },
};

/* A call that the kernel does not have is told once, by the test "valid". */
static const struct row *next_row(int fd, const struct row *row)
{
	__u32 none = 0;

	while (row < rows + ARRAY_SIZE(rows) && iommu_call(fd, row->nr, &none) == -ENOTTY)
		row++;
	return row;
}

#define FOR_EACH_ROW(row) \
	for (const struct row *row = next_row(self->fd, rows); row < rows + ARRAY_SIZE(rows); \
	     row = next_row(self->fd, row + 1))

FIXTURE_SETUP(abi)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	self->empty = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	ASSERT_NE(0, self->empty);
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, SRC));
	self->ranges[0].start = MOCK_APERTURE_START;
	self->ranges[0].last = MOCK_APERTURE_LAST;
	self->file = file_new(BUF, 0);
	ASSERT_LE(0, self->file);
	self->edge = mem_private(2 * PAGE);
	ASSERT_NE(NULL, self->edge);
	ASSERT_EQ(0, mprotect(self->edge + PAGE, PAGE, PROT_NONE));
}

/* Nothing that was refused has left a trace. */
FIXTURE_TEARDOWN(abi)
{
	unmap_all(self->fd, self->ioas);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(0, destroy(self->fd, self->empty));
	close(self->fd);
}

static union arg *prepare(fixture *f, const struct row *row)
{
	static union arg a;

	memset(&a, 0, sizeof(a));
	a.size = row->size;
	if (row->fill)
		row->fill(f, &a);
	return &a;
}

/* Undoes what a call that went through has made. */
static int call_and_undo(fixture *f, const struct row *row, union arg *a)
{
	int rc = iommu_call(f->fd, row->nr, a);

	if (!rc && row->nr == IOMMU_IOAS_ALLOC)
		rc = destroy(f->fd, a->alloc.out_ioas_id);
	else if (!rc && row->nr == IOMMU_HWPT_ALLOC)
		rc = destroy(f->fd, a->hwpt.out_hwpt_id);
	else if (row->nr == IOMMU_DESTROY && rc)
		destroy(f->fd, a->destroy.id);
	unmap_count(f->fd, f->ioas, AT, BUF, &(__u64){ 0 });
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
	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
		EXPECT_RC(0, row, call_and_undo(self, row, prepare(self, row)));
}

TEST_F(abi, short_size)
{
	FOR_EACH_ROW(row)
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

	FOR_EACH_ROW(row)
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
	FOR_EACH_ROW(row) {
		union arg *at = (union arg *)(self->edge + PAGE - row->size);

		memcpy(at, prepare(self, row), row->size);
		at->size = row->size + 1;
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, at));
		at->size = ~0u;
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, at));
		at->size = row->size;
		EXPECT_RC(0, row, call_and_undo(self, row, at));
	}
}

TEST_F(abi, bad_pointer)
{
	FOR_EACH_ROW(row) {
		char *at = self->edge + PAGE - 4;

		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, NULL));
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, self->edge + PAGE));
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, (void *)-64l));
		/* The size can be read, and nothing after it. */
		memcpy(at, &row->size, 4);
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, at));
	}
}

/* The result cannot be handed over: then the call has not happened. */
TEST_F(abi, read_only_result)
{
	__u32 before = ioas_new(self->fd), id;

	FOR_EACH_ROW(row) {
		union arg *at = (union arg *)self->edge;

		if (row->nr == IOMMU_DESTROY || row->nr == IOMMU_IOAS_ALLOW_IOVAS ||
		    row->nr == IOMMU_IOAS_UNMAP)
			continue;
		memcpy(at, prepare(self, row), row->size);
		ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ));
		EXPECT_RC(-EFAULT, row, iommu_call(self->fd, row->nr, at));
		EXPECT_RC(-ENOENT, row, unmap(self->fd, self->ioas, AT, PAGE));
		ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	}
	/* Objects made on the way would have IDs between these two; none may be alive. */
	for (id = before + 1; id < before + 8; id++)
		EXPECT_EQ(-ENOENT, destroy(self->fd, id));
	EXPECT_EQ(0, destroy(self->fd, before));
}

TEST_F(abi, unknown_flags)
{
	FOR_EACH_ROW(row)
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
	FOR_EACH_ROW(row)
		for (unsigned int i = 0; i < ARRAY_SIZE(row->zero); i++)
			for (int byte = 0; byte < row->zero[i].bytes; byte++) {
				union arg *a = prepare(self, row);

				a->bytes[row->zero[i].at + byte] = 0x80;
				EXPECT_RC(-EOPNOTSUPP, row, call_and_undo(self, row, a));
			}
}

/* With that ID in the row's field. */
static int call_with_id(fixture *f, const struct row *row, int at, __u32 id)
{
	union arg *a = prepare(f, row);
	__u32 made = a->destroy.id;
	int rc;

	memcpy(a->bytes + at, &id, 4);
	rc = iommu_call(f->fd, row->nr, a);
	if (row->nr == IOMMU_DESTROY)
		destroy(f->fd, made);
	unmap_count(f->fd, f->ioas, AT, BUF, &(__u64){ 0 });
	return rc;
}

TEST_F(abi, ids)
{
	__u32 last = ioas_new(self->fd);
	/* The last two look like IDs of this context in their lower bits. */
	const __u32 dead[] = { 0, last + 100, 0x7fffffff, ~0u, self->ioas | 1u << 31,
			       self->ioas | 1u << 24 };

	FOR_EACH_ROW(row)
		for (unsigned int i = 0; i < ARRAY_SIZE(row->id) && row->id[i].at; i++) {
			int is_dev = row->nr == IOMMU_GET_HW_INFO ||
				     (row->nr == IOMMU_HWPT_ALLOC && !i);

			for (unsigned int j = 0; j < ARRAY_SIZE(dead); j++)
				EXPECT_RC(-ENOENT, row,
					  call_with_id(self, row, row->id[i].at, dead[j]));
			if (row->id[i].other_kind)
				EXPECT_RC(row->id[i].other_kind, row,
					  call_with_id(self, row, row->id[i].at, is_dev ?
						       self->ioas : self->dev.idev));
		}
	EXPECT_EQ(0, destroy(self->fd, last));
	FOR_EACH_ROW(row)
		if (row->id[0].at)
			EXPECT_RC(-ENOENT, row, call_with_id(self, row, row->id[0].at, last + 1));
}

TEST_F(abi, arrays)
{
	union arg *a = prepare(self, &rows[2]);

	ASSERT_EQ(IOMMU_IOAS_ALLOW_IOVAS, rows[2].nr);
	a->allow.allowed_iovas = (unsigned long)self->edge + PAGE;
	EXPECT_EQ(-EFAULT, iommu_call(self->fd, rows[2].nr, a));
	/* The first entry is there, the second is not. */
	a->allow.allowed_iovas = (unsigned long)self->edge + PAGE - sizeof(self->ranges[0]);
	a->allow.num_iovas = 2;
	memcpy(self->edge + PAGE - sizeof(self->ranges[0]), self->ranges,
	       sizeof(self->ranges[0]));
	EXPECT_EQ(-EFAULT, iommu_call(self->fd, rows[2].nr, a));
	a = prepare(self, &rows[3]);
	ASSERT_EQ(IOMMU_IOAS_IOVA_RANGES, rows[3].nr);
	a->ranges.allowed_iovas = (unsigned long)self->edge + PAGE;
	EXPECT_EQ(-EFAULT, iommu_call(self->fd, rows[3].nr, a));
}

TEST_F(abi, unknown_call)
{
	static const unsigned int numbers[] = { 0, 0x7f, 0xbf, 0xff };
	__u32 arg[64] = { sizeof(arg) };

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(-ENOTTY, iommu_call(self->fd, _IO(IOMMUFD_TYPE, numbers[i]), arg));
	EXPECT_EQ(-ENOTTY, iommu_call(self->fd, _IO('v', 0x80), arg));
	EXPECT_EQ(-ENOTTY, iommu_call(self->fd, _IOW(IOMMUFD_TYPE, 0x81, __u32), arg));
}

TEST_HARNESS_MAIN
