// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether fail_nth has made every call there is while an allocation was to fail.
 * The list is taken from the headers, so that a new call cannot be forgotten.
 */
#include <stdio.h>
#include <string.h>
#include <kselftest.h>

#include "fail_nth.h"
#include "lib/type1.h"

static struct {
	const char *name;
	unsigned long nr;
	__u32 op;
	bool made;
} all[] = {
#define CMD(cmd) { .name = #cmd, .nr = _IO(IOMMUFD_TYPE, cmd) },
#define OP(name_) { .name = #name_, .nr = IOMMU_TEST_CMD, .op = name_ },
#define TYPE1(nr_) { .name = #nr_, .nr = nr_ },
#include "fail_nth_list.h"
};

/* Those of the mock that do nothing but look, or set what it answers later. */
static const __u32 looks[] = {
	IOMMU_TEST_OP_MD_CHECK_MAP, IOMMU_TEST_OP_MD_CHECK_REFS, IOMMU_TEST_OP_MD_CHECK_IOTLB,
	IOMMU_TEST_OP_DEV_CHECK_CACHE, IOMMU_TEST_OP_PASID_CHECK_HWPT,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT, MOCK_OP_REQUEST, MOCK_OP_PAIR, MOCK_OP_FAIL_MAP,
	MOCK_OP_EVENT, MOCK_OP_COUNT, MOCK_OP_ACCESS_UNMAPS, MOCK_OP_PAGE_ANSWER,
};

static bool armed;

static void watch(unsigned long nr, const void *arg)
{
	for (unsigned int i = 0; armed && i < ARRAY_SIZE(all); i++) {
		if (all[i].nr != nr)
			continue;
		/* An argument that is no address stands for itself. */
		if (!all[i].op || ((const struct iommu_test_cmd *)arg)->op == all[i].op)
			all[i].made = true;
	}
}

/* From now on calls count, or not. */
void all_calls_armed(bool on)
{
	armed = on;
	iommu_watch = watch;
}

static bool only_looks(unsigned long nr, __u32 op)
{
	/* Wants a group of VFIO's, and the mock has none: tests/vm/src/type1.c has it. */
	if (nr == VFIO_IOMMU_DIRTY_PAGES)
		return true;
	for (unsigned int i = 0; op && i < ARRAY_SIZE(looks); i++) {
		if (looks[i] == op)
			return true;
	}
	return false;
}

/* Number of calls that were never made, each told by name. */
unsigned int all_calls_missing(void)
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].made || only_looks(all[i].nr, all[i].op))
			continue;
		ksft_print_msg("no allocation of %s was made fail\n", all[i].name);
		missing++;
	}
	return missing;
}

unsigned int all_calls_count(void)
{
	return ARRAY_SIZE(all) - ARRAY_SIZE(looks) - 1;
}
