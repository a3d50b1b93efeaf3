// SPDX-License-Identifier: GPL-2.0
/*
 * What of an SMMUv3 a guest uses as its own, beside its tables: its invalidation
 * commands, its events. They are translated and passed on; no table is written here.
 *
 * Of a guest's command only the fields that the specification gives it may be set:
 * the SMMU stops its one queue at a command that it calls illegal.
 *
 * Specification: IHI 0070, issue F.b; "SMMU" and a section below.
 */
#include <linux/cleanup.h>
#include <linux/iommufd_viommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "arm-smmu-v3-attach.h"

/* SMMU 4.4.2 and 4.7: commands that it has no use for */
#define CMDQ_OP_TLBI_NH_VAA	0x13

/* SMMU 7.3: events */
#define EVT_ID_BAD_STE		0x04
#define EVT_ID_STREAM_DISABLED	0x06
#define EVT_ID_BAD_SUBSTREAMID	0x08
#define EVT_ID_BAD_CD		0x0a

#define TLBI_0_RANGE		(CMDQ_TLBI_0_NUM | CMDQ_TLBI_0_SCALE)
#define TLBI_1_RANGE		(CMDQ_TLBI_1_TTL | CMDQ_TLBI_1_TG)

struct guest_command {
	u8 op;
	u64 allowed[2];
	bool sid;	/* it has a stream ID; else it gets a VMID */
	bool range;	/* it may have the fields of ranges */
};

static const struct guest_command guest_commands[] = {
	{ CMDQ_OP_TLBI_NSNH_ALL },
	{ CMDQ_OP_TLBI_NH_ALL },
	{ CMDQ_OP_TLBI_NH_ASID, { CMDQ_TLBI_0_ASID } },
	{ CMDQ_OP_TLBI_NH_VA, { CMDQ_TLBI_0_ASID, CMDQ_TLBI_1_LEAF | CMDQ_TLBI_1_VA_MASK },
	  .range = true },
	{ CMDQ_OP_TLBI_NH_VAA, { 0, CMDQ_TLBI_1_LEAF | CMDQ_TLBI_1_VA_MASK }, .range = true },
	{ CMDQ_OP_CFGI_CD, { CMDQ_CFGI_0_SSID | CMDQ_CFGI_0_SID, CMDQ_CFGI_1_LEAF },
	  .sid = true },
	{ CMDQ_OP_CFGI_CD_ALL, { CMDQ_CFGI_0_SID }, .sid = true },
	{ CMDQ_OP_ATC_INV, { CMDQ_0_SSV | CMDQ_ATC_0_GLOBAL | CMDQ_ATC_0_SSID | CMDQ_ATC_0_SID,
			     CMDQ_ATC_1_SIZE | CMDQ_ATC_1_ADDR_MASK }, .sid = true },
};

static struct arm_smmu_device *viommu_smmu(struct iommufd_viommu *viommu)
{
	return container_of(viommu->iommu_dev, struct arm_smmu_device, iommu);
}

/* A device that is one stream, or commands and events would be of several. */
static int vdevice_setup(struct iommufd_vdevice *vdev)
{
	struct arm_smmu_master *master = dev_iommu_priv_get(vdev->dev);

	if (vdev->virt_id > U32_MAX)
		return -EINVAL;
	return master->num_streams == 1 ? 0 : -EOPNOTSUPP;
}

static const struct guest_command *find_command(u64 word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(guest_commands); i++)
		if (guest_commands[i].op == FIELD_GET(CMDQ_0_OP, word))
			return &guest_commands[i];
	return NULL;
}

/* The guest's command as one of the host's. Of stream IDs the field is the same in all. */
static int translate_command(struct iommufd_viommu *viommu, const __le64 *from, u64 *to)
{
	u16 vmid = to_smmu_domain(viommu->parent)->s2_cfg.vmid;
	const struct guest_command *command;
	struct iommufd_vdevice *vdev;
	struct arm_smmu_master *master;
	u64 allowed[CMDQ_ENT_DWORDS];

	to[0] = le64_to_cpu(from[0]);
	to[1] = le64_to_cpu(from[1]);
	command = find_command(to[0]);
	if (!command)
		return -EIO;
	allowed[0] = command->allowed[0] | CMDQ_0_OP;
	allowed[1] = command->allowed[1];
	if (command->range && (viommu_smmu(viommu)->features & ARM_SMMU_FEAT_RANGE_INV)) {
		allowed[0] |= TLBI_0_RANGE;
		allowed[1] |= TLBI_1_RANGE;
	}
	if ((to[0] & ~allowed[0]) || (to[1] & ~allowed[1]))
		return -EIO;

	if (!command->sid) {
		/* All that is cached in the host is more than what is the guest's. */
		if (command->op == CMDQ_OP_TLBI_NSNH_ALL)
			to[0] = FIELD_PREP(CMDQ_0_OP, CMDQ_OP_TLBI_NH_ALL);
		to[0] |= FIELD_PREP(CMDQ_TLBI_0_VMID, vmid);
		return 0;
	}
	vdev = iommufd_viommu_vdevice(viommu, FIELD_GET(CMDQ_CFGI_0_SID, to[0]));
	if (!vdev)
		return -EIO;
	master = dev_iommu_priv_get(vdev->dev);
	/* The SMMU would wait for a device that does not answer. */
	if (command->op == CMDQ_OP_ATC_INV && !master->ats_enabled)
		return -EIO;
	to[0] &= ~CMDQ_CFGI_0_SID;
	to[0] |= FIELD_PREP(CMDQ_CFGI_0_SID, master->streams[0].id);
	return 0;
}

/* As many at a time as fit into a batch of the driver's. */
static int invalidate(struct iommufd_viommu *viommu, void *commands, u32 nr, u32 *done)
{
	const struct iommu_viommu_arm_smmuv3_invalidate *from = commands;
	struct arm_smmu_device *smmu = viommu_smmu(viommu);
	int ret = 0, sent;
	u32 at, n;
	u64 *batch;

	*done = 0;
	batch = kmalloc_array(CMDQ_BATCH_ENTRIES - 1, CMDQ_ENT_DWORDS * sizeof(u64), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	for (at = 0; at < nr && !ret; at += n) {
		for (n = 0; at + n < nr && n < CMDQ_BATCH_ENTRIES - 1; n++) {
			ret = translate_command(viommu, from[at + n].cmd,
						&batch[n * CMDQ_ENT_DWORDS]);
			if (ret)
				break;
		}
		sent = n ? arm_smmu_cmdq_issue_cmdlist(smmu, &smmu->cmdq, batch, n, true) : 0;
		if (sent) {
			ret = sent;
			break;
		}
		*done += n;
	}
	kfree(batch);
	return ret;
}

static size_t vevent_size(u32 type)
{
	return type == IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 ? sizeof(struct iommu_vevent_arm_smmuv3) : 0;
}

const struct iommufd_viommu_ops arm_smmu_viommu_kind = {
	.size = sizeof(struct iommufd_viommu),
	.vdevice_size = sizeof(struct iommufd_vdevice),
	.invalidate_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
	.invalidate_size = sizeof(struct iommu_viommu_arm_smmuv3_invalidate),
	.vevent_size = vevent_size,
	.alloc_nested = arm_smmu_nested_alloc,
	.invalidate = invalidate,
	.vdevice_setup = vdevice_setup,
};

/**
 * arm_smmu_viommu_ops() - of struct iommu_ops
 * @dev: a device
 * @parent: a domain of ours
 * @type: of enum iommu_viommu_type
 *
 * Return: the operations; ERR_PTR(): -EOPNOTSUPP for another type, or if guests may
 * not own stage 1 of this SMMU; -EINVAL if @parent is no stage 2 of this SMMU for it.
 */
const struct iommufd_viommu_ops *arm_smmu_viommu_ops(struct device *dev,
						     struct iommu_domain *parent,
						     unsigned int type)
{
	struct arm_smmu_master *master = dev_iommu_priv_get(dev);
	struct arm_smmu_domain *smmu_domain = to_smmu_domain(parent);

	if (type != IOMMU_VIOMMU_TYPE_ARM_SMMUV3 || !arm_smmu_nested_usable(master->smmu))
		return ERR_PTR(-EOPNOTSUPP);
	if (!(parent->type & __IOMMU_DOMAIN_PAGING) || !smmu_domain->nest_parent ||
	    smmu_domain->smmu != master->smmu)
		return ERR_PTR(-EINVAL);
	return &arm_smmu_viommu_kind;
}

/**
 * arm_smmu_nested_commit() - a device's events are the guest's, or not any more
 * @state: what has just been attached
 *
 * Context: may sleep; takes streams_mutex.
 */
void arm_smmu_nested_commit(struct arm_smmu_attach_state *state)
{
	struct arm_smmu_master *master = state->master;

	if (state->ssid != IOMMU_NO_PASID)
		return;
	guard(mutex)(&master->smmu->streams_mutex);
	master->viommu = state->viommu;
}

/*
 * Whether it is the guest's tables that an event tells of. What was fetched from a
 * physical address, and what stage 2 refused, is none of the guest's business.
 */
static bool guest_event(const u64 *evt)
{
	switch (FIELD_GET(EVTQ_0_ID, evt[0])) {
	case EVT_ID_BAD_STE:
	case EVT_ID_STREAM_DISABLED:
	case EVT_ID_BAD_SUBSTREAMID:
	case EVT_ID_BAD_CD:
		return true;
	case EVT_ID_TRANSLATION_FAULT:
	case EVT_ID_ADDR_SIZE_FAULT:
	case EVT_ID_ACCESS_FAULT:
	case EVT_ID_PERMISSION_FAULT:
		return !(evt[1] & (EVTQ_1_S2 | EVTQ_1_STALL));
	}
	return false;
}

/**
 * arm_smmu_nested_event() - give an event to the guest whose tables it tells of
 * @smmu: the SMMU
 * @evt: the record
 *
 * Context: a thread; takes streams_mutex, under which a device gets and loses its
 * virtual IOMMU.
 * Return: whether the guest has it, or has no room for it; else it is the host's.
 */
bool arm_smmu_nested_event(struct arm_smmu_device *smmu, const u64 *evt)
{
	struct iommu_vevent_arm_smmuv3 event = {};
	struct arm_smmu_master *master;
	u64 virt_id;

	if (!guest_event(evt))
		return false;
	guard(mutex)(&smmu->streams_mutex);
	master = arm_smmu_find_master(smmu, FIELD_GET(EVTQ_0_SID, evt[0]));
	if (!master || !master->viommu ||
	    iommufd_viommu_virt_id(master->viommu, master->dev, &virt_id))
		return false;
	event.evt[0] = cpu_to_le64((evt[0] & ~EVTQ_0_SID) | FIELD_PREP(EVTQ_0_SID, virt_id));
	event.evt[1] = cpu_to_le64(evt[1]);
	/* The last word is of stage 2. */
	event.evt[2] = cpu_to_le64(evt[2]);
	return iommufd_viommu_report(master->viommu, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, &event) !=
	       -EOPNOTSUPP;
}
