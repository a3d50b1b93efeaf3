// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's STE over stage 2, its commands and its events. The guest's CD table and
 * page table are written here, word by word, in pages that stage 2 maps.
 */
#include <linux/iommufd_viommu.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "arm-smmu-v3-rig_kunit.h"

#define GUEST_SID	0x77
#define GUEST_VA	0x5000UL
#define IPA_CDS		0x80000000UL	/* stage 2 has these pages */
#define IPA_TABLE	0x80001000UL
#define IPA_TABLE2	0x80002000UL
#define IPA_DATA	0x80003000UL
#define STE_S1		(1ULL | 5 << 1)
#define STE_1		(2ULL | 1 << 2 | 1 << 4 | 3 << 6)	/* S1DSS: substream 0 */

/* A virtual IOMMU that knows one device, and keeps the last event. */
struct guest {
	struct rig *rig;
	struct iommufd_viommu viommu;
	struct iommufd_vdevice vdev;
	struct iommu_domain *parent;
	phys_addr_t cds;
	phys_addr_t data;
	unsigned int events;
	int report;
	__le64 event[4];
};

static struct guest *guest_of(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct guest, viommu);
}

static int report(struct iommufd_viommu *viommu, u32 type, const void *event)
{
	struct guest *guest = guest_of(viommu);

	guest->events++;
	memcpy(guest->event, event, sizeof(guest->event));
	return guest->report;
}

static int virt_id(struct iommufd_viommu *viommu, const struct device *dev, u64 *id)
{
	*id = GUEST_SID;
	return dev == guest_of(viommu)->vdev.dev ? 0 : -ENOENT;
}

static struct iommufd_vdevice *vdevice(struct iommufd_viommu *viommu, u64 id)
{
	return id == GUEST_SID ? &guest_of(viommu)->vdev : NULL;
}

static const struct iommufd_viommu_calls calls = {
	.report = report, .virt_id = virt_id, .vdevice = vdevice,
};

static void put(phys_addr_t page, unsigned int word, u64 value)
{
	((__le64 *)phys_to_virt(page))[word] = cpu_to_le64(value);
}

/* A CD of stage 1 with 4 KiB pages and 21 bits of address: a table of level 2, one of 3. */
static void put_cd(phys_addr_t at, u64 table)
{
	put(at, 0, (64 - 30) | BIT_ULL(30) | BIT_ULL(31) | 5ULL << 32 | BIT_ULL(41) |
		   BIT_ULL(45) | BIT_ULL(46) | 7ULL << 48);
	put(at, 1, table);
}

static struct guest *guest_new(struct kunit *test, const struct rig_how *how)
{
	struct guest *guest = kunit_kzalloc(test, sizeof(*guest), GFP_KERNEL);
	struct rig *rig = rig_new(test, how);
	phys_addr_t table, table2;

	KUNIT_ASSERT_NOT_NULL(test, guest);
	guest->rig = rig;
	guest->parent = rig_domain(rig, IOMMU_HWPT_ALLOC_NEST_PARENT);
	guest->viommu.calls = &calls;
	guest->viommu.iommu_dev = &rig->smmu.iommu;
	guest->viommu.parent = guest->parent;
	guest->vdev.viommu = &guest->viommu;
	guest->vdev.dev = rig->dev;
	guest->vdev.virt_id = GUEST_SID;
	guest->report = 0;
	guest->cds = rig_page(rig, guest->parent, IPA_CDS);
	table = rig_page(rig, guest->parent, IPA_TABLE);
	table2 = rig_page(rig, guest->parent, IPA_TABLE2);
	guest->data = rig_page(rig, guest->parent, IPA_DATA);
	put_cd(guest->cds, IPA_TABLE);
	put(table, 0, IPA_TABLE2 | 3);
	put(table2, GUEST_VA >> 12, IPA_DATA | 3 | BIT(6) | BIT(10));
	return guest;
}

/* From user memory, as a VMM passes it. */
static struct iommu_domain *nested(struct guest *guest, u64 word0, u64 word1)
{
	struct kunit *test = guest->rig->test;
	struct iommu_hwpt_arm_smmuv3 ste = { { cpu_to_le64(word0), cpu_to_le64(word1) } };
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	struct iommu_user_data data = {
		.type = IOMMU_HWPT_DATA_ARM_SMMUV3, .uptr = (void __user *)user,
		.len = sizeof(ste),
	};
	struct iommu_domain *domain;

	KUNIT_ASSERT_NE(test, user, 0UL);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)user, &ste, sizeof(ste)), 0);
	domain = arm_smmu_nested_alloc(&guest->viommu, 0, &data);
	if (!IS_ERR(domain)) {
		domain->owner = &arm_smmu_ops;
		guest->rig->domains[guest->rig->nr_domains++] = domain;
	}
	return domain;
}

static void handed_over(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct rig *rig = guest->rig;
	struct iommu_domain *domain, *own;

	/* Two CDs: of requests without PASID, and of PASID 1. */
	domain = nested(guest, STE_S1 | IPA_CDS | 1ULL << 59, STE_1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	rig_attach(rig, domain);
	EXPECT_PAGE(rig, RID, GUEST_VA + 4, guest->data + 4);
	EXPECT_FAULT(rig, RID, GUEST_VA + SZ_4K, SMMU_F_TRANSLATION);
	EXPECT_FAULT(rig, 1, GUEST_VA, SMMU_C_BAD_CD);
	put_cd(guest->cds + 64, IPA_TABLE);
	EXPECT_PAGE(rig, 1, GUEST_VA, guest->data);
	EXPECT_FAULT(rig, 2, GUEST_VA, SMMU_C_BAD_SUBSTREAMID);
	KUNIT_EXPECT_STREQ(test, rig_walk(rig, 1, GUEST_VA, true)->how, "nested");
	/* Tables and pages that are not the guest's. */
	put_cd(guest->cds + 64, IPA_DATA + SZ_4K);
	EXPECT_FAULT(rig, 1, GUEST_VA, SMMU_F_TRANSLATION);
	/* What is the kernel's can be attached at no PASID meanwhile. */
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, domain->ops->set_dev_pasid(domain, rig->dev, 1, NULL));
	own = rig_domain(rig, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, own->ops->set_dev_pasid(own, rig->dev, 1, NULL));
	rig_end(rig);
}

/* Every step on the way between STEs over one stage 2 gives either of both, or no event. */
static void see_ste(struct rig *rig, u8 opcode)
{
	struct iommu_walk *walk = rig_walk(rig, RID, GUEST_VA, true);

	if (walk->fault_code == SMMU_C_BAD_STE)
		(*(unsigned int *)rig->data)++;
}

static void changes(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct rig *rig = guest->rig;
	struct iommu_domain *s1 = nested(guest, STE_S1 | IPA_CDS, STE_1);
	struct iommu_domain *bypass = nested(guest, 1 | 4 << 1, 0);
	struct iommu_domain *abort = nested(guest, 1, 0), *invalid = nested(guest, 0, ~0ULL);
	unsigned int bad = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(s1) || IS_ERR(bypass) || IS_ERR(abort) || IS_ERR(invalid));
	rig->data = &bad;
	rig->seen = see_ste;
	rig_attach(rig, guest->parent);
	EXPECT_PAGE(rig, RID, IPA_DATA, guest->data);
	rig_attach(rig, s1);
	EXPECT_PAGE(rig, RID, GUEST_VA, guest->data);
	rig_attach(rig, bypass);
	EXPECT_PAGE(rig, RID, IPA_DATA, guest->data);
	rig_attach(rig, s1);
	rig_attach(rig, abort);
	KUNIT_EXPECT_STREQ(test, rig_walk(rig, RID, GUEST_VA, true)->how, "blocked");
	rig_attach(rig, s1);
	EXPECT_PAGE(rig, RID, GUEST_VA, guest->data);
	rig_attach(rig, invalid);
	KUNIT_EXPECT_STREQ(test, rig_walk(rig, RID, GUEST_VA, true)->how, "blocked");
	rig_attach(rig, guest->parent);
	EXPECT_PAGE(rig, RID, IPA_DATA, guest->data);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_GT(test, rig->seen_nr, 8);
	rig_end(rig);
}

static void stes(struct kunit *test)
{
	static const u64 bad[][2] = {
		{ 1 | 1 << 1 }, { 1 | 2 << 1 }, { 1 | 3 << 1 }, { 1 | 6 << 1 }, { 1 | 7 << 1 },
		{ STE_S1 | BIT_ULL(52) }, { STE_S1 | BIT_ULL(58) }, { STE_S1 | 7ULL << 59 },
		{ STE_S1, BIT(8) }, { STE_S1, BIT(26) }, { STE_S1, 2 << 28 }, { STE_S1, 3 << 28 },
		{ STE_S1, BIT(30) }, { STE_S1, BIT_ULL(44) }, { STE_S1, BIT_ULL(48) },
		{ 1 | 4 << 1, BIT_ULL(63) }, { 1, BIT(9) },
	};
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(nested(guest, bad[i][0], bad[i][1])),
				    -EIO, "%u", i);
	KUNIT_EXPECT_FALSE(test, IS_ERR(nested(guest, STE_S1 | 2 << 4 | 6ULL << 59 | IPA_CDS,
					       0xfe | BIT(27) | 1 << 28)));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(arm_smmu_nested_alloc(&guest->viommu,
								    IOMMU_HWPT_ALLOC_PASID,
								    NULL)), -EOPNOTSUPP);
	rig_end(guest->rig);
}

/* What goes to the SMMU of a guest's command: its own VMID, the host's stream ID. */
static void commands(struct kunit *test)
{
	static const __le64 good[][2] = {
		{ cpu_to_le64(0x12 | 7ULL << 48), cpu_to_le64(GUEST_VA | 1) },
		{ cpu_to_le64(0x30) },
		{ cpu_to_le64(0x05 | (u64)GUEST_SID << 32 | 3 << 12), cpu_to_le64(1) },
		{ cpu_to_le64(0x06 | (u64)GUEST_SID << 32) },
		{ cpu_to_le64(0x13), cpu_to_le64(GUEST_VA) },
		{ cpu_to_le64(0x11 | 9ULL << 48) },
		{ cpu_to_le64(0x10) },
	};
	static const __le64 bad[][2] = {
		{ cpu_to_le64(0x04), cpu_to_le64(31) },			/* CFGI_ALL */
		{ cpu_to_le64(0x03 | (u64)GUEST_SID << 32) },		/* CFGI_STE */
		{ cpu_to_le64(0x46) },					/* SYNC */
		{ cpu_to_le64(0x28) },					/* TLBI_S12_VMALL */
		{ cpu_to_le64(0x10 | 1ULL << 32) },			/* a VMID */
		{ cpu_to_le64(0x06 | (u64)RIG_SID << 32) },		/* the host's stream ID */
		{ cpu_to_le64(0x06 | (u64)GUEST_SID << 32 | BIT(10)) },	/* secure */
		{ cpu_to_le64(0x12 | 1 << 12), cpu_to_le64(GUEST_VA) },	/* a range */
		{ cpu_to_le64(0x40 | (u64)GUEST_SID << 32) },		/* ATC_INV without ATS */
	};
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	u64 vmid = to_smmu_domain(guest->parent)->s2_cfg.vmid, sid = (u64)RIG_SID << 32;
	const struct iommufd_viommu_ops *ops = &arm_smmu_viommu_kind;
	u32 from = rig_commands(guest->rig), done = 99, i;
	__le64 copy[ARRAY_SIZE(good)][2];

	memcpy(copy, good, sizeof(good));
	KUNIT_EXPECT_EQ(test, ops->invalidate(&guest->viommu, copy, ARRAY_SIZE(good), &done), 0);
	KUNIT_EXPECT_EQ(test, done, ARRAY_SIZE(good));
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from)[0], 0x12 | 7ULL << 48 | vmid << 32);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from)[1], GUEST_VA | 1);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from + 1)[0], 0x10 | vmid << 32);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from + 2)[0], 0x05 | sid | 3 << 12);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from + 3)[0], 0x06 | sid);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from + 4)[0], 0x13 | vmid << 32);
	KUNIT_EXPECT_EQ(test, rig_command(guest->rig, from + 5)[0], 0x11 | 9ULL << 48 | vmid << 32);
	/* One batch: its commands, and a CMD_SYNC. */
	KUNIT_EXPECT_EQ(test, rig_commands(guest->rig) - from, ARRAY_SIZE(good) + 1);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(copy, good, sizeof(good));
		memcpy(copy[3], bad[i], sizeof(bad[i]));
		KUNIT_EXPECT_EQ_MSG(test, ops->invalidate(&guest->viommu, copy, 7, &done), -EIO,
				    "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, done, 3, "%u", i);
	}
	rig_end(guest->rig);
}

/* More than a batch. */
static void many_commands(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	__le64 (*cmd)[2] = kunit_kcalloc(test, 150, sizeof(*cmd), GFP_KERNEL);
	const struct iommufd_viommu_ops *ops = &arm_smmu_viommu_kind;
	u32 done, i;

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	for (i = 0; i < 150; i++)
		cmd[i][0] = cpu_to_le64(0x11 | (u64)i << 48);
	KUNIT_EXPECT_EQ(test, ops->invalidate(&guest->viommu, cmd, 150, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 150);
	cmd[140][0] = cpu_to_le64(0x04);
	KUNIT_EXPECT_EQ(test, ops->invalidate(&guest->viommu, cmd, 150, &done), -EIO);
	KUNIT_EXPECT_EQ(test, done, 140);
	rig_end(guest->rig);
}

static void events(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct rig *rig = guest->rig;
	struct iommu_domain *s1 = nested(guest, STE_S1 | IPA_CDS, STE_1);
	u64 evt[4] = { 0x10 | (u64)RIG_SID << 32, BIT_ULL(35), GUEST_VA, 0x1234000 };

	KUNIT_ASSERT_FALSE(test, IS_ERR(s1));
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	rig_attach(rig, s1);
	KUNIT_EXPECT_TRUE(test, arm_smmu_nested_event(&rig->smmu, evt));
	KUNIT_EXPECT_EQ(test, guest->events, 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(guest->event[0]), 0x10 | (u64)GUEST_SID << 32);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(guest->event[2]), GUEST_VA);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(guest->event[3]), 0);
	/* A full queue is the guest's own; one that it does not have leaves it to the host. */
	guest->report = -ENOSPC;
	KUNIT_EXPECT_TRUE(test, arm_smmu_nested_event(&rig->smmu, evt));
	guest->report = -EOPNOTSUPP;
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	guest->report = 0;
	guest->events = 0;
	/* Of stage 2; a stalled one; with the address of an STE; of another stream. */
	evt[1] |= BIT_ULL(39);
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	evt[1] = BIT_ULL(31);
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	evt[1] = 0;
	evt[0] = 0x03 | (u64)RIG_SID << 32;
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	evt[0] = 0x10 | (u64)(RIG_SID + 1) << 32;
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	KUNIT_EXPECT_EQ(test, guest->events, 0);
	/* Detached, nothing is the guest's any more. */
	rig_attach(rig, arm_smmu_ops.blocked_domain);
	evt[0] = 0x10 | (u64)RIG_SID << 32;
	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_event(&rig->smmu, evt));
	rig_end(rig);
}

/* Stage 2 loses a page: what combines both stages is invalidated under its VMID. */
static void unmapped(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct rig *rig = guest->rig;
	u64 vmid = to_smmu_domain(guest->parent)->s2_cfg.vmid;
	unsigned int s2 = 0, s1 = 0;
	u32 from;

	from = rig_commands(rig);
	KUNIT_EXPECT_EQ(test, SZ_4K, iommu_unmap(guest->parent, IPA_DATA, SZ_4K));
	for (; from != rig_commands(rig); from = rig_next(from)) {
		u64 word = rig_command(rig, from)[0];

		if (FIELD_GET(GENMASK_ULL(47, 32), word) != vmid)
			continue;
		s2 += (word & 0xff) == 0x2a;
		/* In this order. */
		s1 += s2 && (word & 0xff) == 0x10;
	}
	KUNIT_EXPECT_EQ(test, s2, 1);
	KUNIT_EXPECT_EQ(test, s1, 1);
	rig_end(rig);
}

/* Unless the machine's owner accepts what a guest may read past the caches. */
static void not_by_default(struct kunit *test)
{
	struct guest *guest = guest_new(test, &(struct rig_how){ .ssid_bits = 6 });
	struct device *dev = guest->rig->dev;

	KUNIT_EXPECT_FALSE(test, arm_smmu_nested_usable(&guest->rig->smmu));
	KUNIT_EXPECT_PTR_EQ(test, arm_smmu_viommu_ops(dev, guest->parent,
						      IOMMU_VIOMMU_TYPE_ARM_SMMUV3),
			    ERR_PTR(-EOPNOTSUPP));
	rig_end(guest->rig);
}

static struct kunit_case nested_cases[] = {
	KUNIT_CASE(not_by_default),
	KUNIT_CASE(handed_over),
	KUNIT_CASE(changes),
	KUNIT_CASE(stes),
	KUNIT_CASE(commands),
	KUNIT_CASE(many_commands),
	KUNIT_CASE(events),
	KUNIT_CASE(unmapped),
	{}
};

static struct kunit_suite nested_suite = {
	.name = "arm_smmu_v3_nested",
	.test_cases = nested_cases,
};

kunit_test_suite(nested_suite);
