// SPDX-License-Identifier: GPL-2.0
/*
 * The sample device pasidq, by its character device: each address in a descriptor is one of the
 * address space that its PASID is attached to, and of no other; what is wrong is reported, and
 * touches nothing; what goes away is gone when the call returns.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include "pq.h"
#include "rig.h"

static const char *path;

static void check_status(__u32 status, __u32 want, const char *name)
{
	check(status == want, name, "status %u, not %u", status, want);
}

/* Whether all is as patterns() left it, but for a page or, if that is -1, none. */
static bool pristine(const struct space *space, unsigned int seed, int but)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (i != but && !filled(space->mem + i * PAGE, PAGE, seed + i))
			return false;
	return true;
}

/* Numbers of both kinds: one that the kernel chose, and one that the caller did. */
static void new_pasids(void)
{
	a.pasid = 0;
	b.pasid = TAG;
	check_rc(pasid_alloc(iommu, 0, devid, &a.pasid), 0, "allocate a PASID");
	check_rc(pasid_alloc(iommu, IOMMU_PASID_ALLOC_TAGGED, devid, &b.pasid), 0,
		 "allocate a PASID by its number");
	check(a.pasid && a.pasid != b.pasid, "they are two", "%u and %u", a.pasid, b.pasid);
	xattach(a.pasid, a.ioas);
	xattach(b.pasid, b.ioas);
}

static void device(void)
{
	struct iommu_pasid_info info = { .size = sizeof(info), .dev_id = devid };
	off_t config = config_region(dev);
	struct pasidq_regs r = regs();
	__u32 id, size = ~0U;

	check(r.magic == PASIDQ_MAGIC && r.width == 20, "registers say what it is",
	      "magic %#x, width %u", r.magic, r.width);
	if (ioctl(iommu, IOMMU_PASID_INFO, &info))
		err(1, "IOMMU_PASID_INFO");
	check(info.out_policy == IOMMU_PASID_POLICY_PER_RID && info.out_width == 20,
	      "PASIDs are its own, 20 bits wide", "policy %u, width %u", info.out_policy,
	      info.out_width);
	if (pread(dev, &id, 4, config) != 4 ||
	    pwrite(dev, &size, 4, config + PCI_BASE_ADDRESS_0) != 4 ||
	    pread(dev, &size, 4, config + PCI_BASE_ADDRESS_0) != 4)
		err(1, "configuration space");
	check(id == (PASIDQ_DEVICE_ID << 16 | PASIDQ_VENDOR_ID) && size == -(__u32)PASIDQ_BAR_SIZE,
	      "configuration space says so too", "ID %#x, size %#x", id, size);
}

static int put(size_t count, off_t offset)
{
	char data[2 * sizeof(struct pasidq_desc)] = "";
	ssize_t n = pwrite(dev, data, count, offset);

	return n < 0 ? -errno : n;
}

static void whole_writes(void)
{
	const size_t whole = sizeof(struct pasidq_desc);
	struct pasidq_regs before = regs(), after;

	check_rc(put(whole / 2, bar + PASIDQ_PORTAL), -EINVAL, "half a descriptor");
	check_rc(put(2 * whole, bar + PASIDQ_PORTAL), -EINVAL, "two descriptors at once");
	check_rc(put(whole, bar + PASIDQ_PORTAL + 8), -EINVAL, "a descriptor askew");
	check_rc(put(whole, bar), -EINVAL, "a descriptor beside the portal");
	check_rc(put(whole, bar + PASIDQ_BAR_SIZE), -EINVAL, "a descriptor behind the portal");
	after = regs();
	check(after.done == before.done && after.failed == before.failed,
	      "none of them was carried out", "%llu, %llu", after.done, after.failed);
	check_rc(put(whole, bar + PASIDQ_BAR_SIZE - whole), whole, "the end of the portal");
	after = regs();
	check(after.done == before.done + 1, "is a portal too", "%llu done", after.done);
}

static __u64 sum_of(const __u8 *mem)
{
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < PAGE; i++)
		sum += mem[i];
	return sum;
}

static void right_space(void)
{
	struct pasidq_desc desc;
	struct pasidq_record *record = (void *)(b.mem + RECORD - BASE);

	patterns();
	check_status(run(move(PASIDQ_COPY, a.pasid, b.pasid)), PASIDQ_OK, "copy from one to two");
	check(filled(b.mem + PAGE, PAGE, 10) && pristine(&a, 10, -1) && pristine(&b, 20, 1),
	      "came from one, and went to two", "it did not");
	patterns();
	check_status(run(move(PASIDQ_COPY, b.pasid, a.pasid)), PASIDQ_OK, "copy from two to one");
	check(filled(a.mem + PAGE, PAGE, 20) && pristine(&b, 20, -1) && pristine(&a, 10, 1),
	      "came from two, and went to one", "it did not");
	patterns();
	check_status(run(move(PASIDQ_FILL, 0, b.pasid)), PASIDQ_OK, "fill two");
	check(*(__u64 *)(b.mem + PAGE) == 0x1122334455667788 &&
	      !memcmp(b.mem + PAGE, b.mem + PAGE + 8, PAGE - 8) && pristine(&b, 20, 1) &&
	      pristine(&a, 10, -1), "two is filled, and one is not", "it is not so");
	patterns();
	desc = move(PASIDQ_SUM, a.pasid, 0);
	desc.flags = PASIDQ_RECORD;
	desc.record_pasid = b.pasid;
	desc.record = RECORD;
	check_status(run(desc), PASIDQ_OK, "add up one, with a record in two");
	check(record->status == PASIDQ_OK && record->result == sum_of(a.mem) &&
	      pristine(&a, 10, -1), "the record has the sum", "status %u, result %llu",
	      record->status, record->result);
	desc.src_pasid = b.pasid;
	check_status(run(desc), PASIDQ_OK, "add up two");
	check(record->result == sum_of(b.mem), "the record has that sum", "result %llu",
	      record->result);
}

/* The device's own address space is that of PASID 0. */
static void own_space(void)
{
	__u32 pt = c.ioas;

	patterns();
	check_status(run(move(PASIDQ_COPY, 0, b.pasid)), PASIDQ_NO_PASID, "PASID 0, not attached");
	if (dev_attach(dev, &pt))
		errx(1, "attaching the device");
	check_status(run(move(PASIDQ_COPY, 0, b.pasid)), PASIDQ_OK, "PASID 0, attached");
	check(filled(b.mem + PAGE, PAGE, 30), "came from where the device is attached", "no");
	check_status(run(at(PASIDQ_KEEP, 0)), PASIDQ_OK, "keep a page there");
	check_rc(dev_detach(dev), 0, "detach the device");
	check(!pins(), "the page was let go", "%ld pages pinned", pins());
}

struct wrong {
	const char *name;
	struct pasidq_desc desc;
	__u32 status;
	__u32 pasid;
	__u64 iova;
};

/* Reported by the registers and the record, and nothing is touched. */
static void refused(const struct wrong *wrong)
{
	struct pasidq_record *record = (void *)(c.mem + RECORD - BASE);
	struct pasidq_desc desc = wrong->desc;
	struct pasidq_regs r;
	__u32 status;

	patterns();
	if (wrong->status != PASIDQ_BAD_DESC) {
		desc.flags |= PASIDQ_RECORD;
		desc.record_pasid = FREE_PASID + 1;
		desc.record = RECORD;
	}
	status = run(desc);
	r = regs();
	check(status == wrong->status && r.pasid == wrong->pasid && r.iova == wrong->iova,
	      wrong->name, "status %u at PASID %u, IOVA %#llx", status, r.pasid, r.iova);
	if (desc.flags == PASIDQ_RECORD)
		check(record->status == status && record->pasid == wrong->pasid &&
		      record->iova == wrong->iova, "the record has it",
		      "status %u at PASID %u, IOVA %#llx", record->status, record->pasid,
		      record->iova);
	check(pristine(&a, 10, -1) && pristine(&b, 20, -1) &&
	      pristine(&c, 30, desc.flags == PASIDQ_RECORD ? 2 : -1) && !r.kept && !pins(),
	      "and nothing was touched", "something was");
}

#define MOVE(op_, src_pasid_, src_, dst_pasid_, dst_, length_, ...) { \
	.op = PASIDQ_##op_, .src_pasid = src_pasid_, .src = src_, .dst_pasid = dst_pasid_, \
	.dst = dst_, .length = length_, ##__VA_ARGS__ }

static void wrong_descriptors(void)
{
	const __u32 pa = a.pasid, pb = b.pasid, none = FREE_PASID;
	const __u64 end = -(PAGE / 2);
	const struct wrong list[] = {
		{ "source at a PASID never attached", MOVE(COPY, none, SRC, pb, DST, PAGE),
		  PASIDQ_NO_PASID, none, SRC },
		{ "destination at one", MOVE(COPY, pa, SRC, none, DST, PAGE),
		  PASIDQ_NO_PASID, none, DST },
		{ "a PASID too wide", MOVE(COPY, pa, SRC, pb | 1 << 20, DST, PAGE),
		  PASIDQ_NO_PASID, pb | 1 << 20, DST },
		{ "the widest", MOVE(FILL, 0, 0, ~0U, DST, PAGE), PASIDQ_NO_PASID, ~0U, DST },
		{ "source not mapped", MOVE(COPY, pa, HOLE, pb, DST, PAGE),
		  PASIDQ_UNMAPPED, pa, HOLE },
		{ "destination not mapped", MOVE(COPY, pa, SRC, pb, HOLE, PAGE),
		  PASIDQ_UNMAPPED, pb, HOLE },
		{ "destination read only", MOVE(COPY, pa, SRC, pb, RDONLY, PAGE),
		  PASIDQ_DENIED, pb, RDONLY },
		{ "source write only", MOVE(COPY, pa, WRONLY, pb, DST, PAGE),
		  PASIDQ_DENIED, pa, WRONLY },
		{ "source beyond the last IOVA", MOVE(COPY, pa, end, pb, DST, PAGE),
		  PASIDQ_BAD_ADDRESS, pa, end },
		{ "no length", MOVE(COPY, pa, SRC, pb, DST, 0), PASIDQ_BAD_ADDRESS, 0, 0 },
		{ "a length too big", MOVE(FILL, 0, 0, pb, DST, PASIDQ_MAX_LENGTH + 1),
		  PASIDQ_BAD_ADDRESS, 0, 0 },
		{ "the biggest", MOVE(FILL, 0, 0, pb, DST, ~0U), PASIDQ_BAD_ADDRESS, 0, 0 },
		{ "no such operation", { .op = 99, .dst_pasid = pb, .dst = DST, .length = PAGE },
		  PASIDQ_BAD_DESC, 0, 0 },
		{ "no such flag", MOVE(COPY, pa, SRC, pb, DST, PAGE, .flags = 2),
		  PASIDQ_BAD_DESC, 0, 0 },
		{ "reserved", MOVE(COPY, pa, SRC, pb, DST, PAGE, .reserved = 1),
		  PASIDQ_BAD_DESC, 0, 0 },
		{ "keep at a PASID never attached", MOVE(KEEP, 0, 0, none, KEEP, PAGE),
		  PASIDQ_NO_PASID, none, KEEP },
		{ "keep a read-only page", MOVE(KEEP, 0, 0, pb, RDONLY, PAGE),
		  PASIDQ_DENIED, pb, RDONLY },
		{ "keep what is not mapped", MOVE(KEEP, 0, 0, pb, HOLE, PAGE),
		  PASIDQ_UNMAPPED, pb, HOLE },
		{ "keep a part of two pages", MOVE(KEEP, 0, 0, pb, DST + 8, PAGE),
		  PASIDQ_BAD_ADDRESS, pb, DST + 8 },
		{ "drop what is not kept", MOVE(DROP, 0, 0, pb, 0, PAGE), PASIDQ_NOT_KEPT, pb, 0 },
	};
	size_t i;

	xattach(FREE_PASID + 1, c.ioas);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		refused(&list[i]);
	dev_detach_pasid(dev, FREE_PASID + 1);
}

static void bad_records(void)
{
	struct pasidq_desc desc = {
		.op = PASIDQ_NOP, .flags = PASIDQ_RECORD, .record_pasid = FREE_PASID,
		.record = RECORD,
	};

	patterns();
	check_status(run(desc), PASIDQ_NO_PASID, "record at a PASID never attached");
	desc.record_pasid = b.pasid;
	desc.record = RDONLY;
	check_status(run(desc), PASIDQ_DENIED, "record to a read-only page");
	desc.record = -2ULL;
	check_status(run(desc), PASIDQ_BAD_ADDRESS, "record beyond the last IOVA");
	check(pristine(&b, 20, -1), "and nothing was touched", "something was");
}

static void gone_pasids(void)
{
	struct wrong wrong = {
		"destination at a PASID detached", move(PASIDQ_COPY, a.pasid, b.pasid),
		PASIDQ_NO_PASID, b.pasid, DST,
	};

	xattach(FREE_PASID + 1, c.ioas);
	check_rc(pasid_free(iommu, devid, b.pasid), -EBUSY, "free a PASID that is attached");
	check_rc(dev_detach_pasid(dev, b.pasid), 0, "detach it");
	refused(&wrong);
	check_rc(pasid_free(iommu, devid, b.pasid), 0, "free it");
	wrong.name = "destination at a PASID freed";
	refused(&wrong);
	wrong.desc = move(PASIDQ_COPY, b.pasid, a.pasid);
	wrong.name = "source at a PASID freed";
	wrong.iova = SRC;
	refused(&wrong);
	check_rc(pasid_alloc(iommu, IOMMU_PASID_ALLOC_TAGGED, devid, &b.pasid), 0,
		 "allocate it again");
	xattach(b.pasid, b.ioas);
	dev_detach_pasid(dev, FREE_PASID + 1);
	patterns();
	check_status(run(move(PASIDQ_COPY, a.pasid, b.pasid)), PASIDQ_OK, "it works again");
	check(filled(b.mem + PAGE, PAGE, 10), "and data arrives", "it does not");
}

static __u64 counter(const struct space *space)
{
	return __atomic_load_n((__u64 *)(space->mem + KEEP - BASE), __ATOMIC_RELAXED);
}

static void keep_page(struct space *space)
{
	memset(space->mem + KEEP - BASE, 0, PAGE);
	check_status(run(at(PASIDQ_KEEP, space->pasid)), PASIDQ_OK, "keep a page");
	check(regs().kept == 1 && pins() == 1 && counter(space) == 1, "it is kept",
	      "%u kept, %ld pinned, count %llu", regs().kept, pins(), counter(space));
}

/* When the call has returned, without waiting. */
static void let_go(struct space *space, const char *how)
{
	long pinned = pins();
	__u64 before = counter(space);
	__u32 status = run(at(PASIDQ_NOP, space->pasid));

	check(!pinned && !regs().kept && status == PASIDQ_OK && counter(space) == before, how,
	      "%ld pinned, %u kept, status %u, counted %llu", pinned, regs().kept, status,
	      counter(space) - before);
}

static void kept_pages(void)
{
	__u32 i, busy = 0;

	keep_page(&a);
	check_status(run(at(PASIDQ_KEEP, a.pasid)), PASIDQ_BUSY, "keep a second page");
	run(at(PASIDQ_NOP, a.pasid));
	run(at(PASIDQ_NOP, b.pasid));
	check(counter(&a) == 2, "it counts its PASID's descriptors", "%llu", counter(&a));
	check_status(run(at(PASIDQ_DROP, a.pasid)), PASIDQ_OK, "drop it");
	let_go(&a, "dropped: let go");

	keep_page(&a);
	check_rc(ioas_unmap(iommu, b.ioas, KEEP, PAGE), 0, "unmap another's page");
	check(regs().kept == 1 && pins() == 1, "it is still kept", "it is not");
	xmap(&b, b.mem + KEEP - BASE, KEEP, PAGE, RW);
	check_rc(ioas_unmap(iommu, a.ioas, BASE, (PAGES - 1) * PAGE), 0, "unmap other pages");
	check(regs().kept == 1 && pins() == 1, "it is still kept", "it is not");
	xmap(&a, a.mem, BASE, (PAGES - 1) * PAGE, RW);
	check_rc(ioas_unmap(iommu, a.ioas, KEEP, PAGE), 0, "unmap it");
	let_go(&a, "unmapped: let go");
	xmap(&a, a.mem + KEEP - BASE, KEEP, PAGE, RW);

	keep_page(&a);
	check_rc(dev_detach_pasid(dev, a.pasid), 0, "detach its PASID");
	let_go(&a, "detached: let go");
	xattach(a.pasid, a.ioas);

	keep_page(&a);
	if (ioctl(dev, VFIO_DEVICE_RESET))
		err(1, "VFIO_DEVICE_RESET");
	check(!regs().done, "reset", "%llu done", regs().done);
	let_go(&a, "reset: let go");

	for (i = 0; i <= PASIDQ_MAX_KEPT; i++) {
		xattach(MANY + i, a.ioas);
		busy += run(at(PASIDQ_KEEP, MANY + i)) == PASIDQ_BUSY;
	}
	check(regs().kept == PASIDQ_MAX_KEPT && busy == 1, "no more than it has room for",
	      "%u kept, %u busy", regs().kept, busy);
	for (i = 0; i <= PASIDQ_MAX_KEPT; i++)
		dev_detach_pasid(dev, MANY + i);
	let_go(&a, "all detached: let go");
}

static void replace_space(void)
{
	patterns();
	keep_page(&b);
	xattach(b.pasid, c.ioas);
	let_go(&b, "replaced: let go");
	patterns();
	check_status(run(move(PASIDQ_COPY, a.pasid, b.pasid)), PASIDQ_OK, "copy after replace");
	check(filled(c.mem + PAGE, PAGE, 10) && pristine(&b, 20, -1),
	      "went to the new address space only", "it did not");
	xattach(b.pasid, b.ioas);
}

/* Whoever submits: the memory is that of who mapped it. */
static void other_process(void)
{
	int status;
	pid_t pid;

	patterns();
	pid = fork();
	if (!pid) {
		struct pasidq_desc desc = move(PASIDQ_COPY, a.pasid, b.pasid);

		munmap(a.mem, PAGES * PAGE);
		munmap(b.mem, PAGES * PAGE);
		submit(&desc);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "the other process: %#x", status);
	check(filled(b.mem + PAGE, PAGE, 10), "another process submits", "no data arrived");
}

static void *keep_slow(void *status)
{
	struct pasidq_desc desc = at(PASIDQ_KEEP, a.pasid);

	desc.dst = SLOW;
	*(__u32 *)status = run(desc);
	return NULL;
}

static void *detach_slow(void *rc)
{
	*(int *)rc = dev_detach_pasid(dev, a.pasid);
	return NULL;
}

/* A page that nobody has yet: a fault that waits for this program. */
static int slow_page(void **mem)
{
	int fd = syscall(SYS_userfaultfd, O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*mem = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	reg.range.start = (unsigned long)*mem;
	reg.range.len = PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		err(1, "userfaultfd");
	xmap(&a, *mem, SLOW, PAGE, RW);
	return fd;
}

static void page_comes(int fd, void *mem)
{
	struct uffdio_zeropage zero = { .range = { .start = (unsigned long)mem, .len = PAGE } };

	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero))
		err(1, "UFFDIO_ZEROPAGE");
	close(fd);
}

static void wait_for_fault(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	if (poll(&poll_fd, 1, 5000) != 1 || poll_fd.revents != POLLIN)
		errx(1, "nobody has touched the page");
}

/* What is unmapped or detached while it is being pinned does not stay. */
static void slow_pins(void)
{
	pthread_t keeper, detacher;
	__u32 status = 0;
	int fd, rc = 1;
	void *mem;

	fd = slow_page(&mem);
	keeper = start(keep_slow, &status);
	wait_for_fault(fd);
	check_rc(ioas_unmap(iommu, a.ioas, SLOW, PAGE), 0, "unmap a page that is being pinned");
	check(!status, "which is not waited for", "status %u", status);
	page_comes(fd, mem);
	pthread_join(keeper, NULL);
	check_status(status, PASIDQ_UNMAPPED, "the page is not kept");
	check(!pins() && !regs().kept, "nor pinned", "%ld pages", pins());

	status = 0;
	fd = slow_page(&mem);
	keeper = start(keep_slow, &status);
	wait_for_fault(fd);
	detacher = start(detach_slow, &rc);
	usleep(100000);
	page_comes(fd, mem);
	pthread_join(keeper, NULL);
	pthread_join(detacher, NULL);
	check_rc(rc, 0, "detach while a page is being pinned");
	check(status == PASIDQ_NO_PASID || status == PASIDQ_UNMAPPED, "the page is not kept",
	      "status %u", status);
	check(!pins() && !regs().kept, "nor pinned", "%ld pages", pins());
	ioas_unmap(iommu, a.ioas, SLOW, PAGE);
	xattach(a.pasid, a.ioas);
}

/* A type1 container has no PASIDs: the device does not open in one. */
static void by_group(void)
{
	char link[PATH_MAX], node[300];
	int container = xopen("/dev/vfio/vfio", O_RDWR), group;

	snprintf(node, sizeof(node), "/sys/class/vfio-dev/%s/device", strrchr(path, '/') + 1);
	if (!realpath(node, link))
		err(1, "%s", node);
	group = open_group(link);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "a type1 container");
	check_rc(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, basename(link)) < 0 ? -errno : 0,
		 -EOPNOTSUPP, "open by group and container");
	close(group);
	close(container);
}

/* Whatever is attached and kept goes with the file. */
static void close_file(void)
{
	__u32 pt = c.ioas;

	keep_page(&a);
	if (dev_attach(dev, &pt))
		errx(1, "attaching the device");
	run(at(PASIDQ_KEEP, 0));
	run(at(PASIDQ_KEEP, b.pasid));
	check(regs().kept == 3 && pins() == 3, "keep three pages", "%u kept, %ld pinned",
	      regs().kept, pins());
	close(dev);
	check(!pins(), "closed: let go", "%ld pages pinned", pins());
	check_rc(destroy(iommu, a.ioas), 0, "the address space is free");
	bind_device(path);
	check_rc(pasid_alloc(iommu, IOMMU_PASID_ALLOC_TAGGED, devid, &b.pasid), 0,
		 "and so is the PASID");
	check_status(run(move(PASIDQ_FILL, 0, b.pasid)), PASIDQ_NO_PASID, "at which nothing is");
	check(!regs().kept && !regs().done && regs().failed == 1, "all counts are new",
	      "%u kept, %llu done, %llu failed", regs().kept, regs().done, regs().failed);
	close(dev);
	close(iommu);
}

static void kill_user(void)
{
	int pipes[2];
	char byte;
	pid_t pid;

	if (pipe(pipes))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		pq_open(path);
		a.pasid = 5;
		xattach(a.pasid, a.ioas);
		byte = run(at(PASIDQ_KEEP, a.pasid)) == PASIDQ_OK && pins() == 1;
		_exit(write(pipes[1], &byte, 1) != 1 || pause());
	}
	if (pid < 0 || read(pipes[0], &byte, 1) != 1)
		err(1, "the other process");
	check(byte, "another process keeps a page", "it does not");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(!pins_gone(), "killed: let go", "%ld pages pinned", pins());
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: queue PATH");
	path = argv[1];
	by_group();
	pq_open(path);
	new_pasids();
	device();
	whole_writes();
	right_space();
	own_space();
	wrong_descriptors();
	bad_records();
	gone_pasids();
	kept_pages();
	replace_space();
	other_process();
	slow_pins();
	close_file();
	kill_user();
	return check_done();
}
