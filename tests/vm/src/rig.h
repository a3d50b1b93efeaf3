/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: the checks they print, thin calls of /dev/iommu and VFIO that
 * return 0 or a negative errno, and a rig: an "edu" function bound to a context of its own, in an
 * IOAS of its own, with one page through which data enters and leaves the function.
 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#define PAGE		4096UL
#define HUGE_PAGE	0x200000UL
#define RW		(IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define STAGE_IOVA	0x10000ULL
#define EDU_BUFFER	0x40000ULL

/* Checks: one line each. The exit status of a program is check_done(). */
bool check(bool good, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool check_rc(int rc, int want, const char *name);
int check_done(void);

/* Calls. Those that set up a test and cannot sensibly fail end the program: x..() */
int xopen(const char *path, int flags);
void *xmmap(size_t length, int flags, int fd);
int open_iommu(void);
int open_cdev(const char *bdf);
int open_group(const char *device);	/* the folder of sysfs */
int dev_bind(int dev, int iommu, __u32 *id);
int dev_attach(int dev, __u32 *pt);
int dev_detach(int dev);
int dev_attach_pasid(int dev, __u32 pasid, __u32 *pt);
int dev_detach_pasid(int dev, __u32 pasid);
int ioas_alloc(int iommu, __u32 *id);
int ioas_map(int iommu, __u32 ioas, const void *va, __u64 length, __u64 iova, __u32 flags);
int ioas_map_file(int iommu, __u32 ioas, int fd, __u64 start, __u64 length, __u64 iova,
		  __u32 flags);
int ioas_unmap(int iommu, __u32 ioas, __u64 iova, __u64 length);
int hwpt_alloc(int iommu, __u32 flags, __u32 devid, __u32 pt, __u32 *id);
int pasid_alloc(int iommu, __u32 flags, __u32 devid, __u32 *pasid);
int pasid_free(int iommu, __u32 devid, __u32 pasid);
int ioas_copy(int iommu, __u32 dst, __u64 dst_iova, __u32 src, __u64 src_iova, __u64 length);
int destroy(int iommu, __u32 id);

/*
 * Configuration space: where VFIO's is in the device's file, and where, in a file's configuration
 * space that starts at @config, an extended capability is; 0 if it is not there.
 */
off_t config_region(int dev);
int extended_capability(int fd, off_t config, __u16 id);

/* The DMA engine of edu. */
void bus_master(int dev);
__u64 *map_bar(int dev);
void edu_start(__u64 *bar, __u64 src, __u64 dst, __u64 count, bool to_memory);
void edu_wait(__u64 *bar);

/*
 * The function's interrupt: irq_open() has it signalled to an eventfd, or returns a negative
 * errno; irq_arrives() raises it, and waits for a second.
 */
int irq_open(int dev);
bool irq_arrives(__u64 *bar, int irq);

struct rig {
	int iommu;
	int dev;
	__u32 devid;
	__u32 ioas;
	__u64 *bar;
	__u8 *stage;
};

void rig_open(struct rig *rig, const char *bdf);
void rig_close(struct rig *rig);
void fill(void *buf, size_t length, unsigned int seed);
bool filled(const void *buf, size_t length, unsigned int seed);
bool untouched(const void *page);	/* zeroes only, which no pattern has */
/* Another IOAS of the context, with that page at that IOVA, and the staging page. */
__u32 rig_ioas(struct rig *rig, const void *page, __u64 iova);
void rig_load(struct rig *rig, size_t length, unsigned int seed);
void rig_write(struct rig *rig, __u64 iova, size_t length, unsigned int seed);
bool rig_reads(struct rig *rig, __u64 iova, size_t length, unsigned int seed);

/*
 * Starts a write through the function's BAR behind VFIO's back, as root can, and waits for its end:
 * whatever the function has in its buffer.
 */
void rogue_write(const char *bdf, __u64 iova);

/* Of this process: whether it has one of CAP_... */
void set_capability(int cap, bool on);

/* Pages pinned in the whole machine; pins_gone() waits up to 5 seconds for none. */
long pins(void);
long pins_gone(void);
__u64 pfn(const void *va);

#endif
