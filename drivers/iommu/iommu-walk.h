/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a walker of an IOMMU's tables is asked, and answers. A walker follows the
 * tables in memory as the hardware would, in a given device's name; it shares no
 * code with what writes them: formats come from the architecture's specification.
 *
 * It must survive any content: tables may belong to a guest, and may be freed
 * meanwhile. All it reads of them it reads by iommu_walk_read(), which checks
 * that there is memory and that the walk ends. It takes no lock under which a
 * device may leave its IOMMU, the group's mutex above all.
 */
#ifndef __IOMMU_WALK_H
#define __IOMMU_WALK_H

#include <linux/device.h>
#include <linux/iommu.h>

/**
 * enum iommu_walk_stage - whose table an entry is in
 * @IOMMU_WALK_DEVICE: that of devices, or of PASIDs
 * @IOMMU_WALK_FIRST: a first stage
 * @IOMMU_WALK_SECOND: a second stage
 */
enum iommu_walk_stage {
	IOMMU_WALK_DEVICE,
	IOMMU_WALK_FIRST,
	IOMMU_WALK_SECOND,
};

#define IOMMU_WALK_STEPS	80
#define IOMMU_WALK_WORDS	8
#define IOMMU_WALK_NOTE		120

/**
 * struct iommu_walk_step - an entry that was read
 * @what: what it is: "context entry", "page table"
 * @at: where it is in physical memory
 * @word: its content, in the CPU's byte order
 * @words: how many there are; 0: @at is not readable memory
 * @stage: enum iommu_walk_stage
 * @level: of a table with several, 1 is the last to be looked up; else 0
 * @nested: the second stage, to find an entry of the first or of a PASID table
 * @note: what the entry says, in words; see iommu_walk_note()
 */
struct iommu_walk_step {
	const char *what;
	phys_addr_t at;
	u64 word[IOMMU_WALK_WORDS];
	u8 words;
	u8 stage;
	u8 level;
	bool nested;
	char note[IOMMU_WALK_NOTE];
};

/**
 * struct iommu_walk - a question, and its answer
 * @dev: the device that sends the request
 * @has_pasid: the request has a PASID
 * @pasid: which; IOMMU_NO_PASID without
 * @has_iova: it has an address; else the walk ends where the PASID's tables begin
 * @iova: which
 * @write: it writes; reads else
 * @step: the entries, in the order in which they were read
 * @nr_steps: how many
 * @how: what the PASID's entry makes of requests: "first stage", "second stage",
 *       "nested", "pass-through", "blocked"; NULL if the walk did not get there
 * @translated: the request passes, to @output; @fault is NULL then
 * @output: the physical address that @iova gives
 * @size: of the page, the smaller one where there are two stages; 0: no page ends it
 * @readable: what the tables allow; these are set with @translated
 * @writable: likewise
 * @executable: likewise
 * @fault: what the hardware would report, in the words of the specification
 * @fault_code: its number there
 *
 * The first six are the question; the rest is zero before the walk.
 */
struct iommu_walk {
	struct device *dev;
	bool has_pasid;
	u32 pasid;
	bool has_iova;
	u64 iova;
	bool write;

	struct iommu_walk_step step[IOMMU_WALK_STEPS];
	unsigned int nr_steps;
	const char *how;
	bool translated;
	phys_addr_t output;
	u64 size;
	bool readable;
	bool writable;
	bool executable;
	const char *fault;
	u32 fault_code;
};

/**
 * typedef iommu_walk_fn - a driver's walker
 * @walk: the question; the answer goes there
 *
 * Context: may sleep.
 * Return: 0 with its fault, translated or, without an IOVA, neither of them set;
 * -ENODEV if the device is not behind this IOMMU, or that does not translate.
 */
typedef int (*iommu_walk_fn)(struct iommu_walk *walk);

#ifdef CONFIG_IOMMU_WALK
int iommu_walk_register(const struct iommu_ops *ops, iommu_walk_fn walk);
void iommu_walk_unregister(const struct iommu_ops *ops);
int iommu_walk_read(struct iommu_walk *walk, const char *what, enum iommu_walk_stage stage,
		    unsigned int level, phys_addr_t at, u64 *word, unsigned int words);
void iommu_walk_nested(struct iommu_walk *walk);
__printf(2, 3) void iommu_walk_note(struct iommu_walk *walk, const char *format, ...);
int iommu_walk(struct iommu_walk *walk);
void iommu_walk_add_device(struct device *dev);
void iommu_walk_remove_device(struct device *dev);
#else
static inline int iommu_walk_register(const struct iommu_ops *ops, iommu_walk_fn walk)
{
	return 0;
}

static inline void iommu_walk_unregister(const struct iommu_ops *ops)
{
}

static inline void iommu_walk_add_device(struct device *dev)
{
}

static inline void iommu_walk_remove_device(struct device *dev)
{
}
#endif
#endif /* __IOMMU_WALK_H */
