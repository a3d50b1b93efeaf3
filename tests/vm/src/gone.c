// SPDX-License-Identifier: GPL-2.0
/* Memory that goes away, or is shared by fork, while it is mapped for DMA. */
#include <err.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "rig.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE	0x4000000ULL

static struct rig rig;

static void *mapped(size_t length, int flags, int fd)
{
	void *va = xmmap(length, flags, fd);

	memset(va, 1, length);
	if (ioas_map(rig.iommu, rig.ioas, va, length, BASE, RW))
		errx(1, "map");
	return va;
}

/* The function must still reach the pages that were mapped, and no others. */
static void still_consistent(const char *name)
{
	rig_write(&rig, BASE + PAGE, 512, 7);
	check(rig_reads(&rig, BASE + PAGE, 512, 7), name, "what was written cannot be read back");
}

static void unmapped(void)
{
	__u8 *va = mapped(4 * PAGE, ANON, -1), *again;

	munmap(va, 4 * PAGE);
	again = mmap(va, 4 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	memset(again, 0, 4 * PAGE);
	still_consistent("munmap: the pinned pages serve the function");
	check(!again[PAGE], "munmap: new memory at the address is untouched", "it was written");
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, 4 * PAGE), 0, "munmap, then unmap");
	munmap(again, 4 * PAGE);
}

static void dontneed(void)
{
	__u8 *va = mapped(4 * PAGE, ANON, -1);

	madvise(va, 4 * PAGE, MADV_DONTNEED);
	check(!va[PAGE], "MADV_DONTNEED: the program gets new pages", "%d", va[PAGE]);
	still_consistent("MADV_DONTNEED: the pinned pages serve the function");
	check(!va[PAGE], "MADV_DONTNEED: the new pages are untouched", "%d", va[PAGE]);
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, 4 * PAGE), 0, "MADV_DONTNEED, then unmap");
	munmap(va, 4 * PAGE);
}

static void truncated(void)
{
	int fd = memfd_create("gone", 0);
	__u8 *va;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		err(1, "memfd");
	va = mapped(4 * PAGE, MAP_SHARED, fd);
	if (ftruncate(fd, 0) || ftruncate(fd, 4 * PAGE))
		err(1, "ftruncate");
	check(!va[PAGE], "truncate: the file has new pages", "%d", va[PAGE]);
	still_consistent("truncate: the pinned pages serve the function");
	check(!va[PAGE], "truncate: the new pages are untouched", "%d", va[PAGE]);
	check_rc(ioas_unmap(rig.iommu, rig.ioas, BASE, 4 * PAGE), 0, "truncate, then unmap");
	munmap(va, 4 * PAGE);
	close(fd);
}

/* The parent's pages stay the parent's, whoever writes first. */
static void forked(void)
{
	__u8 *va = mapped(2 * PAGE, ANON, -1);
	int go[2], status;
	char c;
	pid_t pid;

	if (pipe(go))
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1) < 0)
			_exit(2);
		_exit(va[0] != 1 || va[PAGE] != 1);
	}
	va[0] = 2;
	rig_write(&rig, BASE, 512, 8);
	check(filled(va, 512, 8), "fork: DMA reaches the parent", "it did not");
	rig_write(&rig, BASE + PAGE, 512, 9);
	check(filled(va + PAGE, 512, 9), "fork: also where the parent did not write", "it did not");
	close(go[1]);
	waitpid(pid, &status, 0);
	check(!status, "fork: the child keeps its own view", "status %#x", status);
	close(go[0]);
	ioas_unmap(rig.iommu, rig.ioas, BASE, 2 * PAGE);
	munmap(va, 2 * PAGE);
}

static void read_only(void)
{
	__u8 *va = mmap(NULL, PAGE, PROT_READ, ANON, -1, 0);

	check_rc(ioas_map(rig.iommu, rig.ioas, va, PAGE, BASE, RW), -14,
		 "read-only memory cannot be mapped writeable");
	check_rc(ioas_map(rig.iommu, rig.ioas, va, PAGE, BASE, IOMMU_IOAS_MAP_READABLE), 0,
		 "but readable");
	ioas_unmap(rig.iommu, rig.ioas, BASE, PAGE);
	munmap(va, PAGE);
	check_rc(ioas_map(rig.iommu, rig.ioas, va, PAGE, BASE, RW), -14,
		 "what is not memory cannot be mapped");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: gone BDF");
	rig_open(&rig, argv[1]);
	unmapped();
	dontneed();
	truncated();
	forked();
	read_only();
	rig_close(&rig);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
