// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_MAP_FILE of a dma-buf with physical addresses: what is mapped, who may use it, and
 * that nothing of it is left in a page table once it is revoked.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/udmabuf.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/mock.h"
#include "lib/sys.h"

#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define LENGTH (7 * PAGE)
#define FAR (AT + 16 * HUGE)

FIXTURE(dmabuf)
{
	int fd;
	int buf;
	__u32 ioas;
	long taint;
	struct mock_dev dev;
	/* The memory behind it. */
	char *va;
};

FIXTURE_VARIANT(dmabuf)
{
	bool device;
};

FIXTURE_VARIANT_ADD(dmabuf, no_device) { .device = false };
FIXTURE_VARIANT_ADD(dmabuf, device) { .device = true };

FIXTURE_SETUP(dmabuf)
{
	self->taint = kernel_taint();
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	self->buf = mock_dmabuf(self->fd, LENGTH);
	ASSERT_LE(0, self->buf);
	self->va = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, self->buf, 0);
	ASSERT_NE(MAP_FAILED, self->va);
	if (variant->device)
		ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->dev));
}

FIXTURE_TEARDOWN(dmabuf)
{
	EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, pages_pinned());
	if (variant->device)
		EXPECT_EQ(0, destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, destroy(self->fd, self->ioas));
	EXPECT_EQ(self->taint, kernel_taint());
	close(self->fd);
}

static int map_part(struct _test_data_dmabuf *self, __u64 start, __u64 length, __u64 iova)
{
	return map_file(self->fd, self->ioas, FIXED | PERM_RW, self->buf, start, length, &iova);
}

/* Whether a page table translates to that part of the dma-buf; and to no page of it. */
static bool seen(struct _test_data_dmabuf *self, __u32 hwpt, __u64 start, __u64 length, __u64 iova)
{
	return !mock_check_map(self->fd, hwpt, self->va + start, length, iova);
}

static bool unseen(struct _test_data_dmabuf *self, __u32 hwpt, __u64 start, __u64 length,
		   __u64 iova)
{
	for (__u64 i = 0; i < length; i += PAGE)
		if (seen(self, hwpt, start + i, PAGE, iova + i))
			return false;
	return true;
}

#define EXPECT_SEEN(start, length, iova) \
	EXPECT_TRUE(!variant->device || seen(self, self->dev.hwpt, start, length, iova))
#define EXPECT_UNSEEN(start, length, iova) \
	EXPECT_TRUE(!variant->device || unseen(self, self->dev.hwpt, start, length, iova))

TEST_F(dmabuf, whole_and_parts)
{
	__u64 iova = 0;

	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	EXPECT_SEEN(0, LENGTH, AT);
	/* Nothing is pinned, and nobody pays. */
	EXPECT_EQ(0, pages_pinned());
	/* It lies in pieces of two pages: over a border, and from the middle of one. */
	ASSERT_EQ(0, map_part(self, PAGE, 4 * PAGE, FAR));
	EXPECT_SEEN(PAGE, 4 * PAGE, FAR);
	ASSERT_EQ(0, map_part(self, LENGTH - PAGE, PAGE, FAR + HUGE));
	EXPECT_SEEN(LENGTH - PAGE, PAGE, FAR + HUGE);
	ASSERT_EQ(0, map_file(self->fd, self->ioas, PERM_R, self->buf, PAGE, PAGE, &iova));
	EXPECT_SEEN(PAGE, PAGE, iova);
	/* The mock's page is half of the CPU's. */
	ASSERT_EQ(0, map_part(self, PAGE + MOCK_PAGE_SIZE, PAGE, FAR + 2 * HUGE));
	EXPECT_SEEN(PAGE + MOCK_PAGE_SIZE, PAGE, FAR + 2 * HUGE);
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, LENGTH));
	EXPECT_UNSEEN(0, LENGTH, AT);
	/* The mapping outlives the descriptor. */
	EXPECT_EQ(0, close(self->buf));
	EXPECT_SEEN(PAGE, 4 * PAGE, FAR);
	EXPECT_EQ(7 * PAGE, unmap_all(self->fd, self->ioas));
}

TEST_F(dmabuf, refused)
{
	EXPECT_EQ(-EINVAL, map_part(self, 0, 0, AT));
	EXPECT_EQ(-EINVAL, map_part(self, LENGTH, PAGE, AT));
	EXPECT_EQ(-EINVAL, map_part(self, 0, LENGTH + 1, AT));
	EXPECT_EQ(-EINVAL, map_part(self, 1ull << 40, PAGE, AT));
	EXPECT_EQ(-EOVERFLOW, map_part(self, -PAGE, 2 * PAGE, AT));
	ASSERT_EQ(0, map_part(self, 0, PAGE, AT));
	EXPECT_EQ(-EEXIST, map_part(self, 0, PAGE, AT));
	EXPECT_EQ(PAGE, unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-EINVAL, mock_dmabuf(self->fd, 0));
	EXPECT_EQ(-EINVAL, mock_dmabuf(self->fd, PAGE - 1));
	EXPECT_EQ(-EINVAL, mock_dmabuf_revoke(self->fd, self->fd, true));
}

/* Exporters that have pages, and would have to map them for some device. */
TEST_F(dmabuf, other_exporters)
{
	int file = file_new(4 * PAGE, MFD_ALLOW_SEALING), dev = open("/dev/udmabuf", O_RDWR), buf;
	struct udmabuf_create make = { .memfd = file, .size = 4 * PAGE };
	__u64 iova = AT;

	ASSERT_LE(0, file);
	if (dev < 0)
		SKIP(return, "no /dev/udmabuf");
	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
	buf = ioctl(dev, UDMABUF_CREATE, &make);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-EOPNOTSUPP, map_file(self->fd, self->ioas, FIXED | PERM_RW, buf, 0, PAGE,
					&iova));
	EXPECT_EQ(-EINVAL, mock_dmabuf_revoke(self->fd, buf, true));
}

/* What is revoked is in no page table, stays gone, and can be mapped anew afterwards. */
TEST_F(dmabuf, revoke)
{
	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	ASSERT_EQ(0, map_part(self, PAGE, 2 * PAGE, FAR));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	EXPECT_UNSEEN(0, LENGTH, AT);
	EXPECT_UNSEEN(PAGE, 2 * PAGE, FAR);
	EXPECT_EQ(-ENODEV, map_part(self, 0, LENGTH, AT + HUGE));
	EXPECT_EQ(-ENODEV, copy_at(self->fd, self->ioas, self->ioas, LENGTH, AT + HUGE, AT));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));

	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, false));
	EXPECT_UNSEEN(0, LENGTH, AT);
	EXPECT_EQ(-EEXIST, map_part(self, 0, LENGTH, AT));
	EXPECT_EQ(-ENODEV, copy_at(self->fd, self->ioas, self->ioas, LENGTH, AT + HUGE, AT));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, LENGTH));
	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	EXPECT_SEEN(0, LENGTH, AT);
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	EXPECT_UNSEEN(0, LENGTH, AT);
}

/* Neighbours in IOVA space: one unmap takes what is revoked and what is not. */
TEST_F(dmabuf, revoke_between)
{
	char *memory = mem_shared(PAGE);

	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, memory, PAGE, AT));
	ASSERT_EQ(0, map_part(self, 0, 2 * PAGE, AT + PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, memory, PAGE, AT + 3 * PAGE));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	if (variant->device) {
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, memory, PAGE, AT));
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, memory, PAGE,
					    AT + 3 * PAGE));
	}
	EXPECT_UNSEEN(0, 2 * PAGE, AT + PAGE);
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT + PAGE, PAGE));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, 4 * PAGE));
	/* The IOVAs are somebody else's now: they do not go with the next revocation. */
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, false));
	ASSERT_EQ(0, map_part(self, 0, PAGE, AT));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, PAGE));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, memory, PAGE, AT));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	if (variant->device)
		EXPECT_EQ(0, mock_check_map(self->fd, self->dev.hwpt, memory, PAGE, AT));
}

/* Every page table of every IOAS, those of another context, too. */
TEST_F(dmabuf, revoke_everywhere)
{
	int fd = iommu_open();
	struct mock_dev there, here;
	__u32 ioas, other, second;
	__u64 iova = FAR;

	ASSERT_LE(0, fd);
	ioas = ioas_new(fd);
	other = ioas_new(self->fd);
	ASSERT_EQ(0, mock_attach(fd, ioas, &there));
	ASSERT_EQ(0, map_file(fd, ioas, FIXED | PERM_RW, self->buf, 0, LENGTH, &iova));
	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, 3 * PAGE, FAR, AT + PAGE));
	/* A copy does not need what it was made from. */
	ASSERT_EQ(0, unmap(self->fd, self->ioas, AT, LENGTH));
	ASSERT_EQ(0, mock_attach(self->fd, other, &here));
	ASSERT_EQ(0, hwpt_alloc(self->fd, here.idev, other, 0, &second));
	EXPECT_TRUE(seen(self, here.hwpt, PAGE, 3 * PAGE, FAR));
	EXPECT_TRUE(seen(self, second, PAGE, 3 * PAGE, FAR));
	EXPECT_EQ(0, mock_check_map(fd, there.hwpt, self->va, LENGTH, FAR));

	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	EXPECT_TRUE(unseen(self, here.hwpt, PAGE, 3 * PAGE, FAR));
	EXPECT_TRUE(unseen(self, second, PAGE, 3 * PAGE, FAR));
	for (__u64 i = 0; i < LENGTH; i += PAGE)
		EXPECT_EQ(-EINVAL, mock_check_map(fd, there.hwpt, self->va + i, PAGE, FAR + i));
	EXPECT_EQ(0, destroy(self->fd, second));
	EXPECT_EQ(0, destroy(self->fd, here.stdev));
	EXPECT_EQ(0, destroy(self->fd, other));
	close(fd);
}

/* A page table that comes after the revocation is filled without it. */
TEST_F(dmabuf, attach_after)
{
	char *memory = mem_shared(PAGE);
	struct mock_dev dev;
	__u32 hwpt;

	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, memory, PAGE, AT + LENGTH));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	ASSERT_EQ(0, hwpt_alloc(self->fd, dev.idev, self->ioas, 0, &hwpt));
	EXPECT_TRUE(unseen(self, dev.hwpt, 0, LENGTH, AT));
	EXPECT_TRUE(unseen(self, hwpt, 0, LENGTH, AT));
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, memory, PAGE, AT + LENGTH));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, LENGTH));
	EXPECT_EQ(0, mock_check_map(self->fd, hwpt, memory, PAGE, AT + LENGTH));
	EXPECT_EQ(0, destroy(self->fd, hwpt));
	EXPECT_EQ(0, destroy(self->fd, dev.stdev));
}

/* It is no memory that the kernel could read, or pin. */
TEST_F(dmabuf, accesses)
{
	int access = access_new_pinning(self->fd, self->ioas);
	char buf[16] = "";
	__u32 pages;

	ASSERT_LE(0, access);
	ASSERT_EQ(0, map_part(self, 0, LENGTH, AT));
	EXPECT_EQ(-EINVAL, access_pin(self->fd, access, AT, PAGE, self->va, 0, &pages));
	EXPECT_EQ(-EINVAL, access_rw(self->fd, access, AT, sizeof(buf), buf, 0));
	EXPECT_EQ(-EINVAL, access_rw(self->fd, access, AT, sizeof(buf), buf,
				     MOCK_ACCESS_RW_WRITE));
	ASSERT_EQ(0, mock_dmabuf_revoke(self->fd, self->buf, true));
	EXPECT_EQ(-EINVAL, access_rw(self->fd, access, AT, sizeof(buf), buf, 0));
	EXPECT_EQ(0, unmap(self->fd, self->ioas, AT, LENGTH));
	close(access);
}

#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

struct racer {
	int fd;
	int buf;
	__u32 ioas;
	bool stop;
	unsigned int revoked;
};

static void *revoke_often(void *arg)
{
	struct racer *r = arg;

	while (!GET(r->stop)) {
		mock_dmabuf_revoke(r->fd, r->buf, true);
		mock_dmabuf_revoke(r->fd, r->buf, false);
		if (__atomic_fetch_add(&r->revoked, 1, __ATOMIC_RELAXED) % 4)
			usleep(r->revoked % 128);
	}
	return NULL;
}

/* Revocations meet map, copy, attach, unmap at every step of theirs. */
TEST_F_TIMEOUT(dmabuf, race, 120)
{
	struct racer racer = { .fd = self->fd, .buf = self->buf, .ioas = self->ioas };
	const time_t end = time(NULL) + 3;
	unsigned int mapped = 0, late = 0;
	struct mock_dev dev;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, revoke_often, &racer));
	/* On a busy machine, until both had their turn. */
	for (int i = 0; time(NULL) < end || !mapped || !GET(racer.revoked); i++) {
		int rc = map_part(self, 0, LENGTH, AT);

		if (!rc) {
			mapped++;
			rc = copy_at(self->fd, self->ioas, self->ioas, 2 * PAGE, FAR, AT + PAGE);
			late += rc == -ENODEV;
			if (rc != 0 && rc != -ENODEV)
				EXPECT_EQ(0, rc);
			if (i % 8 == 0) {
				EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
				EXPECT_EQ(0, destroy(self->fd, dev.stdev));
			}
			EXPECT_NE(U64_MAX, unmap_all(self->fd, self->ioas));
			EXPECT_UNSEEN(0, PAGE, AT);
		} else if (rc != -ENODEV) {
			EXPECT_EQ(0, rc);
		}
	}
	__atomic_store_n(&racer.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	TH_LOG("%u mapped, %u not copied, %u revocations", mapped, late, racer.revoked);
}

TEST_HARNESS_MAIN
