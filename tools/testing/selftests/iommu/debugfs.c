// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: contexts, global PASIDs and areas of the whole system, which root sees
 * while they come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/show.h"
#include "lib/sys.h"

#define BUF (16 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define DIR "/sys/kernel/debug/iommu/iommufd/"
#define V 100

FIXTURE(debugfs)
{
	int fd;
	__u32 ioas;
	/* Of the context, in the system. */
	long nr;
	char *buf, *text;
	struct counts before;
	long taint;
};

/* Of the context that this program has opened last. */
static long context_nr(void)
{
	char *text = text_of(DIR "contexts"), *at = text, *found = NULL, end[64];
	long nr = -1;

	snprintf(end, sizeof(end), " pid=%d comm=debugfs\n", getpid());
	while (at && (at = strstr(at, end)))
		found = at++;
	while (found && found > text && *found != '\t')
		found--;
	if (found)
		sscanf(found, "\tid=%ld", &nr);
	free(text);
	return nr;
}

FIXTURE_SETUP(debugfs)
{
	if (access(DIR, F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	ASSERT_EQ(0, access(DIR, F_OK));
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->taint = kernel_taint();
	ASSERT_EQ(0, count(self->fd, 0, &self->before));
	self->nr = context_nr();
	ASSERT_LT(0, self->nr);
	self->buf = mem_shared(BUF);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
}

FIXTURE_TEARDOWN(debugfs)
{
	free(self->text);
	close(self->fd);
	self->fd = iommu_open();
	EXPECT_TRUE(nothing_left(self->fd, &self->before));
	EXPECT_EQ(self->taint, kernel_taint()) TH_LOG("the kernel's log has a warning");
	close(self->fd);
}

#define LOOK(name)					\
	do {						\
		free(self->text);			\
		self->text = text_of(DIR name);		\
		ASSERT_NE(NULL, self->text);		\
	} while (0)
#define AREA									\
	"area:\tcontext=%ld ioas=%u iova=0x%llx-0x%llx length=%lu prot=%s state=ready "	\
	"pinned=%u revoked=0 keepers=0 access_pages=0 shared=1"
static bool area_shown(const struct _test_data_debugfs *self, __u32 ioas, __u64 at, size_t length,
		       const char *prot, unsigned int pinned)
{
	return has_line(self->text, AREA, self->nr, ioas, at, at + length - 1, length, prot,
			pinned);
}

TEST_F(debugfs, root_only)
{
	static const char * const names[] = { DIR "contexts", DIR "pasids", DIR "areas" };
	struct stat st;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, stat(names[i], &st));
		EXPECT_EQ(0400, st.st_mode & 07777);
		EXPECT_EQ(0, st.st_uid);
	}
}

/* The same lines as in fdinfo, and more of them. */
TEST_F(debugfs, contexts)
{
	__u32 last = self->ioas;

	for (unsigned int i = 0; i < 3000; i++)
		ASSERT_EQ(0, ioas_alloc(self->fd, &last));
	LOOK("contexts");
	EXPECT_TRUE(has_line(self->text, "context:\tid=%ld pid=%d comm=debugfs", self->nr,
			     getpid()));
	EXPECT_TRUE(has_line(self->text, "ioas:\tid=%u areas=0 mapped=0 hwpts=0", last));
	EXPECT_EQ(3001, lines_of(self->text, "ioas:"));
	EXPECT_EQ(lines_of(self->text, "context:"), lines_of(self->text, "iommufd:"));
	EXPECT_EQ(0, lines_of(self->text, "more:"));
}

/* Who opens a context cannot write lines by its name. */
TEST_F(debugfs, name)
{
	char was[16];
	int fd;

	ASSERT_EQ(0, prctl(PR_GET_NAME, was));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "x\ncontext:\tid=9"));
	fd = iommu_open();
	ASSERT_EQ(0, prctl(PR_SET_NAME, was));
	LOOK("contexts");
	EXPECT_EQ(NULL, strstr(self->text, "\ncontext:\tid=9\n"));
	EXPECT_NE(NULL, strstr(self->text, " comm=x\\ncontext:\\tid=9\n"));
	close(fd);
}

#define PASID "pasid:\tcontext=%ld ppasid=%u vpasid=%u device=%u name="
#define EXPECT_PASID(ppasid, vpasid, dev)						\
	do {										\
		snprintf(want, sizeof(want), PASID, self->nr, ppasid, vpasid, dev);	\
		EXPECT_NE(NULL, strstr(self->text, want));				\
	} while (0)

TEST_F(debugfs, pasids)
{
	struct pasid_dev own, global, second, parent, slice;
	char want[128];
	__u32 number;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	ASSERT_EQ(0, pasid_tag(self->fd, own.idev, V));
	ASSERT_EQ(0, global_new(self->fd, 0, &global));
	ASSERT_EQ(0, global_new(self->fd, 0, &second));
	ASSERT_EQ(0, pasid_tag(self->fd, global.idev, V));
	ASSERT_EQ(0, pasid_tag(self->fd, global.idev, V + 1));
	ASSERT_EQ(0, pasid_tag(self->fd, second.idev, V));
	ASSERT_EQ(0, pasid_attach(self->fd, second.stdev, V, self->ioas, &second.hwpt));
	ASSERT_EQ(0, pair(self->fd, second.stdev, V, &number));
	LOOK("pasids");
	/* Numbers of a device's own are not the system's. */
	EXPECT_EQ(3, lines_of(self->text, "pasid:\t"));
	EXPECT_NE(NULL, strstr(self->text, " allocated=1\n"));
	EXPECT_PASID(number, V, global.idev);
	EXPECT_PASID(number, V, second.idev);
	snprintf(want, sizeof(want), " hwpt=%u ioas=%u allocated=1\n", second.hwpt, self->ioas);
	EXPECT_NE(NULL, strstr(self->text, want));
	/* A slice has one without asking. */
	ASSERT_EQ(0, parent_new(self->fd, &parent));
	ASSERT_EQ(0, slice_new(self->fd, &parent, 0, &slice));
	LOOK("pasids");
	EXPECT_EQ(4, lines_of(self->text, "pasid:\t"));
	EXPECT_NE(NULL, strstr(self->text, " vpasid=0 device="));
	close(self->fd);
	LOOK("pasids");
	EXPECT_EQ(0, lines_of(self->text, "pasid:\t"));
	self->fd = iommu_open();
}

TEST_F(debugfs, areas)
{
	__u32 other = ioas_new(self->fd);
	struct mock_dev dev;
	__u64 iova;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + BUF));
	ASSERT_EQ(0, map(self->fd, other, PERM_R, self->buf, PAGE, &iova));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &dev));
	LOOK("areas");
	EXPECT_TRUE(area_shown(self, self->ioas, AT, BUF, "rw", 1));
	EXPECT_TRUE(area_shown(self, self->ioas, AT + BUF, PAGE, "rw", 1));
	EXPECT_TRUE(area_shown(self, other, iova, PAGE, "r", 0));
	EXPECT_EQ(3, lines_of(self->text, "area:"));
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, PAGE, AT, AT));
	LOOK("areas");
	EXPECT_EQ(4, lines_of(self->text, "area:"));
	EXPECT_EQ(2, value_of(self->text, "area:", "shared"));
}

/* Nothing is shown twice or left out, in whatever pieces it is read. */
TEST_F(debugfs, in_pieces)
{
	static char small[1 << 20];
	size_t length = 0;
	ssize_t n;
	int file;

	for (unsigned int i = 0; i < 300; i++)
		ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, PAGE, AT + 2 * i * PAGE));
	LOOK("areas");
	EXPECT_EQ(300, lines_of(self->text, "area:"));
	file = open(DIR "areas", O_RDONLY);
	ASSERT_LE(0, file);
	while ((n = read(file, small + length, 77)) > 0)
		length += n;
	EXPECT_EQ(strlen(self->text), length);
	EXPECT_STREQ(self->text, small);
	/* From the middle. */
	ASSERT_EQ(1234, lseek(file, 1234, SEEK_SET));
	ASSERT_EQ(100, read(file, small, 100));
	EXPECT_EQ(0, memcmp(self->text + 1234, small, 100));
	close(file);
}

/* A context that goes while its file is open here. */
TEST_F(debugfs, context_goes)
{
	int file = open(DIR "contexts", O_RDONLY), fd = iommu_open();
	static char buf[1 << 16];
	__u32 id;

	for (unsigned int i = 0; i < 3000; i++)
		ASSERT_EQ(0, ioas_alloc(fd, &id));
	ASSERT_LT(0, read(file, buf, 1000));
	close(fd);
	while (read(file, buf, sizeof(buf)) > 0)
		;
	close(file);
	LOOK("contexts");
	EXPECT_EQ(1, lines_of(self->text, "ioas:"));
}

struct reader {
	const char *path;
	bool stop;
	unsigned long looks;
	pthread_t id;
};

static void *look(void *arg)
{
	struct reader *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		char *text = text_of(r->path);

		__atomic_add_fetch(&r->looks, !!text, __ATOMIC_RELAXED);
		free(text);
	}
	return NULL;
}

static bool all_looked(const struct reader *readers, unsigned int n)
{
	while (n && __atomic_load_n(&readers[n - 1].looks, __ATOMIC_RELAXED) > 10)
		n--;
	return !n;
}

/* One context's life, in which no call may fail for the sake of who looks. */
static int churn(char *buf)
{
	struct pasid_dev dev, parent, slice;
	__u32 ioas, pasid;
	int fd = iommu_open();
	int rc;

	rc = ioas_alloc(fd, &ioas) ?: global_new(fd, ioas, &dev) ?: parent_new(fd, &parent) ?:
	     slice_new(fd, &parent, ioas, &slice) ?: pasid_alloc(fd, dev.idev, 0, &pasid) ?:
	     pasid_attach(fd, dev.stdev, pasid, ioas, NULL);
	for (unsigned int i = 0; i < 20 && !rc; i++)
		rc = map_at(fd, ioas, buf, PAGE, AT + i * PAGE);
	for (unsigned int i = 0; i < 20 && !rc; i++)
		rc = unmap(fd, ioas, AT + i * PAGE, PAGE);
	if (!rc)
		rc = pasid_detach(fd, dev.stdev, pasid) ?: pasid_free(fd, dev.idev, pasid) ?:
		     destroy(fd, slice.stdev) ?: destroy(fd, parent.stdev) ?:
		     destroy(fd, dev.stdev) ?: destroy(fd, ioas);
	close(fd);
	return rc;
}

/* For five seconds, and on a busy machine until all have looked. */
TEST_F_TIMEOUT(debugfs, nobody_notices, 120)
{
	struct reader readers[] = {
		{ .path = DIR "contexts" }, { .path = DIR "pasids" }, { .path = DIR "areas" },
	};
	time_t end = time(NULL) + 5;
	unsigned long rounds = 0;
	int rc = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++)
		ASSERT_EQ(0, pthread_create(&readers[i].id, NULL, look, &readers[i]));
	for (; !rc && (time(NULL) < end || !all_looked(readers, ARRAY_SIZE(readers))); rounds++)
		rc = churn(self->buf);
	EXPECT_EQ(0, rc);
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
		__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(readers[i].id, NULL);
		TH_LOG("%s: %lu looks in %lu rounds", readers[i].path, readers[i].looks, rounds);
	}
}

TEST_HARNESS_MAIN
