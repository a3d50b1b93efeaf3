// SPDX-License-Identifier: GPL-2.0-only
/* IOMMU_IOAS_MAP_FILE: memfds of small and of huge pages, sealed or not, and what is no memfd. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + HUGE)
#define ALL (FIXED | PERM_RW)

FIXTURE(file)
{
	int fd;
	int file;
	__u32 ioas;
	struct mock_dev dev;
	/* The whole file, as the process sees it. */
	char *va;
};

FIXTURE_VARIANT(file)
{
	size_t length;
	size_t page;
	unsigned int flags;
	bool device;
};

#define SMALL .length = 16 * PAGE, .page = PAGE, .flags = MFD_ALLOW_SEALING
#define LARGE .length = 2 * HUGE, .page = HUGE, .flags = MFD_ALLOW_SEALING | MFD_HUGETLB

FIXTURE_VARIANT_ADD(file, small_no_device) { SMALL, .device = false };
FIXTURE_VARIANT_ADD(file, small) { SMALL, .device = true };
FIXTURE_VARIANT_ADD(file, huge_no_device) { LARGE, .device = false };
FIXTURE_VARIANT_ADD(file, huge) { LARGE, .device = true };

FIXTURE_SETUP(file)
{
	struct iommu_ioas_map_file none = {};

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	if (iommu_call(self->fd, IOMMU_IOAS_MAP_FILE, &none) == -ENOTTY)
		SKIP(return, "this kernel has no IOMMU_IOAS_MAP_FILE");
	self->file = file_new(variant->length, variant->flags);
	ASSERT_LE(0, self->file);
	self->va = mmap(NULL, variant->length, PROT_READ | PROT_WRITE, MAP_SHARED, self->file, 0);
	if (self->va == MAP_FAILED && variant->page == HUGE)
		SKIP(return, "no huge pages: vm.nr_hugepages is too small");
	ASSERT_NE(MAP_FAILED, self->va);
	for (size_t i = 0; i < variant->length; i += PAGE)
		memset(self->va + i, i / PAGE % 251, PAGE);
	if (variant->device)
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
}

FIXTURE_TEARDOWN(file)
{
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	if (variant->device)
		EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	close(self->fd);
}

static int map_part(struct _test_data_file *self, __u64 start, __u64 length, __u64 iova)
{
	return map_file(self->fd, self->ioas, ALL, self->file, start, length, &iova);
}

#define EXPECT_SEEN(start, length, iova) \
	do { \
		if (variant->device) \
			EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, self->va + (start), \
						    length, iova)); \
	} while (0)

TEST_F(file, whole)
{
	ASSERT_EQ(0, map_part(self, 0, variant->length, AT));
	EXPECT_SEEN(0, variant->length, AT);
	EXPECT_EQ(variant->device ? variant->length / PAGE : 0, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(file, parts)
{
	const __u64 half = variant->length / 2;
	__u64 iova = 0;

	ASSERT_EQ(0, map_part(self, PAGE, 3 * PAGE, AT));
	EXPECT_SEEN(PAGE, 3 * PAGE, AT);
	/* Over the border between two of the file's pages, and from the middle of one. */
	ASSERT_EQ(0, map_part(self, half - PAGE, 2 * PAGE, AT + HUGE));
	EXPECT_SEEN(half - PAGE, 2 * PAGE, AT + HUGE);
	ASSERT_EQ(0, map_part(self, variant->length - PAGE, PAGE, AT + HUGE - PAGE));
	EXPECT_SEEN(variant->length - PAGE, PAGE, AT + HUGE - PAGE);
	EXPECT_EQ(variant->device ? 6 : 0, pages_pinned());
	ASSERT_EQ(0, map_file(self->fd, self->ioas, PERM_R, self->file, half, PAGE, &iova));
	EXPECT_SEEN(half, PAGE, iova);
	EXPECT_EQ(7 * PAGE, unmap_all(self->fd, self->ioas));
}

TEST_F(file, refused)
{
	const __u64 end = variant->length;

	EXPECT_EQ(-EINVAL, map_part(self, 0, 0, AT));
	EXPECT_EQ(-EOVERFLOW, map_part(self, 0, U64_MAX, AT));
	EXPECT_EQ(-EOVERFLOW, map_part(self, -PAGE, 2 * PAGE, AT));
	EXPECT_EQ(-EOVERFLOW, map_part(self, 0, 2 * PAGE, -PAGE));
	EXPECT_EQ(-EINVAL, map_file(self->fd, self->ioas, FIXED, self->file, 0, PAGE,
				    &(__u64){ AT }));
	ASSERT_EQ(0, map_part(self, 0, PAGE, AT));
	EXPECT_EQ(-EEXIST, map_part(self, 0, PAGE, AT));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
	if (variant->device) {
		EXPECT_EQ(-EINVAL, map_part(self, 0, PAGE, AT + 1));
		EXPECT_EQ(-EINVAL, map_part(self, 1, PAGE, AT));
		EXPECT_EQ(-EINVAL, map_part(self, 0, PAGE - 1, AT));
		/* Past the end there is nothing to pin; nothing is left of the attempt. */
		EXPECT_EQ(-EINVAL, map_part(self, end, PAGE, AT));
		EXPECT_EQ(-EINVAL, map_part(self, end - PAGE, 2 * PAGE, AT));
		EXPECT_EQ(-EINVAL, map_part(self, 1ull << 40, PAGE, AT));
	}
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(file, descriptor)
{
	char path[64];
	int file;

	/* The mapping does not need the descriptor, nor the process's own mapping. */
	file = dup(self->file);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, map_file(self->fd, self->ioas, ALL, file, 0, PAGE, &(__u64){ AT }));
	close(file);
	EXPECT_SEEN(0, PAGE, AT);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
	EXPECT_EQ(-EBADF, map_file(self->fd, self->ioas, ALL, -1, 0, PAGE, &(__u64){ AT }));
	EXPECT_EQ(-EBADF, map_file(self->fd, self->ioas, ALL, file, 0, PAGE, &(__u64){ AT }));
	/* Opened to read: the device may not write either. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	file = open(path, O_RDONLY);
	ASSERT_LE(0, file);
	EXPECT_EQ(-EPERM, map_file(self->fd, self->ioas, ALL, file, 0, PAGE, &(__u64){ AT }));
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, map_file(self->fd, self->ioas, FIXED | PERM_R, file, 0, PAGE,
			      &(__u64){ AT }));
	EXPECT_SEEN(0, PAGE, AT);
	close(file);
}

TEST_F(file, sealed)
{
	ASSERT_EQ(0, munmap(self->va, variant->length));
	ASSERT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	EXPECT_EQ(-EPERM, map_file(self->fd, self->ioas, ALL, self->file, 0, PAGE, &(__u64){ AT }));
	EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, map_file(self->fd, self->ioas, FIXED | PERM_R, self->file, 0, PAGE,
			      &(__u64){ AT }));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
}

/* A file with a page that the device writes cannot be sealed against writing. */
TEST_F(file, sealed_later)
{
	ASSERT_EQ(0, map_part(self, 0, variant->length, AT));
	ASSERT_EQ(0, munmap(self->va, variant->length));
	if (variant->device)
		EXPECT_EQ(-1, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
	EXPECT_EQ(0, fcntl(self->file, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST_F(file, other_kinds)
{
	int pipes[2], files[5] = { -1, -1, -1, -1, -1 };

	ASSERT_EQ(0, pipe(pipes));
	files[0] = pipes[0];
	files[1] = open("/dev/zero", O_RDWR);
	files[2] = open("/proc/self/exe", O_RDONLY);
	files[3] = open("/", O_RDONLY | O_DIRECTORY);
	files[4] = self->fd;
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_LE(0, files[i]);
		EXPECT_EQ(-EINVAL, map_file(self->fd, self->ioas, FIXED | PERM_R, files[i], 0, PAGE,
					    &(__u64){ AT })) TH_LOG("kind %u", i);
		EXPECT_EQ(0, unmap_all(self->fd, self->ioas));
	}
	EXPECT_EQ(0, pages_pinned());
}

/* Sparse files get their pages when the device needs them. */
TEST_F(file, sparse)
{
	int file = file_new(variant->length, variant->flags);
	long reserved = huge_pages_reserved();

	ASSERT_LE(0, file);
	ASSERT_EQ(0, map_file(self->fd, self->ioas, ALL, file, 0, variant->length,
			      &(__u64){ AT }));
	/* Nobody has reserved these pages by mapping the file before. */
	EXPECT_EQ(reserved, huge_pages_reserved());
	if (variant->device) {
		char *va = mmap(NULL, variant->length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		struct stat st;

		ASSERT_EQ(0, fstat(file, &st));
		EXPECT_EQ(variant->length, st.st_blocks * 512);
		ASSERT_NE(MAP_FAILED, va);
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, va, variant->length, AT));
	}
	close(file);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
}

/* Truncated under the mapping: the device keeps what it has, a new device gets nothing. */
TEST_F(file, truncated)
{
	int access = access_new(self->fd, self->ioas, 0);
	struct mock_dev dev;
	static char got[2 * PAGE];

	ASSERT_LT(0, access);
	ASSERT_EQ(0, map_part(self, 0, variant->length, AT));
	ASSERT_EQ(0, ftruncate(self->file, 0));
	if (variant->device) {
		ASSERT_EQ(0, device_read(self->fd, access, AT + PAGE, 2 * PAGE, got));
		EXPECT_EQ(1, got[0]);
		EXPECT_EQ(2, got[2 * PAGE - 1]);
		ASSERT_EQ(0, device_write(self->fd, access, AT, 2 * PAGE, got));
		ASSERT_EQ(0, destroy(self->fd, self->dev.stdev));
	}
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-EFAULT, mock_attach(self->fd, self->ioas, &dev));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
	if (variant->device)
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
	close(access);
}

TEST_F(file, hole_punched)
{
	static char got[2 * PAGE];
	int access;

	/* Without a device there is nothing that would keep a page. */
	if (!variant->device)
		return;
	access = access_new(self->fd, self->ioas, 0);
	ASSERT_LT(0, access);
	ASSERT_EQ(0, map_part(self, 0, variant->length, AT));
	ASSERT_EQ(0, fallocate(self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       variant->length));
	EXPECT_EQ(0, self->va[PAGE]);
	ASSERT_EQ(0, device_read(self->fd, access, AT + PAGE, 2 * PAGE, got));
	EXPECT_EQ(1, got[0]);
	EXPECT_EQ(2, got[PAGE]);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
	close(access);
}

/* A copy pins the same pages, and holds the file alone. */
TEST_F(file, copied)
{
	__u32 other = ioas_new(self->fd);

	ASSERT_NE(0, other);
	ASSERT_EQ(0, map_part(self, 0, variant->length, AT));
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, 2 * PAGE, AT, AT + PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, variant->length));
	ASSERT_EQ(0, copy_at(self->fd, self->ioas, other, PAGE, AT + HUGE, AT + PAGE));
	EXPECT_SEEN(2 * PAGE, PAGE, AT + HUGE);
	EXPECT_EQ(variant->device, pages_pinned());
	EXPECT_EQ(0, destroy(self->fd, other));
}

TEST_HARNESS_MAIN
