// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events: what each call emits, every number of it. In a trace instance of its
 * own, so that nobody else's events are there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "lib/fault.h"
#include "lib/iommu.h"
#include "lib/pasid.h"
#include "lib/show.h"
#include "lib/sys.h"
#include "lib/type1.h"

#define BUF (16 * PAGE)
#define AT (MOCK_APERTURE_START + 16 * PAGE)
#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/iommufd-test"

#define MAP "iommufd_map: ioas=%u iova=0x%lx length=%lu bytes prot=read|write rc=%d\n"
#define MAPPED "iommufd_map: ioas=%u iova=0x%lx length=%lu bytes prot=read|write rc=0\n"
#define COPY									\
	"iommufd_copy: src_ioas=%u src_iova=0x%lx ioas=%u iova=0x%lx length=%lu bytes "	\
	"prot=read|write rc=%d\n"
#define PINNED "iommufd_access_pin: access=%u pasid=%u iova=0x%lx length=%lu bytes write=%u rc=0\n"
#define UNPINNED									\
	"iommufd_access_unpin: access=%u pasid=5 iova=0x%lx length=%lu bytes write=0 rc=0\n"
#define FAULT									\
	"iommufd_fault: %s queue=%u dev_id=%u pasid=7 grpid=3 addr=0x%lx perm=read|write "	\
	"last=%d\n"
#define RESPONSE "iommufd_response: %s queue=%u grpid=%u cookie=%u code=%s outstanding=%ld ns\n"

FIXTURE(trace)
{
	int fd;
	__u32 ioas;
	char *buf, *text;
	char name[64];
};

static void forget(void)
{
	close(open(INSTANCE "/trace", O_WRONLY | O_TRUNC));
}

FIXTURE_SETUP(trace)
{
	if (access(TRACEFS "/instances", F_OK))
		ASSERT_EQ(0, mount("tracefs", TRACEFS, "tracefs", 0, NULL));
	ASSERT_EQ(0, mkdir(INSTANCE, 0700)) TH_LOG("no trace instance: CONFIG_TRACING");
	ASSERT_EQ(0, file_put(INSTANCE "/events/iommufd/enable", "1"));
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->buf = mem_shared(BUF);
	ASSERT_NE(NULL, self->buf);
	self->ioas = ioas_new(self->fd);
	ASSERT_NE(0, self->ioas);
	forget();
}

FIXTURE_TEARDOWN(trace)
{
	free(self->text);
	close(self->fd);
	EXPECT_EQ(0, file_put(INSTANCE "/events/iommufd/enable", "0"));
	EXPECT_EQ(0, rmdir(INSTANCE));
}

/* Whether these events, each with a newline, were emitted since, in order and no others. */
static bool events(struct _test_data_trace *self, const char *fmt, ...)
{
	char want[2048], got[2048] = "", *line, *next, *event;
	va_list args;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	free(self->text);
	self->text = text_of(INSTANCE "/trace");
	forget();
	for (line = self->text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = 0;
		event = strstr(line, ": iommufd_");
		if (*line == '#')
			continue;
		strncat(got, event ? event + 2 : line, sizeof(got) - strlen(got) - 2);
		strcat(got, "\n");
	}
	if (strcmp(got, want))
		ksft_print_msg("not\n%s but\n%s", want, got);
	return !strcmp(got, want);
}

#define EXPECT_EVENTS(...) EXPECT_TRUE(events(self, __VA_ARGS__))

/* What the kernel calls a device. */
static const char *name_of(struct _test_data_trace *self, __u32 idev)
{
	char *text = fdinfo(self->fd), key[32], *at;

	snprintf(key, sizeof(key), "device:\tid=%u name=", idev);
	at = text ? strstr(text, key) : NULL;
	if (!at || sscanf(at + strlen(key), "%63s", self->name) != 1)
		self->name[0] = 0;
	free(text);
	return self->name;
}

TEST_F(trace, memory)
{
	__u32 other = ioas_new(self->fd);
	__u64 iova, unmapped;

	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	EXPECT_EVENTS(MAPPED,
		      self->ioas, (long)AT, BUF);
	ASSERT_EQ(0, map(self->fd, self->ioas, PERM_R, self->buf, PAGE, &iova));
	EXPECT_EVENTS("iommufd_map: ioas=%u iova=0x%llx length=%lu bytes prot=read rc=0\n",
		      self->ioas, iova, PAGE);
	EXPECT_EQ(-EEXIST, map_at(self->fd, self->ioas, self->buf, PAGE, AT));
	EXPECT_EVENTS(MAP,
		      self->ioas, (long)AT, PAGE, -EEXIST);
	ASSERT_EQ(0, copy_at(self->fd, other, self->ioas, 2 * PAGE, AT + PAGE, AT));
	EXPECT_EVENTS(COPY, self->ioas, (long)AT, other, (long)(AT + PAGE), 2 * PAGE, 0);
	EXPECT_EQ(-ENOENT, copy_at(self->fd, other, self->ioas, PAGE, AT, AT + BUF));
	EXPECT_EVENTS(COPY, self->ioas, (long)(AT + BUF), other, (long)AT, PAGE, -ENOENT);
	EXPECT_EQ(-ENOENT, unmap(self->fd, self->ioas, AT, PAGE));
	EXPECT_EVENTS("iommufd_unmap: ioas=%u iova=0x%lx last=0x%lx unmapped=0 bytes rc=%d\n",
		      self->ioas, (long)AT, (long)(AT + PAGE - 1), -ENOENT);
	ASSERT_EQ(0, unmap(self->fd, self->ioas, AT, BUF));
	EXPECT_EVENTS("iommufd_unmap: ioas=%u iova=0x%lx last=0x%lx unmapped=%lu bytes rc=0\n",
		      self->ioas, (long)AT, (long)(AT + BUF - 1), BUF);
	/* Through type1 it is the same. */
	ASSERT_EQ(0, t1_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &other));
	ASSERT_EQ(0, t1_number(self->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, t1_map(self->fd, self->buf, PAGE, AT + BUF));
	EXPECT_EVENTS(MAPPED,
		      other, (long)(AT + BUF), PAGE);
	ASSERT_EQ(0, t1_unmap(self->fd, AT + BUF, PAGE, &unmapped));
	EXPECT_EVENTS("iommufd_unmap: ioas=%u iova=0x%lx last=0x%lx unmapped=%lu bytes rc=0\n",
		      other, (long)(AT + BUF), (long)(AT + BUF + PAGE - 1), PAGE);
}

TEST_F(trace, attach)
{
	struct pasid_dev dev;
	__u32 hwpt, byhand;
	const char *name;

	ASSERT_EQ(0, per_rid_new(self->fd, self->ioas, &dev));
	name = name_of(self, dev.idev);
	EXPECT_EVENTS("iommufd_attach: %s dev_id=%u pasid=0 old_hwpt=0 hwpt=%u rc=0\n", name,
		      dev.idev, dev.hwpt);
	ASSERT_EQ(0, hwpt_alloc(self->fd, dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, &byhand));
	ASSERT_EQ(0, pasid_attach(self->fd, dev.stdev, 9, byhand, NULL));
	EXPECT_EVENTS("iommufd_attach: %s dev_id=%u pasid=9 old_hwpt=0 hwpt=%u rc=0\n", name,
		      dev.idev, byhand);
	EXPECT_EQ(-EBUSY, pasid_attach(self->fd, dev.stdev, 9, byhand, NULL));
	EXPECT_EVENTS("iommufd_attach: %s dev_id=%u pasid=9 old_hwpt=0 hwpt=%u rc=%d\n", name,
		      dev.idev, byhand, -EBUSY);
	ASSERT_EQ(0, pasid_replace(self->fd, dev.stdev, 9, self->ioas, &hwpt));
	EXPECT_EVENTS("iommufd_replace: %s dev_id=%u pasid=9 old_hwpt=%u hwpt=%u rc=0\n", name,
		      dev.idev, byhand, hwpt);
	EXPECT_EQ(-EINVAL, pasid_replace(self->fd, dev.stdev, 8, byhand, NULL));
	EXPECT_EVENTS("iommufd_replace: %s dev_id=%u pasid=8 old_hwpt=0 hwpt=%u rc=%d\n", name,
		      dev.idev, byhand, -EINVAL);
	ASSERT_EQ(0, pasid_detach(self->fd, dev.stdev, 9));
	EXPECT_EVENTS("iommufd_detach: %s dev_id=%u pasid=9 old_hwpt=%u hwpt=0 rc=0\n", name,
		      dev.idev, hwpt);
	/* Nothing is there. */
	ASSERT_EQ(0, pasid_detach(self->fd, dev.stdev, 9));
	EXPECT_EVENTS("%s", "");
	ASSERT_EQ(0, destroy(self->fd, dev.stdev));
	EXPECT_EVENTS("iommufd_detach: %s dev_id=%u pasid=0 old_hwpt=%u hwpt=0 rc=0\n", name,
		      dev.idev, dev.hwpt);
}

TEST_F(trace, pasids)
{
	struct pasid_dev own, global;
	__u32 pasid, number;
	const char *name;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &own));
	name = name_of(self, own.idev);
	ASSERT_EQ(0, pasid_alloc(self->fd, own.idev, 0, &pasid));
	EXPECT_EVENTS("iommufd_pasid_alloc: %s vpasid=%u ppasid=%u policy=per-rid rc=0\n", name,
		      pasid, pasid);
	EXPECT_EQ(-EBUSY, pasid_tag(self->fd, own.idev, pasid));
	EXPECT_EVENTS("iommufd_pasid_alloc: %s vpasid=%u ppasid=0 policy=per-rid rc=%d\n", name,
		      pasid, -EBUSY);
	ASSERT_EQ(0, pasid_free(self->fd, own.idev, pasid));
	EXPECT_EVENTS("iommufd_pasid_free: %s vpasid=%u ppasid=%u policy=per-rid rc=0\n", name,
		      pasid, pasid);
	EXPECT_EQ(-ENXIO, pasid_free(self->fd, own.idev, pasid));
	EXPECT_EVENTS("iommufd_pasid_free: %s vpasid=%u ppasid=0 policy=per-rid rc=%d\n", name,
		      pasid, -ENXIO);

	ASSERT_EQ(0, global_new(self->fd, self->ioas, &global));
	ASSERT_EQ(0, pasid_tag(self->fd, global.idev, 100));
	ASSERT_EQ(0, pasid_attach(self->fd, global.stdev, 100, self->ioas, NULL));
	ASSERT_EQ(0, pair(self->fd, global.stdev, 100, &number));
	name = name_of(self, global.idev);
	EXPECT_EVENTS("iommufd_attach: %s dev_id=%u pasid=0 old_hwpt=0 hwpt=%u rc=0\n"
		      "iommufd_pasid_alloc: %s vpasid=100 ppasid=%u policy=global rc=0\n"
		      "iommufd_attach: %s dev_id=%u pasid=100 old_hwpt=0 hwpt=%u rc=0\n", name,
		      global.idev, global.hwpt, name, number, name, global.idev, global.hwpt);
	/* With the device goes what it has. */
	ASSERT_EQ(0, destroy(self->fd, global.stdev));
	EXPECT_EVENTS("iommufd_detach: %s dev_id=%u pasid=100 old_hwpt=%u hwpt=0 rc=0\n"
		      "iommufd_detach: %s dev_id=%u pasid=0 old_hwpt=%u hwpt=0 rc=0\n"
		      "iommufd_pasid_free: %s vpasid=100 ppasid=%u policy=global rc=0\n", name,
		      global.idev, global.hwpt, name, global.idev, global.hwpt, name, number);
}

TEST_F(trace, access)
{
	__u32 id, pages;
	int access;

	access = access_own(self->fd, self->ioas, 12, &id);
	ASSERT_LT(0, access);
	EXPECT_EVENTS("iommufd_access_attach: access=%u pasid=0 ioas=%u rc=0\n", id, self->ioas);
	ASSERT_EQ(0, map_at(self->fd, self->ioas, self->buf, BUF, AT));
	ASSERT_EQ(0, pasid_tag(self->fd, id, 5));
	ASSERT_EQ(0, access_attach_at(self->fd, access, 5, self->ioas));
	ASSERT_EQ(-ENOENT, access_replace_at(self->fd, access, 5, id));
	ASSERT_EQ(0, access_pin_at(self->fd, access, 5, AT, 2 * PAGE, self->buf, &pages));
	ASSERT_EQ(0, access_unpin(self->fd, access, pages));
	ASSERT_EQ(0, access_detach_at(self->fd, access, 5));
	EXPECT_EVENTS(MAPPED
		      "iommufd_pasid_alloc: - vpasid=5 ppasid=5 policy=per-rid rc=0\n"
		      "iommufd_access_attach: access=%u pasid=5 ioas=%u rc=0\n"
		      "iommufd_access_attach: access=%u pasid=5 ioas=%u rc=-2\n"
		      PINNED
		      UNPINNED
		      "iommufd_access_attach: access=%u pasid=5 ioas=0 rc=0\n",
		      self->ioas, (long)AT, BUF, id, self->ioas, id, id, id, 5, (long)AT,
		      2 * PAGE, 0, id, (long)AT, 2 * PAGE, id);
	ASSERT_EQ(0, access_pin(self->fd, access, AT, PAGE, self->buf, MOCK_FLAGS_ACCESS_WRITE,
				&pages));
	EXPECT_EVENTS(PINNED, id, 0, (long)AT, PAGE, 1);
	close(access);
}

/* The line of a response is known but for the time, which is then cut off. */
static long cut_time(char *text)
{
	char *at = text ? strstr(text, " outstanding=") : NULL;
	long ns = at ? strtol(at + strlen(" outstanding="), NULL, 10) : -1;

	if (!at || !strstr(at, " ns\n"))
		return -1;
	return ns;
}

TEST_F(trace, faults)
{
	struct iommu_hwpt_pgfault got[2];
	struct pasid_dev dev;
	__u32 queue, hwpt;
	const char *name;
	char *text, want[256];
	long ns;
	int file;

	ASSERT_EQ(0, per_rid_new(self->fd, 0, &dev));
	file = fault_queue(self->fd, &queue);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, hwpt_alloc_fault(self->fd, dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID,
				      queue, &hwpt));
	ASSERT_EQ(0, pasid_attach(self->fd, dev.stdev, 7, hwpt, NULL));
	name = name_of(self, dev.idev);
	forget();
	ASSERT_EQ(0, page_request(self->fd, dev.stdev, 7, 3, AT, true));
	EXPECT_EVENTS("%s", "");
	ASSERT_EQ(0, page_request(self->fd, dev.stdev, 7, 3, AT + PAGE, false));
	ASSERT_EQ(2, faults_read(file, got, 2));
	EXPECT_EVENTS(FAULT FAULT, name, queue, dev.idev, (long)AT, 0, name, queue, dev.idev,
		      (long)(AT + PAGE), 1);
	usleep(20000);
	ASSERT_EQ(0, fault_answer(file, got[0].cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	text = text_of(INSTANCE "/trace");
	ns = cut_time(text);
	EXPECT_LE(20 * 1000 * 1000, ns);
	EXPECT_GT(60l * 1000 * 1000 * 1000, ns);
	snprintf(want, sizeof(want),
		 ": " RESPONSE, name, queue, 3, got[0].cookie, "success", ns);
	EXPECT_NE(NULL, strstr(text, want)) TH_LOG("no %s in\n%s", want, text);
	free(text);
	forget();
	/* What nobody reads is answered for the user. */
	ASSERT_EQ(0, page_request(self->fd, dev.stdev, 7, 4, AT, false));
	ASSERT_EQ(0, pasid_detach(self->fd, dev.stdev, 7));
	text = text_of(INSTANCE "/trace");
	ns = cut_time(text);
	snprintf(want, sizeof(want),
		 ": " RESPONSE, name, queue, 4, 0, "invalid", ns);
	EXPECT_NE(NULL, strstr(text, want)) TH_LOG("no %s in\n%s", want, text);
	free(text);
	close(file);
}

TEST_HARNESS_MAIN
