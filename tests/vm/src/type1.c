// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that knows VFIO's type1 container and nothing else, in the order in which DPDK and SPDK
 * call it: memory first, then the device. Whoever serves the container, it prints the same lines.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "nth.h"
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define DMA_RW	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define SMALL	512
#define SMALL_AT	0x10000000ULL
#define BASE	0x40000000ULL
#define LARGE	(8 * PAGE)
#define MSI	0xfee00000ULL

static int container;
static unsigned int version;

static int dma_map(const void *va, __u64 length, __u64 iova, __u32 flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags,
		.vaddr = (unsigned long)va, .iova = iova, .size = length,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int dma_unmap(__u64 length, __u64 iova, __u32 flags, __u64 *size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = flags, .iova = iova, .size = length,
	};
	int rc = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;

	*size = rc ? 0 : unmap.size;
	return rc;
}

static void unmaps(__u64 length, __u64 iova, __u32 flags, __u64 want, const char *name)
{
	__u64 size;
	int rc = dma_unmap(length, iova, flags, &size);

	check(!rc && size == want, name, "%d, %#llx bytes", rc, size);
}

/* A line of status, in kB: what of this process's memory is charged to it. */
static long status_kb(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128], key[32];
	long kb = -1;

	snprintf(key, sizeof(key), "%s: %%ld", field);
	while (f && kb < 0 && fgets(line, sizeof(line), f))
		sscanf(line, key, &kb);
	if (f)
		fclose(f);
	return kb;
}

static int join(const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char device[300];
	int group;

	snprintf(device, sizeof(device), "/sys/bus/pci/devices/%s", bdf);
	group = open_group(device);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		err(1, "VFIO_GROUP_GET_STATUS");
	check(status.flags == VFIO_GROUP_FLAGS_VIABLE, "the group is viable", "%#x", status.flags);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		err(1, "VFIO_GROUP_SET_CONTAINER");
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		err(1, "VFIO_GROUP_GET_STATUS");
	check(status.flags == (VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET),
	      "the group has a container", "%#x", status.flags);
	check_rc(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ? -errno : 0, -EINVAL,
		 "and cannot have another");
	return group;
}

static void take(struct rig *rig, int group, const char *bdf)
{
	rig->dev = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (rig->dev < 0)
		err(1, "VFIO_GROUP_GET_DEVICE_FD");
	rig->bar = map_bar(rig->dev);
	bus_master(rig->dev);
}

static void give(struct rig *rig, int group)
{
	munmap(rig->bar, PAGE);
	close(rig->dev);
	close(group);
}

static const void *capability(const struct vfio_iommu_type1_info *info, unsigned int id)
{
	__u32 at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

	while (at) {
		const struct vfio_info_cap_header *header = (const void *)info + at;

		if (header->id == id)
			return header;
		at = header->next;
	}
	return NULL;
}

/* As QEMU asks: once for the size, once for the contents. */
static struct vfio_iommu_type1_info *get_info(void)
{
	struct vfio_iommu_type1_info *info;
	__u32 size = sizeof(*info);

	for (;;) {
		info = calloc(1, size);
		info->argsz = size;
		if (ioctl(container, VFIO_IOMMU_GET_INFO, info))
			err(1, "VFIO_IOMMU_GET_INFO");
		if (info->argsz <= size)
			return info;
		size = info->argsz;
		free(info);
	}
}

/* The function is open: what is told is what its IOMMU can do. */
static void info(void)
{
	struct vfio_iommu_type1_info *info = get_info();
	const struct vfio_iommu_type1_info_cap_iova_range *ranges =
		capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	const struct vfio_iommu_type1_info_dma_avail *avail =
		capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	const struct vfio_iommu_type1_info_cap_migration *migration =
		capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	char name[256];
	int n;
	__u32 i;

	snprintf(name, sizeof(name), "page sizes %#llx", info->iova_pgsizes);
	check(info->flags & VFIO_IOMMU_INFO_PGSIZES && info->iova_pgsizes & PAGE, name, "no pages");
	n = snprintf(name, sizeof(name), "IOVAs");
	for (i = 0; ranges && i < ranges->nr_iovas && i < 4; i++)
		n += snprintf(name + n, sizeof(name) - n, " %#llx-%#llx",
			      ranges->iova_ranges[i].start, ranges->iova_ranges[i].end);
	check(ranges, name, "no capability");
	check(avail && avail->avail >= SMALL, "mappings to come", "%u", avail ? avail->avail : 0);
	check(migration && migration->pgsize_bitmap == PAGE, "dirty pages by the page", "no");
	free(info);
}

static void refused(const __u8 *va)
{
	check_rc(dma_map(va, PAGE, SMALL_AT, DMA_RW), -EEXIST, "map twice");
	check_rc(dma_map(va, PAGE, MSI, DMA_RW), -EINVAL, "map at the window of interrupts");
	check_rc(dma_map(va + 1, PAGE, BASE, DMA_RW), -EINVAL, "map what is not aligned");
	check_rc(dma_map(va, PAGE / 2, BASE, DMA_RW), -EINVAL, "map half a page");
	check_rc(dma_map(va, 0, BASE, DMA_RW), -EINVAL, "map nothing");
	check_rc(dma_map(va, PAGE, BASE, 0), -EINVAL, "map without permissions");
	check_rc(dma_map(va, PAGE, BASE, DMA_RW | 64), -EINVAL, "map with an unknown flag");
	check_rc(dma_map((void *)PAGE, PAGE, BASE, DMA_RW), -EFAULT, "map no memory");
	check_rc(ioctl(container, VFIO_IOMMU_ENABLE) ? -errno : 0, -ENOTTY, "enable");
	check_rc(ioctl(container, VFIO_IOMMU_DISABLE) ? -errno : 0, -ENOTTY, "disable");
}

/* Mapped in single pages before the device was there, from last to first. */
static __u8 *map_small(void)
{
	__u8 *va = xmmap(SMALL * PAGE, ANON, -1);
	int i, rc = 0;

	for (i = SMALL - 1; i >= 0 && !rc; i--)
		rc = dma_map(va + i * PAGE, PAGE, SMALL_AT + i * PAGE, DMA_RW);
	check_rc(rc, 0, "map many pages");
	return va;
}

static void both_ways(struct rig *rig, __u8 *va, __u64 iova, const char *name)
{
	static unsigned int seed;
	char line[128];

	seed++;
	rig_write(rig, iova + 100, PAGE, seed);
	snprintf(line, sizeof(line), "%s: write", name);
	check(filled(va + 100, PAGE, seed), line, "it did not arrive");
	fill(va + 200, PAGE, seed + 100);
	snprintf(line, sizeof(line), "%s: read", name);
	check(rig_reads(rig, iova + 200, PAGE, seed + 100), line, "it did not arrive");
}

static void small_pages(struct rig *rig, __u8 *va)
{
	both_ways(rig, va, SMALL_AT, "the first of many pages");
	both_ways(rig, va + (SMALL - 2) * PAGE, SMALL_AT + (SMALL - 2) * PAGE, "the last");
	unmaps(PAGE, SMALL_AT + PAGE, 0, PAGE, "unmap one of them");
	memset(va + PAGE, 0, PAGE);
	rig_write(rig, SMALL_AT + PAGE, 512, 9);
	check(untouched(va + PAGE), "it is refused then", "a write arrived");
	unmaps(SMALL * PAGE, SMALL_AT, 0, (SMALL - 1) * PAGE, "unmap the others at once");
	memset(va, 0, PAGE);
	rig_write(rig, SMALL_AT, 512, 9);
	check(untouched(va), "they are refused", "a write arrived");
	unmaps(SMALL * PAGE, SMALL_AT, 0, 0, "unmap what is not mapped");
	munmap(va, SMALL * PAGE);
}

/*
 * Both versions agree on whole mappings. Of a part, the second refuses to unmap it, and the first
 * unmaps that or more, and says how much.
 */
static void large(struct rig *rig)
{
	__u8 *va = xmmap(2 * HUGE_PAGE, ANON | MAP_HUGETLB, -1);
	__u64 one, two;

	check_rc(dma_map(va, 2 * HUGE_PAGE, BASE, DMA_RW), 0, "map huge pages");
	both_ways(rig, va + HUGE_PAGE - 2048, BASE + HUGE_PAGE - 2048, "across huge pages");
	if (version == VFIO_TYPE1v2_IOMMU) {
		check(dma_unmap(PAGE, BASE + PAGE, 0, &one) < 0, "unmap a part", "it was unmapped");
		both_ways(rig, va + PAGE, BASE + PAGE, "all is there still");
	} else {
		int rc = dma_unmap(HUGE_PAGE, BASE, 0, &one);

		check(!rc && one, "unmap a part", "%d, %#llx bytes", rc, one);
		memset(va, 0, PAGE);
		rig_write(rig, BASE, 512, 9);
		check(untouched(va), "it is refused then", "a write arrived");
		rc = dma_unmap(2 * HUGE_PAGE, BASE, 0, &two);
		check(!rc && one + two == 2 * HUGE_PAGE, "unmap the rest", "%#llx and %#llx", one,
		      two);
		check_rc(dma_map(va, 2 * HUGE_PAGE, BASE, DMA_RW), 0, "map them again");
	}
	unmaps(2 * HUGE_PAGE, BASE, 0, 2 * HUGE_PAGE, "unmap all of it");
	munmap(va, 2 * HUGE_PAGE);
}

static void permissions(struct rig *rig)
{
	__u8 *va = xmmap(PAGE, ANON, -1);

	check_rc(dma_map(va, PAGE, BASE, VFIO_DMA_MAP_FLAG_READ), 0, "map to be read");
	fill(va, 512, 1);
	check(rig_reads(rig, BASE, 512, 1), "it is read", "it did not arrive");
	rig_write(rig, BASE, 512, 2);
	check(filled(va, 512, 1), "and not written", "it was");
	unmaps(PAGE, BASE, 0, PAGE, "unmap it");
	munmap(va, PAGE);
}

static int dirty(__u32 flags, __u64 pgsize, __u64 bytes, void *bits)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} arg = {
		.head = { .argsz = sizeof(arg), .flags = flags },
		.get = { .iova = BASE, .size = 2 * LARGE,
			 .bitmap = { .pgsize = pgsize, .size = bytes, .data = bits } },
	};

	return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &arg) ? -errno : 0;
}

static int unmap_dirty(__u64 *bits)
{
	struct {
		struct vfio_iommu_type1_dma_unmap head;
		struct vfio_bitmap bitmap;
	} arg = {
		.head = { .argsz = sizeof(arg), .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			  .iova = BASE, .size = LARGE },
		.bitmap = { .pgsize = PAGE, .size = sizeof(*bits), .data = bits },
	};
	int rc = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg) ? -errno : 0;

	return rc ? rc : arg.head.size == LARGE ? 0 : -EIO;
}

static void limit(rlim_t bytes)
{
	struct rlimit arg = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &arg))
		err(1, "RLIMIT_MEMLOCK");
}

static __u64 reported;

static int start(void)
{
	return dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START, 0, 0, NULL);
}

static int stop(void)
{
	return dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP, 0, 0, NULL);
}

static int report(void)
{
	reported = 0;
	return dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP, PAGE, 8, &reported);
}

static int unmap_and_report(void)
{
	reported = 0;
	return unmap_dirty(&reported);
}

static __u8 *mapped;

static int map_it(void)
{
	return dma_map(mapped, LARGE, BASE, DMA_RW);
}

static bool is_stopped(void)
{
	return report() == -EINVAL;
}

static bool is_mapped(void)
{
	return !report() && reported == 0xff;
}

static bool can_fail;

/*
 * A call with its 1st, 2nd, 3rd ... allocation failing, until there is none left. It is done, and
 * is undone to be done again, or says ENOMEM and has changed nothing. Where none can be made to
 * fail, once.
 */
static void without_memory(const char *name, int (*call)(void), bool (*intact)(void),
			   int (*undo)(void))
{
	bool failed, well = true;
	unsigned int n = 0;
	char line[80];
	int rc;

	if (!can_fail) {
		check_rc(call(), 0, name);
		return;
	}
	do {
		nth_arm(++n);
		rc = call();
		failed = nth_fired();
		if (rc)
			well = rc == -ENOMEM && failed && intact();
		else if (failed)
			well = !undo();
	} while (failed && well && n < NTH_MAX);
	snprintf(line, sizeof(line), "%s, without memory", name);
	check(well && !failed, line, "allocation %u: %d", n, rc);
	/* Not an answer: who serves the container has as many as it likes. */
	fprintf(stderr, "# %s: %u allocations\n", name, n - 1);
}

/* No function says which pages it wrote to: all that are mapped count, and none that are not. */
static void dirty_pages(void)
{
	const __u32 get = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	__u8 *va = xmmap(LARGE, ANON, -1);
	__u64 bits = 0;

	if (version == VFIO_TYPE1_IOMMU) {
		check_rc(start(), -EACCES, "dirty pages");
		return;
	}
	mapped = va;
	can_fail = nth_init();
	check_rc(dirty(get, PAGE, 8, &bits), -EINVAL, "dirty pages before the start");
	check_rc(unmap_dirty(&bits), -EINVAL, "unmap, with dirty pages, before the start");
	check_rc(dirty(3, 0, 0, NULL), -EINVAL, "start and stop");
	without_memory("start", start, is_stopped, stop);
	check_rc(map_it(), 0, "map");
	check_rc(dirty(get, 2 * PAGE, 8, &bits), -EINVAL, "pages of another size");
	check_rc(dirty(get, PAGE, 1, &bits), -EINVAL, "a bitmap that is too small");
	check_rc(dirty(get, PAGE, 8, &bits), 0, "dirty pages");
	check(bits == 0xff, "all that is mapped is dirty", "%#llx", bits);
	check_rc(dma_map(va, 2 * PAGE, BASE + 2 * LARGE - PAGE, DMA_RW), 0, "map across its end");
	check_rc(dirty(get, PAGE, 8, &bits), -EINVAL, "a range that ends in a mapping");
	unmaps(2 * PAGE, BASE + 2 * LARGE - PAGE, 0, 2 * PAGE, "unmap it");
	without_memory("dirty pages", report, is_mapped, report);
	without_memory("unmap, with dirty pages", unmap_and_report, is_mapped, map_it);
	check(reported == 0xff, "all that was mapped was dirty", "%#llx", reported);
	bits = 0;
	check_rc(dirty(get, PAGE, 8, &bits), 0, "dirty pages");
	check(!bits, "nothing is dirty", "%#llx", bits);
	check_rc(stop(), 0, "stop");
	check_rc(dirty(get, PAGE, 8, &bits), -EINVAL, "dirty pages after the end");
	munmap(va, LARGE);
}

/* Another group joins, and sees what is there; the container's own descriptor goes. */
static void second_group(struct rig *rig, int group, const char *bdf)
{
	struct rig second = { .stage = rig->stage };
	__u8 *va = xmmap(LARGE, ANON, -1);
	int other;

	check_rc(dma_map(va, LARGE, BASE, DMA_RW), 0, "map for two groups");
	other = join(bdf);
	take(&second, other, bdf);
	both_ways(&second, va, BASE, "the second function");
	both_ways(rig, va + PAGE, BASE + PAGE, "the first function");
	unmaps(LARGE, BASE, 0, LARGE, "unmap for both");
	memset(va, 0, PAGE);
	rig_write(&second, BASE, 512, 9);
	check(untouched(va), "the second is refused", "a write arrived");
	check_rc(dma_map(va, LARGE, BASE, DMA_RW), 0, "map once more");
	give(&second, other);
	close(container);
	both_ways(rig, va, BASE, "the container is closed");
	give(rig, group);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	munmap(va, LARGE);
}

/* Whose code it is: only /dev/iommu knows this call. */
static int who(const char *path)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };

	puts(ioctl(xopen(path, O_RDWR), IOMMU_IOAS_ALLOC, &arg) ? "vfio" : "iommufd");
	return 0;
}

int main(int argc, char **argv)
{
	const char *charge = "VmLck";
	struct rig rig = {};
	__u8 *small;
	long before;
	int group;

	if (argc == 2)
		return who(argv[1]);
	if (argc != 5)
		errx(2, "usage: type1 CONTAINER [v1|v2 BDF BDF]");
	version = strcmp(argv[2], "v1") ? VFIO_TYPE1v2_IOMMU : VFIO_TYPE1_IOMMU;
	/* There the user pays, and this shows of it in the process. */
	if (!strcmp(argv[1], "/dev/iommu"))
		charge = "VmPin";
	/* Who has this does not pay. */
	set_capability(CAP_IPC_LOCK, false);
	limit(RLIM_INFINITY);
	container = xopen(argv[1], O_RDWR);
	check(ioctl(container, VFIO_GET_API_VERSION) == VFIO_API_VERSION, "API version", "no");
	check(ioctl(container, VFIO_CHECK_EXTENSION, version) == 1, "type1", "no");
	check(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL) == 1, "unmap all", "no");
	check(ioctl(container, VFIO_SET_IOMMU, version) < 0, "no group, no IOMMU", "yes");
	group = join(argv[3]);
	if (ioctl(container, VFIO_SET_IOMMU, version))
		err(1, "VFIO_SET_IOMMU");
	before = status_kb(charge);
	small = map_small();
	rig.stage = xmmap(PAGE, ANON, -1);
	check_rc(dma_map(rig.stage, PAGE, STAGE_IOVA, DMA_RW), 0, "map the staging page");
	take(&rig, group, argv[3]);
	check(status_kb(charge) - before == (SMALL + 1) * (long)PAGE / 1024, "it is charged",
	      "%ld kB", status_kb(charge) - before);
	check(true, ioctl(container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU) == 1 ?
	      "no-snoop is overruled" : "no-snoop is not overruled", "-");
	info();
	refused(small);
	limit(2 * PAGE);
	check_rc(dma_map(small, LARGE, BASE, DMA_RW), -ENOMEM, "map beyond the limit");
	limit(RLIM_INFINITY);
	small_pages(&rig, small);
	large(&rig);
	permissions(&rig);
	dirty_pages();
	unmaps(0, 0, VFIO_DMA_UNMAP_FLAG_ALL, PAGE, "unmap all");
	check(status_kb(charge) == before, "nothing is charged", "%ld kB", status_kb(charge));
	check_rc(dma_map(rig.stage, PAGE, STAGE_IOVA, DMA_RW), 0, "map the staging page");
	second_group(&rig, group, argv[4]);
	return check_done();
}
