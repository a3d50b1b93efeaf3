// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that bind a device not as vfio-pci does: one that lends a slice of its function, one that
 * wants to know what user space's PASIDs stand for, and one whose PASIDs are the system's. In all
 * of them it is entry 1 of the function's table in the end, the only one that QEMU's VT-d offers;
 * user space knows it by another name in each. Needs the modules edu_vfio, which notes what such a
 * driver is told, and pasid_shim.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"
#include "shim.h"

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE		0x4000000ULL
#define COUNT		512
#define ENTRY		1	/* what the function's requests carry */
#define PAIRS		"/sys/kernel/debug/edu_vfio/pairs"
#define PARAMETERS	"/sys/module/edu_vfio/parameters/"
#define REFUSAL		EBADSLT	/* nothing else says that */

static struct rig rig;
static const char *bdf;
static const char *what;	/* the driver, for names of checks */
static __u32 name;		/* of the PASID; 0 is the device itself */
static __u32 first, second;
static __u8 *x, *y;		/* the pages at BASE in these */
static char rid_before[2][200];

static bool good(bool is, const char *check_name)
{
	char line[200];

	snprintf(line, sizeof(line), "%s: %s", what, check_name);
	return check(is, line, "not so");
}

static bool good_rc(int rc, int want, const char *check_name)
{
	char line[200];

	snprintf(line, sizeof(line), "%s: %s", what, check_name);
	return check_rc(rc, want, line);
}

static int attach(__u32 pt)
{
	return name ? dev_attach_pasid(rig.dev, name, &pt) : dev_attach(rig.dev, &pt);
}

static int detach(void)
{
	return name ? dev_detach_pasid(rig.dev, name) : dev_detach(rig.dev);
}

static void put(const char *path, int value)
{
	int fd = xopen(path, O_WRONLY);

	if (dprintf(fd, "%d\n", value) < 0)
		err(1, "%s", path);
	close(fd);
}

/* What the driver was told since the last forget_pairs(): "map 7 1" and so on, each with a "; ". */
static const char *pairs(void)
{
	static char text[1000];
	int fd = xopen(PAIRS, O_RDONLY), i, j = 0;
	char raw[500];
	ssize_t n = read(fd, raw, sizeof(raw));

	if (n < 0)
		err(1, PAIRS);
	close(fd);
	for (i = 0; i < n; i++) {
		text[j++] = raw[i] == '\n' ? ';' : raw[i];
		if (raw[i] == '\n')
			text[j++] = ' ';
	}
	text[j] = 0;
	return text;
}

static void forget_pairs(void)
{
	put(PAIRS, 0);
}

/* The driver was told that, of our PASID, and no more. */
static bool told(const char *verbs)
{
	char want[200] = "", list[100], *verb;

	snprintf(list, sizeof(list), "%s", verbs);
	for (verb = strtok(list, " "); verb; verb = strtok(NULL, " "))
		sprintf(want + strlen(want), "%s %u %u; ", verb, name, ENTRY);
	return !strcmp(pairs(), want);
}

static void check_told(const char *verbs, const char *check_name)
{
	char line[200];

	snprintf(line, sizeof(line), "%s: %s", what, check_name);
	check(told(verbs), line, "the driver was told: %s", pairs());
}

/* The system's PASIDs that our cgroup pays for, which has to be one that has misc. */
static long charged(void)
{
	FILE *self = fopen("/proc/self/cgroup", "r"), *f;
	char group[100], path[200], key[64];
	long value;

	if (!self || fscanf(self, "0::%99s", group) != 1)
		err(1, "/proc/self/cgroup");
	fclose(self);
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/misc.current", group);
	f = fopen(path, "r");
	if (!f)
		err(1, "%s", path);
	while (fscanf(f, "%63s %ld", key, &value) == 2) {
		if (strcmp(key, "pasid"))
			continue;
		fclose(f);
		return value;
	}
	errx(1, "%s has no pasid", path);
}

static void info(__u32 policy, __u32 in_use, __u32 attached, const char *check_name)
{
	struct iommu_pasid_info info = { .size = sizeof(info), .dev_id = rig.devid };
	char line[200];

	if (ioctl(rig.iommu, IOMMU_PASID_INFO, &info))
		err(1, "IOMMU_PASID_INFO");
	snprintf(line, sizeof(line), "%s: INFO %s", what, check_name);
	check(info.out_policy == policy && info.out_width == 1 && info.out_limit == 1 &&
	      info.out_in_use == in_use && info.out_attached == attached, line,
	      "policy %u, width %u, limit %u, in use %u, attached %u", info.out_policy,
	      info.out_width, info.out_limit, info.out_in_use, info.out_attached);
}

/* What is in the function's buffer, a pattern from the first attach on, gets nowhere. */
static bool refused(void)
{
	memset(x, 0, PAGE);
	memset(y, 0, PAGE);
	edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
	edu_wait(rig.bar);
	return untouched(x) && untouched(y);
}

/* DMA reaches the one page, and not the other. */
static void reaches(const char *when, __u8 *one, __u8 *other)
{
	static unsigned int seed;
	char line[100];

	seed += 2;
	memset(x, 0, PAGE);
	memset(y, 0, PAGE);
	rig_write(&rig, BASE, COUNT, seed);
	snprintf(line, sizeof(line), "%s, a write arrives", when);
	good(filled(one, COUNT, seed) && untouched(other), line);
	fill(one, COUNT, seed + 1);
	snprintf(line, sizeof(line), "%s, a read gets what is there", when);
	good(rig_reads(&rig, BASE, COUNT, seed + 1), line);
}

static void remember_rid(void)
{
	if (!table_entry(0, rid_before[0], rid_before[1], sizeof(rid_before[0])))
		errx(1, "the RID has no entry");
}

static void check_rid(const char *when)
{
	char now[2][200], line[100];
	bool found = table_entry(0, now[0], now[1], sizeof(now[0]));

	snprintf(line, sizeof(line), "%s, the RID's entry is as it was", when);
	good(found && !strcmp(now[0], rid_before[0]) && !strcmp(now[1], rid_before[1]), line);
}

struct job {
	__u32 pt;	/* 0: detach */
	int rc;
};

static void *do_job(void *arg)
{
	struct job *job = arg;

	job->rc = job->pt ? attach(job->pt) : detach();
	return NULL;
}

/* Does it; when the driver is told, looks from outside while the driver has not answered. */
static void held(struct job *job, const char *verbs, const char *when)
{
	pthread_t thread;
	char line[100];
	int tries;

	put(PARAMETERS "hold", 1);
	if (pthread_create(&thread, NULL, do_job, job))
		errx(1, "pthread_create");
	for (tries = 0; !told(verbs) && tries < 500; tries++)
		usleep(10000);
	snprintf(line, sizeof(line), "the driver is told %s", when);
	check_told(verbs, line);
	snprintf(line, sizeof(line), "told %s, the entry is not there", when);
	good(!entry_present(ENTRY), line);
	snprintf(line, sizeof(line), "told %s, DMA is refused", when);
	good(refused(), line);
	put(PARAMETERS "hold", 0);
	pthread_join(thread, NULL);
}

static void test_attach(void)
{
	struct job job = { .pt = first };

	/* Leaves a pattern in the function's buffer. */
	good_rc(attach(first), 0, "attach");
	reaches("attached", x, y);
	good_rc(detach(), 0, "detach");
	forget_pairs();
	held(&job, "map", "before the attach");
	good_rc(job.rc, 0, "attach, which the driver agrees to");
	good(entry_present(ENTRY), "attached, the entry is there");
	reaches("attached again", x, y);
	check_rid("attached");
	job.pt = 0;
	held(&job, "map unmap", "after the detach");
	good_rc(job.rc, 0, "detach, which the driver is told of");
	check_rid("detached");
	forget_pairs();
}

static void test_replace(void)
{
	good_rc(attach(first), 0, "attach what is to be replaced");
	good_rc(attach(second), 0, "replace");
	reaches("replaced", y, x);
	check_rid("replaced");
	good_rc(attach(0), -ENOENT, "replace by what is not there");
	reaches("after a failed replace", y, x);
	check_told("map", "of a replace, the driver is told nothing");
	good_rc(detach(), 0, "detach what has replaced it");
	good(!entry_present(ENTRY) && refused(), "detached, DMA is refused");
	forget_pairs();
}

static void test_refusal(__u32 policy, __u32 in_use)
{
	put(PARAMETERS "refuse", REFUSAL);
	good_rc(attach(first), -REFUSAL, "what the driver says is what an attach says");
	put(PARAMETERS "refuse", 0);
	check_told("refuse", "a driver that has refused is told no more");
	good(!entry_present(ENTRY), "refused by the driver, the entry is not there");
	good(refused(), "refused by the driver, DMA is refused");
	info(policy, in_use, 0, "tells of nothing attached");
	good_rc(destroy(rig.iommu, first), 0, "refused by the driver, the IOAS is not in use");
	munmap(x, PAGE);
	x = xmmap(PAGE, ANON, -1);
	first = rig_ioas(&rig, x, BASE);
	good_rc(attach(first), 0, "attach after the refusal");
	reaches("after the refusal", x, y);
	good_rc(detach(), 0, "detach after the refusal");
	check_told("refuse map unmap", "after the refusal the driver is told again");
	forget_pairs();
}

static void new_pages(void)
{
	x = xmmap(PAGE, ANON, -1);
	y = xmmap(PAGE, ANON, -1);
	first = rig_ioas(&rig, x, BASE);
	second = rig_ioas(&rig, y, BASE);
	remember_rid();
	forget_pairs();
}

/* Ends it with the PASID attached. */
static void test_close(void)
{
	good_rc(attach(second), 0, "attach before the close");
	rig_close(&rig);
	check_told("map unmap", "the driver is told by the close");
	good(!entry_present(ENTRY), "closed, the entry is not there");
	memset(y, 0, PAGE);
	rogue_write(bdf, BASE);
	good(untouched(y), "closed, DMA is refused");
	good(!charged(), "closed, the cgroup is charged nothing");
	good(!pins_gone(), "closed, nothing stays pinned");
	munmap(x, PAGE);
	munmap(y, PAGE);
}

/* As rig_open(), of a device that has no configuration space and is attached to nothing yet. */
static void open_slice(const char *path)
{
	int rc;

	rig.iommu = open_iommu();
	rig.dev = open_cdev(path);
	rc = dev_bind(rig.dev, rig.iommu, &rig.devid);
	if (rc)
		errx(1, "bind of %s: %s", path, strerror(-rc));
	rig.stage = xmmap(PAGE, ANON, -1);
	rig.bar = map_bar(rig.dev);
}

static void test_second_slice(const char *path)
{
	int iommu = open_iommu(), dev = open_cdev(path);

	good_rc(dev_bind(dev, rig.iommu, NULL), -ENOSPC, "no number for another slice");
	good_rc(dev_bind(dev, iommu, NULL), -ENOSPC, "nor in another context");
	good(charged() == 1, "the refused bind costs nothing");
	close(dev);
	close(iommu);
}

/* Numbers that the slice was not given, its own in hardware among them: nothing is done by them. */
static void test_numbers(void)
{
	const struct {
		__u32 pasid;
		int attach, detach, free;
	} numbers[] = {
		{ 0, -EDOM, -EDOM, -EDOM },
		{ ENTRY, -ENXIO, 0, -ENXIO },
		{ ENTRY + 1, -ENXIO, 0, -ENXIO },
		{ 0xfffff, -ENXIO, 0, -ENXIO },
		{ 1U << 20, -ERANGE, 0, -ERANGE },
		{ 1U << 31 | ENTRY, -ERANGE, 0, -ERANGE },
		{ ~0U, -ERANGE, 0, -ERANGE },
	};
	size_t i;

	good_rc(attach(first), 0, "attach before wrong numbers");
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		__u32 pasid = numbers[i].pasid, pt = second;
		char line[64];

		snprintf(line, sizeof(line), "attach at %#x", pasid);
		good_rc(dev_attach_pasid(rig.dev, pasid, &pt), numbers[i].attach, line);
		snprintf(line, sizeof(line), "detach at %#x", pasid);
		good_rc(dev_detach_pasid(rig.dev, pasid), numbers[i].detach, line);
		snprintf(line, sizeof(line), "free %#x", pasid);
		good_rc(pasid_free(rig.iommu, rig.devid, pasid), numbers[i].free, line);
	}
	reaches("after wrong numbers", x, y);
	good_rc(detach(), 0, "detach after wrong numbers");
	forget_pairs();
}

static void test_slice(const char *path, const char *other)
{
	__u32 pasid = 7;

	name = 0;
	open_slice(path);
	new_pages();
	info(IOMMU_PASID_POLICY_GLOBAL, 0, 0, "says global");
	good(charged() == 1, "the cgroup is charged one number");
	check_told("", "of a bind, the driver is told nothing");
	good_rc(pasid_alloc(rig.iommu, 0, rig.devid, &pasid), -ENOSPC, "no further PASID");
	pasid = 7;
	good_rc(pasid_alloc(rig.iommu, IOMMU_PASID_ALLOC_TAGGED, rig.devid, &pasid), -ENOSPC,
		"no further PASID with a tag");
	good_rc(dev_attach_pasid(rig.dev, ENTRY, &first), -ENXIO,
		"its own number is no PASID of it");
	good(!entry_present(ENTRY), "bound, the entry is not there");
	go_through(ENTRY);
	test_attach();
	test_replace();
	test_numbers();
	test_refusal(IOMMU_PASID_POLICY_GLOBAL, 0);
	test_second_slice(other);
	test_close();
}

/* The parent's own requests, which are the kernel's, do not go where the slice's do. */
static void test_parent(const char *path)
{
	open_slice(path);
	new_pages();
	good_rc(attach(first), 0, "attach");
	rig_load(&rig, COUNT, 1);
	go_through(0);
	good(refused(), "through the RID, DMA is refused");
	go_through(ENTRY);
	reaches("through the slice's PASID again", x, y);
	good_rc(detach(), 0, "detach");
	forget_pairs();
	test_close();
}

static void test_variant(void)
{
	name = ENTRY;
	rig_open(&rig, bdf);
	go_through(ENTRY);
	new_pages();
	info(IOMMU_PASID_POLICY_PER_RID, 0, 0, "says per-RID");
	test_attach();
	test_replace();
	test_refusal(IOMMU_PASID_POLICY_PER_RID, 0);
	good(!charged(), "numbers of its own cost nothing");
	test_close();
}

static void test_global(void)
{
	name = 7;
	put(PARAMETERS "global", 1);
	rig_open(&rig, bdf);
	put(PARAMETERS "global", 0);
	go_through(ENTRY);
	new_pages();
	info(IOMMU_PASID_POLICY_GLOBAL, 0, 0, "says global");
	good_rc(attach(first), -ENXIO, "attach at what was not allocated");
	good_rc(dev_attach_pasid(rig.dev, ENTRY, &first), -ENXIO, "attach at what would be there");
	good_rc(pasid_alloc(rig.iommu, IOMMU_PASID_ALLOC_TAGGED, rig.devid, &name), 0,
		"allocate a tag that is no number of the hardware");
	good(charged() == 1, "the cgroup is charged one number");
	check_told("", "of an allocation, the driver is told nothing");
	test_attach();
	test_replace();
	test_refusal(IOMMU_PASID_POLICY_GLOBAL, 1);
	good_rc(attach(first), 0, "attach");
	info(IOMMU_PASID_POLICY_GLOBAL, 1, 1, "tells of the tag");
	good_rc(dev_attach_pasid(rig.dev, ENTRY, &second), -ENXIO,
		"the number in hardware is no name");
	good_rc(pasid_free(rig.iommu, rig.devid, name), -EBUSY, "free while attached");
	reaches("after the refused free", x, y);
	good_rc(detach(), 0, "detach");
	forget_pairs();
	test_close();
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 4)
		errx(2, "usage: pasid-driver BDF [SLICE SLICE], each a file of /dev/vfio/devices");
	bdf = argv[1];
	if (argc == 4) {
		what = "slice";
		test_slice(argv[2], argv[3]);
		what = "the other slice";
		test_parent(argv[3]);
	} else {
		what = "variant";
		test_variant();
		what = "variant, global";
		test_global();
	}
	go_through(0);
	return check_done();
}
