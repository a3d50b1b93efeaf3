// SPDX-License-Identifier: GPL-2.0
/* See rig.h. Knows nothing of any one test. */
#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include "rig.h"

static unsigned int checks, failures;

bool check(bool good, const char *name, const char *fmt, ...)
{
	va_list ap;

	checks++;
	printf("%s %s", good ? "ok" : "not ok", name);
	if (!good) {
		failures++;
		printf(": ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	printf("\n");
	fflush(stdout);
	return good;
}

bool check_rc(int rc, int want, const char *name)
{
	return check(rc == want, name, "%s (%d), not %s (%d)", rc ? strerrorname_np(-rc) : "0", rc,
		     want ? strerrorname_np(-want) : "0", want);
}

int check_done(void)
{
	return !checks || failures;
}

int xopen(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

void *xmmap(size_t length, int flags, int fd)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes, flags %#x", length, flags);
	return p;
}

static off_t region(int dev, unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(dev, VFIO_DEVICE_GET_REGION_INFO, &info))
		err(1, "VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

off_t config_region(int dev)
{
	return region(dev, VFIO_PCI_CONFIG_REGION_INDEX);
}

int extended_capability(int fd, off_t config, __u16 id)
{
	int at = PCI_CFG_SPACE_SIZE, steps;
	__u32 header;

	for (steps = 0; at && steps < 256; steps++) {
		if (pread(fd, &header, 4, config + at) != 4 || !header || header == ~0U)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

void bus_master(int dev)
{
	off_t at = config_region(dev) + PCI_COMMAND;
	__u16 value;

	if (pread(dev, &value, 2, at) != 2)
		err(1, "reading the PCI command register");
	value |= PCI_COMMAND_MASTER;
	if (pwrite(dev, &value, 2, at) != 2)
		err(1, "writing the PCI command register");
}

__u64 *map_bar(int dev)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dev,
		       region(dev, VFIO_PCI_BAR0_REGION_INDEX));

	if (p == MAP_FAILED)
		err(1, "mmap of BAR 0");
	return p;
}

void edu_start(__u64 *bar, __u64 src, __u64 dst, __u64 count, bool to_memory)
{
	__atomic_store_n(bar + 0x80 / 8, src, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x88 / 8, dst, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x90 / 8, count, __ATOMIC_SEQ_CST);
	__atomic_store_n(bar + 0x98 / 8, 1 | (to_memory ? 2 : 0), __ATOMIC_SEQ_CST);
}

void edu_wait(__u64 *bar)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (!(__atomic_load_n(bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1))
			return;
		usleep(1000);
	}
	errx(1, "edu's DMA does not end");
}

void rig_open(struct rig *rig, const char *bdf)
{
	__u32 pt;
	int rc;

	rig->iommu = open_iommu();
	rig->dev = open_cdev(bdf);
	rc = dev_bind(rig->dev, rig->iommu, &rig->devid);
	if (rc)
		errx(1, "bind of %s: %s", bdf, strerror(-rc));
	rc = ioas_alloc(rig->iommu, &rig->ioas);
	if (rc)
		errx(1, "IOAS_ALLOC: %s", strerror(-rc));
	pt = rig->ioas;
	rc = dev_attach(rig->dev, &pt);
	if (rc)
		errx(1, "attach of %s: %s", bdf, strerror(-rc));
	rig->stage = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	rc = ioas_map(rig->iommu, rig->ioas, rig->stage, PAGE, STAGE_IOVA, RW);
	if (rc)
		errx(1, "map of the staging page: %s", strerror(-rc));
	rig->bar = map_bar(rig->dev);
	bus_master(rig->dev);
}

void rig_close(struct rig *rig)
{
	munmap(rig->bar, PAGE);
	close(rig->dev);
	close(rig->iommu);
	munmap(rig->stage, PAGE);
}

/* A pattern without zero bytes and without a short period. */
static __u8 pattern(size_t i, unsigned int seed)
{
	return (i * 131 + i / 255 * 17 + seed * 29) % 255 + 1;
}

void fill(void *buf, size_t length, unsigned int seed)
{
	__u8 *p = buf;
	size_t i;

	for (i = 0; i < length; i++)
		p[i] = pattern(i, seed);
}

bool filled(const void *buf, size_t length, unsigned int seed)
{
	const __u8 *p = buf;
	size_t i;

	for (i = 0; i < length; i++)
		if (p[i] != pattern(i, seed))
			return false;
	return true;
}

bool untouched(const void *page)
{
	static const __u8 zeroes[PAGE];

	return !memcmp(page, zeroes, PAGE);
}

__u32 rig_ioas(struct rig *rig, const void *page, __u64 iova)
{
	__u32 ioas;

	if (ioas_alloc(rig->iommu, &ioas) ||
	    ioas_map(rig->iommu, ioas, page, PAGE, iova, RW) ||
	    ioas_map(rig->iommu, ioas, rig->stage, PAGE, STAGE_IOVA, RW))
		errx(1, "another IOAS");
	return ioas;
}

/* Puts a pattern into the function's own buffer. */
void rig_load(struct rig *rig, size_t length, unsigned int seed)
{
	fill(rig->stage, length, seed);
	edu_start(rig->bar, STAGE_IOVA, EDU_BUFFER, length, false);
	edu_wait(rig->bar);
}

/* The function writes a pattern to an IOVA. */
void rig_write(struct rig *rig, __u64 iova, size_t length, unsigned int seed)
{
	rig_load(rig, length, seed);
	edu_start(rig->bar, EDU_BUFFER, iova, length, true);
	edu_wait(rig->bar);
}

/* The function reads from an IOVA; true if what it read is the pattern. */
bool rig_reads(struct rig *rig, __u64 iova, size_t length, unsigned int seed)
{
	memset(rig->stage, 0, PAGE);
	edu_start(rig->bar, iova, EDU_BUFFER, length, false);
	edu_wait(rig->bar);
	edu_start(rig->bar, EDU_BUFFER, STAGE_IOVA, length, true);
	edu_wait(rig->bar);
	return filled(rig->stage, length, seed);
}

void rogue_write(const char *bdf, __u64 iova)
{
	char path[300];
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, old;
	__u64 *bar;
	int fd, config;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	config = xopen(path, O_RDWR);
	if (pread(config, &old, 2, PCI_COMMAND) != 2 ||
	    pwrite(config, &command, 2, PCI_COMMAND) != 2)
		err(1, "%s", path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = xopen(path, O_RDWR);
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		err(1, "%s", path);
	edu_start(bar, EDU_BUFFER, iova, 512, true);
	edu_wait(bar);
	munmap(bar, PAGE);
	close(fd);
	if (pwrite(config, &old, 2, PCI_COMMAND) != 2)
		err(1, "restoring the command register");
	close(config);
}

void set_capability(int cap, bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		err(1, "capget");
	if (on)
		data[CAP_TO_INDEX(cap)].effective |= CAP_TO_MASK(cap);
	else
		data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	if (syscall(SYS_capset, &head, data))
		err(1, "capset");
}

static long counter(const char *name)
{
	FILE *f = fopen("/proc/vmstat", "r");
	char key[64];
	long value;

	if (!f)
		err(1, "/proc/vmstat");
	while (fscanf(f, "%63s %ld", key, &value) == 2) {
		if (strcmp(key, name))
			continue;
		fclose(f);
		return value;
	}
	errx(1, "/proc/vmstat has no %s", name);
}

/* The counters are kept per CPU, and summed up now and then: reading this file does it now. */
static void fold_counters(void)
{
	char c;
	int fd = xopen("/proc/sys/vm/stat_refresh", O_RDONLY);

	if (read(fd, &c, 1) < 0)
		err(1, "stat_refresh");
	close(fd);
}

long pins(void)
{
	fold_counters();
	return counter("nr_foll_pin_acquired") - counter("nr_foll_pin_released");
}

/* Files are released, and memory is let go, a little after the call: give them time. */
long pins_gone(void)
{
	long n = 0;
	int tries;

	for (tries = 0; tries < 50; tries++) {
		n = pins();
		if (!n)
			break;
		usleep(100000);
	}
	return n;
}

__u64 pfn(const void *va)
{
	int fd = xopen("/proc/self/pagemap", O_RDONLY);
	__u64 entry;

	if (pread(fd, &entry, 8, (unsigned long)va / PAGE * 8) != 8)
		err(1, "pagemap");
	close(fd);
	return entry & ((1ULL << 55) - 1);
}
