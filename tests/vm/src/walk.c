// SPDX-License-Identifier: GPL-2.0
/*
 * Does a walker say what the hardware does? The function's DMA arrives in the page that the
 * walker names, and what is refused is reported under the number that the walker names, or under
 * another one that is known of QEMU. Through the RID and, with the module pasid_shim, PASID 1.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "ask.h"
#include "rig.h"
#include "shim.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL
#define READ_ONLY	(BASE + 2 * PAGE)
#define HOLE	(BASE + PAGE)
#define FAR	(BASE + 0x8000000000ULL)	/* another entry of the fourth level */
#define HUGE	0x40000000ULL
#define COUNT	512

/* What a refused access is called by the specification, which the walker has, and by QEMU. */
struct refused {
	unsigned int spec;
	unsigned int qemu;
};

/*
 * QEMU reports a second stage's faults in scalable mode under legacy mode's numbers, and checks the
 * type of a PASID table entry before it looks whether it is present.
 */
struct mode {
	const char *name;
	struct refused no_page_write;
	struct refused no_page_read;
	struct refused no_permission;
	struct refused no_entry;
	__u64 beyond;			/* an address that there cannot be */
	unsigned int beyond_fault;
	bool silent;			/* the emulator's reports of faults are no good */
};

static const struct mode modes[] = {
	{ "fl", { 0x71, 0x71 }, { 0x71, 0x71 }, { 0x85, 0x85 }, { 0x59, 0x5b }, 1ULL << 47, 0x80,
	  false },
	{ "sl", { 0x79, 0x05 }, { 0x79, 0x06 }, { 0x85, 0x05 }, { 0x59, 0x5b }, 1ULL << 48, 0x83,
	  false },
	{ "legacy", { 0x05, 0x05 }, { 0x06, 0x06 }, { 0x05, 0x05 }, { 0x02, 0x02 }, 1ULL << 48,
	  0x04, false },
	{ "amd", { 0x02, 0x02 }, { 0x02, 0x02 }, { 0x02, 0x02 }, { 0x02, 0x02 }, 1ULL << 48, 0x02,
	  true },
};

static const struct mode *mode;
static struct rig rig;
static const char *bdf;
static __u8 *x, *y, *huge;

static __u64 physical(const void *va)
{
	return pfn(va) * PAGE + (unsigned long)va % PAGE;
}

/* The walker says that a request gets there; iommuctl says the same. */
static void leads_to(const char *name, unsigned int pasid, __u64 iova, const void *va, __u64 size)
{
	struct said said = ask(bdf, pasid, iova, 'w');
	char line[160];

	snprintf(line, sizeof(line), "%s: the walker leads to the page", name);
	check(!strcmp(said.result, "translated") && said.output == physical(va), line,
	      "%s, %#llx, it is at %#llx", said.result, said.output, physical(va));
	snprintf(line, sizeof(line), "%s: the walker says how large it is, and its rights", name);
	check(said.size == size && !strncmp(said.rights, "rw", 2), line, "%#llx, %s", said.size,
	      said.rights);
	snprintf(line, sizeof(line), "%s: iommuctl says the same", name);
	check(iommuctl_says(bdf, pasid, iova, 'w', &said), line, "it does not");
}

static void is_refused(const char *name, unsigned int pasid, __u64 iova, char access,
		       unsigned int fault)
{
	struct said said = ask(bdf, pasid, iova, access);
	char line[160];

	snprintf(line, sizeof(line), "%s: the walker names the fault %#x", name, fault);
	check(!strcmp(said.result, "fault") && said.fault == fault, line, "%s, %#x", said.result,
	      said.fault);
	snprintf(line, sizeof(line), "%s: iommuctl says the same", name);
	check(iommuctl_says(bdf, pasid, iova, access, &said), line, "it does not");
}

/* DMA there is refused, as the walker says it is. */
static void refuses(const char *name, unsigned int pasid, __u64 iova, char access,
		    struct refused fault)
{
	char line[160], text[64], seen[1024];
	static __u8 before[PAGE];

	is_refused(name, pasid, iova, access, fault.spec);
	memcpy(before, x, PAGE);
	fault_log_ready();
	if (access == 'w')
		edu_start(rig.bar, EDU_BUFFER, iova, COUNT, true);
	else
		edu_start(rig.bar, iova, EDU_BUFFER, COUNT, false);
	edu_wait(rig.bar);
	if (mode->silent && access == 'w') {
		snprintf(line, sizeof(line), "%s: it does not arrive", name);
		check(!memcmp(before, x, PAGE), line, "it does");
	}
	if (mode->silent)
		return;
	snprintf(text, sizeof(text), "[fault reason 0x%02x]", fault.qemu);
	snprintf(line, sizeof(line), "%s: the console says %#x", name, fault.qemu);
	check(fault_seen(text, seen, sizeof(seen)), line, "it does not");
}

static void write_arrives(const char *name, __u64 iova, const __u8 *page)
{
	static unsigned int seed;
	char line[160];

	rig_write(&rig, iova, COUNT, ++seed);
	snprintf(line, sizeof(line), "%s: a write arrives", name);
	check(filled(page, COUNT, seed), line, "it does not");
}

/* An IOAS with a page, one that is only read, and a huge page; @page is what it has at BASE. */
static void fill_ioas(__u32 ioas, const void *page)
{
	if (ioas_map(rig.iommu, ioas, page, PAGE, READ_ONLY, IOMMU_IOAS_MAP_READABLE) ||
	    ioas_map(rig.iommu, ioas, huge, HUGE_PAGE, HUGE, RW))
		errx(1, "map");
}

static void test_requests(const char *who, unsigned int pasid, const __u8 *page)
{
	struct said said;
	char line[160];

	snprintf(line, sizeof(line), "%s, a page", who);
	write_arrives(line, BASE, page);
	leads_to(line, pasid, BASE, page, PAGE);
	snprintf(line, sizeof(line), "%s, within the page", who);
	leads_to(line, pasid, BASE + 0x123, page + 0x123, PAGE);
	snprintf(line, sizeof(line), "%s, a huge page", who);
	write_arrives(line, HUGE + 0x5000, huge + 0x5000);
	leads_to(line, pasid, HUGE + 0x5000, huge + 0x5000, HUGE_PAGE);
	said = ask(bdf, pasid, READ_ONLY, 'r');
	snprintf(line, sizeof(line), "%s, a page to read: the walker lets it be read", who);
	check(!strcmp(said.result, "translated") && said.output == physical(page) &&
	      !strncmp(said.rights, "r-", 2), line, "%s, %s", said.result, said.rights);
	snprintf(line, sizeof(line), "%s, a write to a page to read", who);
	refuses(line, pasid, READ_ONLY, 'w', mode->no_permission);
	snprintf(line, sizeof(line), "%s, a write where nothing is", who);
	refuses(line, pasid, HOLE, 'w', mode->no_page_write);
	snprintf(line, sizeof(line), "%s, a read far from anything", who);
	refuses(line, pasid, FAR, 'r', mode->no_page_read);
	snprintf(line, sizeof(line), "%s, an address that cannot be", who);
	is_refused(line, pasid, mode->beyond, 'w', mode->beyond_fault);
}

static void test_pasid(void)
{
	__u32 other = rig_ioas(&rig, y, BASE), pt = other;
	struct said said;

	fill_ioas(other, y);
	is_refused("PASID 1, not attached", 1, BASE, 'w', mode->no_entry.spec);
	check_rc(dev_attach_pasid(rig.dev, 1, &pt), 0, "attach at PASID 1");
	said = ask(bdf, 1, 0, 0);
	check(!strcmp(said.result, "none"), "PASID 1, without an address: its entry is found",
	      "%s", said.result);
	leads_to("the RID beside PASID 1", NO_PASID, BASE, x, PAGE);
	go_through(1);
	test_requests("PASID 1", 1, y);
	check_rc(ioas_unmap(rig.iommu, other, BASE, PAGE), 0, "unmap");
	refuses("PASID 1, unmapped", 1, BASE, 'w', mode->no_page_write);
	check_rc(dev_detach_pasid(rig.dev, 1), 0, "detach of PASID 1");
	refuses("PASID 1, detached", 1, BASE, 'w', mode->no_entry);
	go_through(0);
	is_refused("PASID 2, which there is not", 2, BASE, 'w', mode->no_entry.spec);
	is_refused("a PASID beyond the directory", 0xfffff, BASE, 'w', 0x46);
	leads_to("the RID after PASID 1", NO_PASID, BASE, x, PAGE);
}

static void test_detach(void)
{
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, PAGE), 0, "unmap");
	refuses("the RID, unmapped", NO_PASID, BASE, 'w', mode->no_page_write);
	check_rc(dev_detach(rig.dev), 0, "detach");
	refuses("the RID, detached", NO_PASID, BASE, 'w', mode->no_entry);
}

static int write_question(const char *text, size_t size)
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/iommu/walk/%s", bdf);
	fd = xopen(path, O_RDWR);
	n = write(fd, text, size);
	close(fd);
	return n < 0 ? -errno : (int)n;
}

static void test_questions(void)
{
	static const struct { const char *text; int rc; } asked[] = {
		{ "", -EINVAL }, { "\n", -EINVAL }, { "x", -EINVAL }, { "1 2 3", -EINVAL },
		{ "1 2 w w", -EINVAL }, { "- 0x", -EINVAL }, { "1 -2", -EINVAL },
		{ "1048576", -ERANGE }, { "1 0x10000000000000000", -ERANGE }, { "-", 1 },
		{ " 1   0x1000\tw\n", 14 }, { "1048575", 7 },
	};
	char text[200], line[80];
	size_t i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		snprintf(line, sizeof(line), "the file's answer to question %zu", i);
		check_rc(write_question(asked[i].text, strlen(asked[i].text)), asked[i].rc, line);
	}
	memset(text, '1', sizeof(text));
	check_rc(write_question(text, sizeof(text)), -EINVAL, "a question without end");
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 3)
		errx(2, "usage: walk BDF fl|sl|legacy|amd");
	bdf = argv[1];
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(modes[i].name, argv[2]))
			mode = &modes[i];
	}
	if (!mode)
		errx(2, "no mode %s", argv[2]);
	rig_open(&rig, bdf);
	x = xmmap(PAGE, ANON, -1);
	y = xmmap(PAGE, ANON, -1);
	huge = xmmap(HUGE_PAGE, ANON | MAP_HUGETLB, -1);
	if (ioas_map(rig.iommu, rig.ioas, x, PAGE, BASE, RW))
		errx(1, "map");
	fill_ioas(rig.ioas, x);
	test_questions();
	test_requests("the RID", NO_PASID, x);
	if (strcmp(mode->name, "legacy") && strcmp(mode->name, "amd"))
		test_pasid();
	test_detach();
	rig_close(&rig);
	return check_done();
}
