// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's SMMUv3: a CD table that this program wrote in guest memory is handed over
 * by one attach, and the function's DMA goes through it and stage 2. Then what the
 * guest can do: invalidate, be told of faults, change its STE; and what it cannot.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include "ask.h"
#include "guest.h"

#define VA_IN		0x1000000ULL	/* what the function reads from */
#define VA_OUT		0x1001000ULL	/* what it writes to */
#define VA_HOLE		0x1002000ULL
#define MSI_WINDOW	0x8000000ULL	/* of the reserved ranges of IOAS_IOVA_RANGES */
#define F_TRANSLATION	0x10
#define F_PERMISSION	0x13
#define STE_S1		(1 | 5 << 1)

static struct guest guest;
static const char *bdf;

/* Through the function, from an address to another; both are the guest's of whatever stage. */
static void copy(__u64 from, __u64 to)
{
	edu_start(guest.bar, from, EDU_BUFFER, 512, false);
	edu_wait(guest.bar);
	edu_start(guest.bar, EDU_BUFFER, to, 512, true);
	edu_wait(guest.bar);
}

static __u64 physical(__u64 ipa)
{
	return pfn(guest_at(&guest, ipa)) * PAGE + ipa % PAGE;
}

/* The walker of a request of the function: where it goes in guest memory, or the event. */
static void check_walk(const char *name, __u64 address, bool write, __u64 ipa, unsigned int event)
{
	struct said said = ask(bdf, NO_PASID, address, write ? 'w' : 'r');
	char text[100];

	snprintf(text, sizeof(text), "%s: the walker agrees", name);
	check(event ? said.fault == event : !strcmp(said.result, "translated") &&
	      said.output == physical(ipa), text, "%s, %#llx, fault %#x", said.result,
	      said.output, said.fault);
}

static void hw_info(void)
{
	struct iommu_hw_info_arm_smmuv3 info = {};
	struct iommu_hw_info arg = {
		.size = sizeof(arg), .dev_id = guest.devid, .data_len = sizeof(info),
		.data_uptr = (unsigned long)&info,
	};

	if (ioctl(guest.iommu, IOMMU_GET_HW_INFO, &arg))
		err(1, "IOMMU_GET_HW_INFO");
	/* Both stages, AArch64 tables; 4 KiB pages. */
	check(arg.out_data_type == IOMMU_HW_INFO_TYPE_ARM_SMMUV3 && arg.data_len == sizeof(info) &&
	      (info.idr[0] & 0xb) == 0xb && (info.idr[5] & 0x10), "registers of the SMMU",
	      "type %u, IDR0 %#x, IDR5 %#x", arg.out_data_type, info.idr[0], info.idr[5]);
}

static int attach(__u32 hwpt)
{
	return dev_attach(guest.dev, &hwpt);
}

static void check_event(const char *name, unsigned int id, __u64 address)
{
	__u64 evt[4];

	if (!guest_event(&guest, evt)) {
		check(false, name, "no event came");
		return;
	}
	check((evt[0] & 0xff) == id && evt[0] >> 32 == GUEST_SID && evt[2] == address && !evt[3],
	      name, "%#llx %#llx %#llx %#llx", evt[0], evt[1], evt[2], evt[3]);
	guest_forget_events(&guest);
}

static void hand_over(__u64 in, __u64 out, __u32 *hwpt)
{
	check_rc(guest_hwpt(&guest, guest.cd, hwpt), 0, "a page table from the guest's STE");
	check_rc(attach(*hwpt), 0, "attach hands the CD table over");
	fill(guest_at(&guest, in), 512, 1);
	copy(VA_IN, VA_OUT);
	check(filled(guest_at(&guest, out), 512, 1), "DMA through both stages",
	      "it did not arrive");
	check_walk("read", VA_IN + 4, false, in + 4, 0);
	check_walk("write", VA_OUT, true, out, 0);
}

static void faults(void)
{
	__u64 readable = guest_page(&guest), evt[4];

	guest_map(&guest, guest.table, VA_HOLE + PAGE, readable, false);
	edu_start(guest.bar, EDU_BUFFER, VA_HOLE, 512, true);
	edu_wait(guest.bar);
	check_event("a hole: the guest is told", F_TRANSLATION, VA_HOLE);
	check_walk("a hole", VA_HOLE, true, 0, F_TRANSLATION);
	edu_start(guest.bar, EDU_BUFFER, VA_HOLE + PAGE, 512, true);
	edu_wait(guest.bar);
	check(untouched(guest_at(&guest, readable)), "a read-only page is not written", "it is");
	check_event("a read-only page: the guest is told", F_PERMISSION, VA_HOLE + PAGE);
	check_walk("a read-only page", VA_HOLE + PAGE, true, 0, F_PERMISSION);
	/* The guest maps what is not its memory: that is between VMM and host. */
	guest_map(&guest, guest.table, VA_HOLE + 2 * PAGE, GUEST_BASE + GUEST_SIZE, true);
	edu_start(guest.bar, EDU_BUFFER, VA_HOLE + 2 * PAGE, 512, true);
	edu_wait(guest.bar);
	check_walk("not the guest's memory", VA_HOLE + 2 * PAGE, true, 0, F_TRANSLATION);
	check(!guest_event(&guest, evt), "what stage 2 refuses is not told to the guest", "%#llx",
	      evt[0]);
}

/* The function has VA_OUT in its TLB, then the guest maps another page there. */
static void invalidate(__u64 out)
{
	const struct guest_command cmd[] = {
		{ { 0x12 | (__u64)GUEST_ASID << 48, VA_OUT | 1 } },	/* TLBI_NH_VA, leaf */
		{ { 0x06 | (__u64)GUEST_SID << 32 } },			/* CFGI_CD_ALL */
		{ { 0x11 | (__u64)GUEST_ASID << 48 } },			/* TLBI_NH_ASID */
		{ { 0x30 } },						/* TLBI_NSNH_ALL */
	};
	const struct guest_command bad[] = {
		{ { 0x30 } }, { { 0x10 } }, { { 0x06 | 3ULL << 32 } }, { { 0x30 } },
	};
	const struct guest_command other[] = {
		{ { 0x04, 31 } }, { { 0x12 | 1ULL << 32 } }, { { 0x46 } }, { { 0x30, 1 } },
	};
	__u64 page = guest_page(&guest);
	unsigned int i;
	int rc;

	guest_map(&guest, guest.table, VA_OUT, page, true);
	check(guest_commands(&guest, cmd, 4, &rc) == 4 && !rc, "four commands", "%d", rc);
	memset(guest_at(&guest, out), 0, PAGE);
	copy(VA_IN, VA_OUT);
	check(filled(guest_at(&guest, page), 512, 1) && untouched(guest_at(&guest, out)),
	      "DMA goes to the guest's new page", "it does not");
	check(guest_commands(&guest, bad, 4, &rc) == 2 && rc == -EIO,
	      "an unknown stream: two commands before it are done", "%d", rc);
	for (i = 0; i < 4; i++)
		check(guest_commands(&guest, &other[i], 1, &rc) == 0 && rc == -EIO,
		      "a command that is not the guest's is refused", "%#llx: %d",
		      other[i].word[0], rc);
	guest_map(&guest, guest.table, VA_OUT, out, true);
	guest_commands(&guest, cmd, 4, &rc);
}

static void stes(void)
{
	static const struct {
		__u64 word[2];
		const char *name;
	} bad[] = {
		{ { 1 | 7 << 1 }, "both stages" }, { { 1 | 6 << 1 }, "stage 2" },
		{ { 1 | 1 << 1 }, "a reserved Config" },
		{ { STE_S1 | 1ULL << 52 }, "a reserved bit" },
		{ { STE_S1, 1 << 30 }, "STRW" }, { { STE_S1, 2 << 28 }, "split-stage ATS" },
		{ { STE_S1, 1ULL << 44 }, "SHCFG" }, { { STE_S1 | 1ULL << 59 }, "S1CDMax" },
	};
	unsigned int i;
	char name[100];
	__u32 id;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(name, sizeof(name), "an STE with %s is refused", bad[i].name);
		check_rc(guest_ste(&guest, bad[i].word[0], bad[i].word[1], &id), -EIO, name);
	}
}

/* Bypass, abort and invalid, and back, with writes under way whenever one is attached. */
static void change(__u32 nested, __u64 out)
{
	__u32 bypass, abort, invalid, other;
	__u64 page = guest_page(&guest), table = guest_page(&guest);
	int i, lost = 0, turns = 0;

	check_rc(guest_ste(&guest, 1 | 4 << 1, 0, &bypass), 0, "an STE of bypass");
	check_rc(guest_ste(&guest, 1, 0, &abort), 0, "an STE of abort");
	check_rc(guest_ste(&guest, 0, 0, &invalid), 0, "an invalid STE");
	check_rc(attach(bypass), 0, "attach bypass");
	copy(guest.cd, page);
	check(!memcmp(guest_at(&guest, page), guest_at(&guest, guest.cd), 64),
	      "bypass: DMA by the guest's physical addresses", "it did not arrive");
	check_walk("bypass", page, true, page, 0);
	check_rc(attach(abort), 0, "attach abort");
	memset(guest_at(&guest, page), 0, PAGE);
	copy(guest.cd, page);
	check(untouched(guest_at(&guest, page)), "abort: nothing arrives", "it did");
	check_rc(attach(invalid), 0, "attach the invalid one");
	check_rc(attach(nested), 0, "attach the CD table again");

	guest_map(&guest, table, VA_OUT, page, true);
	check_rc(guest_hwpt(&guest, guest_cd(&guest, table), &other), 0, "another CD table");
	copy(VA_IN, VA_OUT);
	for (i = 0; i < 16; i++) {
		memset(guest_at(&guest, page), 0, PAGE);
		memset(guest_at(&guest, out), 0, PAGE);
		edu_start(guest.bar, EDU_BUFFER, VA_OUT, 512, true);
		while (__atomic_load_n(guest.bar + 0x98 / 8, __ATOMIC_SEQ_CST) & 1)
			if (attach(turns++ % 2 ? nested : other))
				errx(1, "replace");
		lost += untouched(guest_at(&guest, page)) == untouched(guest_at(&guest, out));
	}
	check(turns > 32, "CD tables were exchanged while DMA was under way", "%d turns", turns);
	check(!lost, "every write arrives while they are", "%d of 16 did not", lost);
}

/* The guest leaves the doorbell's window as it is. */
static void interrupts(void)
{
	int irq;

	guest_map(&guest, guest.table, MSI_WINDOW, MSI_WINDOW, true);
	irq = irq_open(guest.dev);
	check(irq >= 0, "an interrupt below the guest's tables", "%s", strerror(-irq));
	if (irq < 0)
		return;
	check(irq_arrives(guest.bar, irq), "it goes through both stages", "it did not come");
	guest_map(&guest, guest.table, MSI_WINDOW, 0, false);
	close(irq);
}

int main(int argc, char **argv)
{
	__u64 in, out;
	__u32 nested;

	if (argc != 2)
		errx(2, "usage: smmu-nested BDF");
	bdf = argv[1];
	guest_open(&guest, bdf);
	hw_info();
	in = guest_page(&guest);
	out = guest_page(&guest);
	guest_map(&guest, guest.table, VA_IN, in, true);
	guest_map(&guest, guest.table, VA_OUT, out, true);
	hand_over(in, out, &nested);
	faults();
	invalidate(out);
	stes();
	interrupts();
	change(nested, out);
	check_rc(dev_detach(guest.dev), 0, "detach");
	memset(guest_at(&guest, out), 0, PAGE);
	copy(VA_IN, VA_OUT);
	check(untouched(guest_at(&guest, out)), "detached: nothing arrives", "it did");
	guest_close(&guest);
	check(!pins_gone(), "nothing stays pinned", "%ld pages", pins());
	return check_done();
}
