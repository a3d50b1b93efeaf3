// SPDX-License-Identifier: GPL-2.0-only
/*
 * IDs and files that are another context's, or are of another kind: none of the
 * calls takes them, and nothing of the victim's has changed afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <kselftest_harness.h>

#include "abi.h"

/* The victim's IDs are above all that the attacker has. */
#define OFFSET 200
#define KINDS 15

FIXTURE(ids)
{
	struct objects mine, its;
	/* All the victim's IDs, with what each is of. */
	struct { __u32 id; const char *kind; } of[KINDS];
	unsigned int nr;
	__u32 queue, hw_queue;
	int faults, events, access;
	/* A virtual IOMMU's page for mmap(). */
	struct iommu_viommu_selftest page;
	struct counts before;
};

static void add(struct _test_data_ids *self, const char *kind, __u32 id)
{
	self->of[self->nr].kind = kind;
	self->of[self->nr++].id = id;
}

/* What objects_new() does not make. */
static int more_objects(struct _test_data_ids *self)
{
	struct objects *o = &self->its;
	__u32 vdev, events, viommu, access;

	self->page.in_data = 1;
	self->faults = fault_queue(o->fd, &self->queue);
	self->events = veventq_alloc(o->fd, o->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 4, &events);
	self->access = access_own(o->fd, o->ioas, MOCK_PASID_WIDTH, &access);
	if (self->faults < 0 || self->events < 0 || self->access < 0 ||
	    vdevice_alloc(o->fd, o->viommu, o->dev.idev, 1, &vdev) ||
	    hw_queue_alloc(o->fd, o->viommu, 0, SRC, PAGE, &self->hw_queue) ||
	    viommu_alloc_of(o->fd, o->dev.idev, o->parent, IOMMU_VIOMMU_TYPE_SELFTEST, &self->page,
			    sizeof(self->page), &viommu))
		return -1;
	add(self, "IOAS", o->ioas);
	add(self, "HWPT, parent", o->parent);
	add(self, "HWPT, nested", o->nested);
	add(self, "HWPT, tracked", o->tracked);
	add(self, "HWPT, automatic", o->dev.hwpt);
	add(self, "device", o->dev.idev);
	add(self, "device with PASIDs", o->pasids.idev);
	add(self, "mock device", o->dev.stdev);
	add(self, "virtual IOMMU", o->viommu);
	add(self, "second virtual IOMMU", viommu);
	add(self, "virtual device", vdev);
	add(self, "event queue", events);
	add(self, "hardware queue", self->hw_queue);
	add(self, "fault queue", self->queue);
	add(self, "access", access);
	return self->nr == KINDS ? 0 : -1;
}

FIXTURE_SETUP(ids)
{
	__u32 id = 0;

	self->mine.fd = iommu_open();
	self->its.fd = iommu_open();
	ASSERT_LE(0, self->its.fd);
	ASSERT_EQ(0, count(self->its.fd, 0, &self->before));
	while (id < OFFSET)
		ASSERT_EQ(0, ioas_alloc(self->its.fd, &id));
	ASSERT_EQ(0, objects_new(&self->mine));
	ASSERT_EQ(0, objects_new(&self->its));
	ASSERT_EQ(0, more_objects(self));
	for (unsigned int i = 0; i < self->nr; i++)
		ASSERT_LT(OFFSET, self->of[i].id);
}

/* The victim has what it had. */
FIXTURE_TEARDOWN(ids)
{
	struct objects *o = &self->its;
	int fd = iommu_open();

	close(self->mine.fd);
	EXPECT_EQ(0, mock_check_iotlb(o->fd, o->nested, 0, CACHED));
	EXPECT_EQ(0, pasids_in_use(o->fd, o->pasids.idev));
	for (__u32 id = 1; id <= OFFSET; id++)
		EXPECT_EQ(0, destroy(o->fd, id));
	close(self->faults);
	close(self->events);
	close(self->access);
	EXPECT_EQ(0, destroy(o->fd, self->hw_queue));
	EXPECT_EQ(BUF, unmap_all(o->fd, o->ioas));
	close(o->fd);
	EXPECT_TRUE(nothing_left(fd, &self->before));
	close(fd);
}

/* The attacker's valid call, with that in place of one of its IDs. */
static int call_with(struct _test_data_ids *self, const struct row *row, int at, __u32 id)
{
	static union arg a;
	__u32 made;
	int rc;

	memset(&a, 0, sizeof(a));
	a.size = row->size;
	if (row->fill)
		row->fill(&self->mine, &a);
	made = a.destroy.id;
	memcpy(a.bytes + at, &id, 4);
	rc = iommu_call(self->mine.fd, row->nr, &a);
	if (row->nr == IOMMU_DESTROY)
		destroy(self->mine.fd, made);
	pasid_free(self->mine.fd, self->mine.pasids.idev, PASID);
	unmap_count(self->mine.fd, self->mine.ioas, AT, BUF, &(__u64){ 0 });
	return rc;
}

/* The next ID that a call takes, from that one on: which call, and its how manieth. */
struct place {
	const struct row *row;
	unsigned int i;
};

static bool next_place(struct place *p)
{
	if (!p->row) {
		p->row = rows;
		p->i = 0;
	} else {
		p->i++;
	}
	while (p->row < rows_end && (p->i >= ARRAY_SIZE(p->row->id) || !p->row->id[p->i].at)) {
		p->row++;
		p->i = 0;
	}
	return p->row < rows_end;
}

TEST_F(ids, of_another_context)
{
	struct iommu_hwpt_selftest data = {};
	struct place p = {};
	unsigned int fields;
	__u32 hwpt;

	for (fields = 0; next_place(&p); fields++) {
		for (unsigned int k = 0; k < self->nr; k++) {
			int rc = call_with(self, p.row, p.row->id[p.i].at, self->of[k].id);

			EXPECT_EQ(-ENOENT, rc)
				TH_LOG("%s, ID %u, with the victim's %s", p.row->name, p.i,
				       self->of[k].kind);
		}
	}
	/* As many as there are today: a call whose row names none is not attacked. */
	EXPECT_LE(27, fields);
	/* What the rows do not have: the queue of a page table, and what is nested on what. */
	EXPECT_EQ(-ENOENT, hwpt_alloc_fault(self->mine.fd, self->mine.dev.idev, self->mine.ioas, 0,
					    self->queue, &hwpt));
	for (unsigned int k = 0; k < self->nr; k++)
		EXPECT_EQ(-ENOENT,
			  hwpt_alloc_data(self->mine.fd, self->mine.dev.idev, self->of[k].id, 0,
					  IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), &hwpt));
}

/* What a device is attached to, and what an access reads, is of its own context, too. */
TEST_F(ids, to_attach_to)
{
	struct objects *o = &self->mine;
	__u32 access, hwpt;
	int file = access_own(o->fd, o->ioas, MOCK_PASID_WIDTH, &access);

	ASSERT_LE(0, file);
	for (unsigned int k = 0; k < self->nr; k++) {
		__u32 id = self->of[k].id;

		EXPECT_EQ(-ENOENT, pasid_attach(o->fd, o->pasids.stdev, 0, id, &hwpt));
		EXPECT_EQ(-ENOENT, pasid_attach(o->fd, o->pasids.stdev, PASID, id, &hwpt));
		EXPECT_EQ(-ENOENT, mock_replace(o->fd, o->dev.stdev, id));
		EXPECT_EQ(-ENOENT, access_move(o->fd, file, id));
		EXPECT_EQ(-ENOENT, access_attach_at(o->fd, file, PASID, id));
	}
	EXPECT_EQ(0, pasids_in_use(o->fd, o->pasids.idev));
	EXPECT_EQ(0, pasids_in_use(o->fd, access));
	close(file);
}

static char class_of(const struct objects *o, __u32 id)
{
	if (id == o->ioas)
		return 'I';
	if (id == o->parent || id == o->tracked || id == o->dev.hwpt)
		return 'H';
	if (id == o->nested)
		return 'N';
	if (id == o->viommu)
		return 'V';
	return id == o->dev.idev || id == o->pasids.idev ? 'D' : 'M';
}

/* The number is one that the attacker has, of another kind. */
TEST_F(ids, of_another_kind)
{
	const struct objects *o = &self->mine;
	const __u32 ids[] = { o->ioas, o->parent, o->nested, o->tracked, o->dev.hwpt, o->dev.idev,
			      o->pasids.idev, o->dev.stdev, o->viommu };
	struct place p = {};

	while (next_place(&p)) {
		const struct row *row = p.row;
		union arg a = { .size = row->size };
		__u32 right;

		if (row->nr == IOMMU_DESTROY)
			continue;
		row->fill(&self->mine, &a);
		unmap_count(o->fd, o->ioas, AT, BUF, &(__u64){ 0 });
		memcpy(&right, a.bytes + row->id[p.i].at, 4);
		for (unsigned int k = 0; k < ARRAY_SIZE(ids); k++) {
			int rc;

			/* Either of two takes commands to invalidate, and these are none. */
			if (class_of(o, ids[k]) == class_of(o, right) ||
			    (row->nr == IOMMU_HWPT_INVALIDATE && ids[k] == o->viommu))
				continue;
			rc = call_with(self, row, row->id[p.i].at, ids[k]);
			EXPECT_TRUE(rc == -ENOENT || rc == -EINVAL || rc == -EOPNOTSUPP)
				TH_LOG("%s, ID %u, with a %c: %d", row->name, p.i,
				       class_of(o, ids[k]), rc);
		}
	}
}

/* A fault queue's cookies are good in that queue only. */
TEST_F(ids, answer_of_another)
{
	struct objects *o = &self->its;
	struct iommu_hwpt_pgfault got;
	__u32 queue, hwpt;
	int file = fault_queue(self->mine.fd, &queue);
	struct told told;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, nested_alloc(o->fd, o->pasids.idev, o->parent, 0, self->queue, &hwpt));
	ASSERT_EQ(0, pasid_attach(o->fd, o->pasids.stdev, 0, hwpt, NULL));
	ASSERT_EQ(0, page_request(o->fd, o->pasids.stdev, 0, 1, AT, false));
	ASSERT_EQ(1, faults_read(self->faults, &got, 1));
	EXPECT_EQ(-EINVAL, fault_answer(file, got.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, page_told(o->fd, o->pasids.stdev, 0, &told));
	EXPECT_EQ(1, told.pending);
	EXPECT_EQ(0, fault_answer(self->faults, got.cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, page_told(o->fd, o->pasids.stdev, 0, &told));
	EXPECT_EQ(0, told.pending);
	close(file);
	ASSERT_EQ(0, pasid_detach(o->fd, o->pasids.stdev, 0));
}

TEST_F(ids, page_of_another)
{
	const size_t length = self->page.out_mmap_length;
	const off_t at = self->page.out_mmap_offset;
	__u32 *p = mmap(NULL, length, PROT_READ, MAP_SHARED, self->its.fd, at);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(1, *p);
	munmap(p, length);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, length, PROT_READ, MAP_SHARED, self->mine.fd, at));
	EXPECT_EQ(ENXIO, errno);
}

/* Files that are none of those that a call wants. */
static unsigned int wrong_files(struct _test_data_ids *self, int *files)
{
	unsigned int n = 0;
	int pipes[2];

	files[n++] = eventfd(0, 0);
	files[n++] = epoll_create1(0);
	files[n++] = timerfd_create(CLOCK_MONOTONIC, 0);
	files[n++] = syscall(SYS_pidfd_open, getpid(), 0);
	files[n++] = open("/dev/null", O_RDWR);
	files[n++] = open("/dev/zero", O_RDWR);
	files[n++] = open("/", O_RDONLY | O_DIRECTORY);
	files[n++] = open("/proc/self/mem", O_RDWR);
	files[n++] = open("/proc/self/exe", O_RDONLY);
	files[n++] = self->faults;
	files[n++] = pipe(pipes) ? -1 : pipes[0];
	return n;
}

TEST_F(ids, wrong_files)
{
	int files[16], path = open("/dev/iommu", O_PATH), gone = dup(path), memory;
	unsigned int nr = wrong_files(self, files);
	__u64 iova = AT;
	char link[64];

	close(gone);
	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_LE(0, files[i]) TH_LOG("file %u: errno %d", i, errno);
		EXPECT_EQ(-EINVAL, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW,
					    files[i], 0, PAGE, &iova))
			TH_LOG("file %u", i);
		for (const struct row *row = rows; row < rows_end; row++) {
			union arg a = { .size = row->size };
			int rc = iommu_call(files[i], row->nr, &a);

			/* A process's file looks at the argument first. */
			EXPECT_TRUE(rc == -ENOTTY || rc == -EINVAL)
				TH_LOG("file %u, %s: %d", i, row->name, rc);
		}
	}
	EXPECT_EQ(-EINVAL, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, self->its.fd,
				    0, PAGE, &iova));
	/* A name of the file is no file: not of this one, nor of memory. */
	EXPECT_EQ(-EBADF, iommu_call(path, IOMMU_IOAS_ALLOC, &(union arg){ .size = 12 }));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", self->mine.file);
	memory = open(link, O_PATH);
	ASSERT_LE(0, memory);
	EXPECT_EQ(-EBADF, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, memory, 0,
				   PAGE, &iova));
	EXPECT_EQ(-EBADF, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, gone, 0, PAGE,
				   &iova));
	EXPECT_EQ(-EBADF, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, -1, 0, PAGE,
				   &iova));
	EXPECT_EQ(-EBADF, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, 0x7fffffff, 0,
				   PAGE, &iova));
	/* What can be read may not be written. */
	memory = open(link, O_RDONLY);
	EXPECT_EQ(-EPERM, map_file(self->mine.fd, self->mine.ioas, FIXED | PERM_RW, memory, 0,
				   PAGE, &iova));
}

TEST_HARNESS_MAIN
