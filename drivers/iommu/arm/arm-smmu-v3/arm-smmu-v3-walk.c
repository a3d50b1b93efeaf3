// SPDX-License-Identifier: GPL-2.0
/*
 * The SMMUv3 walker: what an SMMU makes of a request, read from its registers and
 * from memory as it would read them itself,
 *
 *	stream table, linear or of two levels -> STE
 *	CD table, linear or of two levels, through stage 2 if there is one -> CD
 *	tables of stage 1, then of stage 2 (arm-smmu-v3-walk-pt.c)
 *
 * or the event that it would record. The specifications are named in
 * arm-smmu-v3-walk.h. It knows no structure and no macro of the driver. Only
 * non-secure streams of AArch64 are looked at; caches are not.
 */
#include "arm-smmu-v3-walk.h"

/* SMMU 6.3: registers */
#define IDR0_HAS_S2		BIT(0)
#define IDR0_HAS_S1		BIT(1)
#define IDR0_TT_AARCH64		BIT(3)
#define IDR0_TWO_LEVEL_CD	BIT(19)
#define IDR0_STALLS		GENMASK(25, 24)
#define IDR0_TERM_ONLY		BIT(26)
#define IDR1_SUBSTREAMS		GENMASK(10, 6)
#define CR0_ON			BIT(0)
#define CR2_EL2_HOST		BIT(0)
#define GBPA_ABORTS		BIT(20)
#define STRTAB_ADDR		GENMASK_ULL(51, 6)
#define STRTAB_FORMAT		GENMASK(17, 16)
#define STRTAB_SPLIT_AT		GENMASK(10, 6)
#define STRTAB_LOG2		GENMASK(5, 0)

/* SMMU 5.1: level 1 stream table descriptor */
#define L1STD_SPAN		GENMASK_ULL(4, 0)
#define L1STD_ADDR		GENMASK_ULL(51, 6)

/* SMMU 5.2: STE, by 64-bit word */
#define STE0_V			BIT_ULL(0)
#define STE0_CONFIG		GENMASK_ULL(3, 1)
#define STE0_S1FMT		GENMASK_ULL(5, 4)
#define STE0_CONTEXT		GENMASK_ULL(51, 6)
#define STE0_CDMAX		GENMASK_ULL(63, 59)
#define STE1_S1DSS		GENMASK_ULL(1, 0)
#define STE1_STALLD		BIT_ULL(27)
#define STE1_STRW		GENMASK_ULL(31, 30)
#define STE1_PRIV		GENMASK_ULL(49, 48)
#define STE2_T0SZ		GENMASK_ULL(37, 32)
#define STE2_SL0		GENMASK_ULL(39, 38)
#define STE2_TG			GENMASK_ULL(47, 46)
#define STE2_PS			GENMASK_ULL(50, 48)
#define STE2_AA64		BIT_ULL(51)
#define STE2_ENDI		BIT_ULL(52)
#define STE2_AFFD		BIT_ULL(53)
#define STE2_PTW		BIT_ULL(54)
#define STE2_HD			BIT_ULL(55)
#define STE2_HA			BIT_ULL(56)
#define STE3_TTB		GENMASK_ULL(51, 4)

/* SMMU 5.3: level 1 context descriptor; 5.4: CD */
#define L1CD_V			BIT_ULL(0)
#define L1CD_ADDR		GENMASK_ULL(51, 12)
#define CD0_T0SZ		GENMASK_ULL(5, 0)
#define CD0_TG0			GENMASK_ULL(7, 6)
#define CD0_EPD0		BIT_ULL(14)
#define CD0_ENDI		BIT_ULL(15)
#define CD0_T1SZ		GENMASK_ULL(21, 16)
#define CD0_TG1			GENMASK_ULL(23, 22)
#define CD0_EPD1		BIT_ULL(30)
#define CD0_V			BIT_ULL(31)
#define CD0_IPS			GENMASK_ULL(34, 32)
#define CD0_AFFD		BIT_ULL(35)
#define CD0_TBI0		BIT_ULL(38)
#define CD0_TBI1		BIT_ULL(39)
#define CD0_AA64		BIT_ULL(41)
#define CD0_HD			BIT_ULL(42)
#define CD0_HA			BIT_ULL(43)
#define CD0_S			BIT_ULL(44)
#define CD0_A			BIT_ULL(46)
#define CD_TTB			GENMASK_ULL(51, 4)
#define CD_HAD			BIT_ULL(1)

enum { STREAM_BYPASS = 4, STREAM_S1 = 5, STREAM_S2 = 6, STREAM_NESTED = 7 };
enum { S1DSS_TERMINATE, S1DSS_BYPASS, S1DSS_SUBSTREAM0 };
enum { S1FMT_LINEAR, S1FMT_4K, S1FMT_64K };

/**
 * struct stream - a request on its way
 * @walk: the question and its answer
 * @regs: the SMMU
 * @sid: the StreamID
 * @ste: its STE
 * @second: stage 2, if @nested or stage 2 alone
 * @below: &second where tables of stage 1 go through it; else NULL
 */
struct stream {
	struct iommu_walk *walk;
	struct smmu_regs regs;
	u32 sid;
	u64 ste[8];
	struct smmu_stage second;
	const struct smmu_stage *below;
};

static const struct {
	u8 event;
	const char *name;
} event_names[] = {
	{ SMMU_C_BAD_STREAMID, "C_BAD_STREAMID" },
	{ SMMU_F_STE_FETCH, "F_STE_FETCH" },
	{ SMMU_C_BAD_STE, "C_BAD_STE" },
	{ SMMU_F_STREAM_DISABLED, "F_STREAM_DISABLED" },
	{ SMMU_C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID" },
	{ SMMU_F_CD_FETCH, "F_CD_FETCH" },
	{ SMMU_C_BAD_CD, "C_BAD_CD" },
	{ SMMU_F_WALK_EABT, "F_WALK_EABT" },
	{ SMMU_F_TRANSLATION, "F_TRANSLATION" },
	{ SMMU_F_ADDR_SIZE, "F_ADDR_SIZE" },
	{ SMMU_F_ACCESS, "F_ACCESS" },
	{ SMMU_F_PERMISSION, "F_PERMISSION" },
};

/* SMMU 5.2 S2TG, 5.4 TG0 and, another, TG1: log2 of the granule, 0 if reserved. */
static unsigned int granule_of(unsigned int tg, bool tg1)
{
	static const u8 lower[] = { 12, 16, 14, 0 }, upper[] = { 0, 14, 12, 16 };

	return tg1 ? upper[tg] : lower[tg];
}

/* SMMU 5.2 S2PS, 5.4 IPS: no more than the SMMU itself has; 52 bits only with 64 KiB. */
static unsigned int output_bits(const struct smmu_regs *regs, unsigned int field,
				unsigned int granule)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 52 };
	unsigned int out = min_t(unsigned int, bits[field], smmu_oas(regs));

	return granule == 16 ? out : min(out, 48U);
}

/* SMMU 5.1 and 6.3.24: the STE of a StreamID. */
static enum smmu_event find_ste(struct stream *s)
{
	unsigned int log2 = FIELD_GET(STRTAB_LOG2, s->regs.strtab_cfg);
	unsigned int split = FIELD_GET(STRTAB_SPLIT_AT, s->regs.strtab_cfg), span;
	unsigned int format = FIELD_GET(STRTAB_FORMAT, s->regs.strtab_cfg);
	u64 at = s->regs.strtab & STRTAB_ADDR, desc;
	u32 index = s->sid;

	if (log2 < 32 && s->sid >> log2)
		return SMMU_C_BAD_STREAMID;
	if (format == 1 && log2 > split) {
		at &= ~((8ULL << (log2 - split)) - 1);
		if (iommu_walk_read(s->walk, "stream table", IOMMU_WALK_DEVICE, 2,
				    at + (s->sid >> split) * 8ULL, &desc, 1))
			return SMMU_F_STE_FETCH;
		span = FIELD_GET(L1STD_SPAN, desc);
		index = s->sid & (BIT(split) - 1);
		if (!span || span > split + 1 || index >> (span - 1))
			return SMMU_C_BAD_STREAMID;
		at = desc & L1STD_ADDR & ~((64ULL << (span - 1)) - 1);
	} else {
		at &= ~((64ULL << log2) - 1);
	}
	if (iommu_walk_read(s->walk, "STE", IOMMU_WALK_DEVICE, 1, at + index * 64ULL, s->ste, 8))
		return SMMU_F_STE_FETCH;
	return SMMU_NONE;
}

/* SMMU 5.2: stage 2 as the STE has it; false if that is illegal. */
static bool second_stage(struct stream *s)
{
	unsigned int sl = FIELD_GET(STE2_SL0, s->ste[2]), level0_at;
	unsigned int granule = granule_of(FIELD_GET(STE2_TG, s->ste[2]), false);
	unsigned int stride = granule - 3;
	int top;

	if (!(s->ste[2] & STE2_AA64) || !smmu_has_granule(&s->regs, granule) || sl == 3)
		return false;
	s->second = (struct smmu_stage) {
		.base = s->ste[3] & STE3_TTB,
		.granule = granule,
		.input = 64 - FIELD_GET(STE2_T0SZ, s->ste[2]),
		.output = output_bits(&s->regs, FIELD_GET(STE2_PS, s->ste[2]), granule),
		.start = (granule == 12 ? 2 : 3) - sl,
		.second = true,
		.big_endian = s->ste[2] & STE2_ENDI,
		.access = !(s->ste[2] & (STE2_AFFD | STE2_HA)),
		.dirty = (s->ste[2] & STE2_HA) && (s->ste[2] & STE2_HD),
		.ptw = s->ste[2] & STE2_PTW,
	};
	/* Up to 16 tables side by side at the level of the start: Arm ARM D8.2, concatenation. */
	level0_at = granule + stride * (3 - s->second.start);
	top = (int)s->second.input - (int)level0_at;
	if (top < 1 || top > (int)stride + 4 || s->second.input > smmu_oas(&s->regs) ||
	    s->second.base >> smmu_oas(&s->regs))
		return false;
	s->second.top = top;
	return true;
}

/* SMMU 5.2: what of the STE is illegal when stage 1 translates. */
static bool first_stage_legal(const struct stream *s)
{
	unsigned int cdmax = FIELD_GET(STE0_CDMAX, s->ste[0]);
	unsigned int format = FIELD_GET(STE0_S1FMT, s->ste[0]);

	if (!(s->regs.idr0 & IDR0_HAS_S1) || cdmax > FIELD_GET(IDR1_SUBSTREAMS, s->regs.idr1))
		return false;
	if (cdmax && FIELD_GET(STE1_S1DSS, s->ste[1]) > S1DSS_SUBSTREAM0)
		return false;
	if (cdmax && format &&
	    (format > S1FMT_64K || !(s->regs.idr0 & IDR0_TWO_LEVEL_CD)))
		return false;
	/* What is below stage 2 is an IPA, and is tried there. */
	return s->below || !((s->ste[0] & STE0_CONTEXT) >> smmu_oas(&s->regs));
}

static enum smmu_event check_ste(struct stream *s, unsigned int config)
{
	static const char * const names[] = {
		[STREAM_BYPASS] = "bypass", [STREAM_S1] = "stage 1", [STREAM_S2] = "stage 2",
		[STREAM_NESTED] = "stage 1 and 2",
	};

	if (!(s->ste[0] & STE0_V))
		return SMMU_C_BAD_STE;
	iommu_walk_note(s->walk, "Config %s", config < STREAM_BYPASS ? "abort" : names[config]);
	if (config < STREAM_BYPASS)
		return SMMU_NONE;
	if ((config & 2) && (!(s->regs.idr0 & IDR0_HAS_S2) || !second_stage(s)))
		return SMMU_C_BAD_STE;
	if (config == STREAM_NESTED)
		s->below = &s->second;
	if ((config & 1) && !first_stage_legal(s))
		return SMMU_C_BAD_STE;
	return SMMU_NONE;
}

/*
 * SMMU 3.3.1 and 5.2 (S1CDMax, S1DSS): which CD a request uses. *@skip: it skips
 * stage 1. A SubstreamID of 0 is no request's own where it stands for those without.
 */
static enum smmu_event substream(const struct stream *s, u32 *ssid, bool *skip)
{
	unsigned int cdmax = FIELD_GET(STE0_CDMAX, s->ste[0]);
	unsigned int dss = FIELD_GET(STE1_S1DSS, s->ste[1]);

	*skip = false;
	*ssid = 0;
	if (!s->walk->has_pasid) {
		if (!cdmax || dss == S1DSS_SUBSTREAM0)
			return SMMU_NONE;
		*skip = dss == S1DSS_BYPASS;
		return *skip ? SMMU_NONE : SMMU_F_STREAM_DISABLED;
	}
	*ssid = s->walk->pasid;
	if (!cdmax || *ssid >> cdmax || (!*ssid && dss == S1DSS_SUBSTREAM0))
		return SMMU_C_BAD_SUBSTREAMID;
	return SMMU_NONE;
}

/* SMMU 5.3 and 5.4: the CD of a SubstreamID. */
static enum smmu_event find_cd(struct stream *s, u32 ssid, u64 *cd)
{
	unsigned int format = FIELD_GET(STE0_S1FMT, s->ste[0]);
	unsigned int split = format == S1FMT_4K ? 6 : 10;
	u64 at = s->ste[0] & STE0_CONTEXT, desc;
	enum smmu_event event;

	if (FIELD_GET(STE0_CDMAX, s->ste[0]) && format != S1FMT_LINEAR) {
		at += (ssid >> split) * 8ULL;
		event = smmu_through(s->walk, s->below, false, &at);
		if (event)
			return event;
		if (iommu_walk_read(s->walk, "CD table", IOMMU_WALK_DEVICE, 2, at, &desc, 1))
			return SMMU_F_CD_FETCH;
		if (!(desc & L1CD_V))
			return SMMU_C_BAD_SUBSTREAMID;
		at = desc & L1CD_ADDR;
		ssid &= BIT(split) - 1;
	}
	at += ssid * 64ULL;
	event = smmu_through(s->walk, s->below, false, &at);
	if (event)
		return event;
	if (iommu_walk_read(s->walk, "CD", IOMMU_WALK_DEVICE, 1, at, cd, 8))
		return SMMU_F_CD_FETCH;
	return SMMU_NONE;
}

/* SMMU 5.4: what makes a CD illegal, whatever the address. */
static bool cd_legal(const struct stream *s, const u64 *cd)
{
	unsigned int stalls = FIELD_GET(IDR0_STALLS, s->regs.idr0);
	bool stall = cd[0] & CD0_S;

	if (!(cd[0] & CD0_V) || !(cd[0] & CD0_AA64) || !(s->regs.idr0 & IDR0_TT_AARCH64))
		return false;
	if ((stall && (stalls == 1 || (s->ste[1] & STE1_STALLD))) || (!stall && stalls == 2))
		return false;
	return (cd[0] & CD0_A) || !(s->regs.idr0 & IDR0_TERM_ONLY);
}

/*
 * SMMU 3.4.1 and 5.4: which half of the address space an address is in, and stage
 * 1 of that half. @cd is legal but for what only counts if the half is in use.
 */
static enum smmu_event first_stage(const struct stream *s, const u64 *cd, u64 *address,
				   struct smmu_stage *stage)
{
	/* SMMU 5.2 STRW: EL2 with E2H is as EL1, without it has one half and one privilege. */
	bool el1 = s->below || !FIELD_GET(STE1_STRW, s->ste[1]) || (s->regs.cr2 & CR2_EL2_HOST);
	bool upper = el1 && (*address & BIT_ULL(55));
	u64 tbi = upper ? CD0_TBI1 : CD0_TBI0, ttb = upper ? cd[2] : cd[1], high;
	unsigned int tsz = upper ? FIELD_GET(CD0_T1SZ, cd[0]) : FIELD_GET(CD0_T0SZ, cd[0]);
	unsigned int tg = upper ? FIELD_GET(CD0_TG1, cd[0]) : FIELD_GET(CD0_TG0, cd[0]);
	unsigned int granule = granule_of(tg, upper), stride = granule - 3, levels;

	if (cd[0] & (upper ? CD0_EPD1 : CD0_EPD0))
		return SMMU_F_TRANSLATION;
	if (!smmu_has_granule(&s->regs, granule) || tsz > 39 || tsz < (granule == 16 ? 12 : 16))
		return SMMU_C_BAD_CD;
	*stage = (struct smmu_stage) {
		.base = ttb & CD_TTB,
		.granule = granule,
		.input = 64 - tsz,
		.output = output_bits(&s->regs, FIELD_GET(CD0_IPS, cd[0]), granule),
		.big_endian = cd[0] & CD0_ENDI,
		.access = !(cd[0] & (CD0_AFFD | CD0_HA)),
		.dirty = (cd[0] & CD0_HA) && (cd[0] & CD0_HD),
		.hierarchical = !(ttb & CD_HAD),
		.el1 = el1,
		.privileged = FIELD_GET(STE1_PRIV, s->ste[1]) == 3,
	};
	if (stage->base >> stage->output)
		return SMMU_C_BAD_CD;
	levels = DIV_ROUND_UP(stage->input - granule, stride);
	stage->start = 4 - levels;
	stage->top = stage->input - granule - stride * (levels - 1);

	/* The bits above must be copies of the highest, but for an ignored top byte. */
	high = ~0ULL << stage->input;
	if (cd[0] & tbi)
		high &= GENMASK_ULL(55, 0);
	if ((*address & high) != (upper ? high : 0))
		return SMMU_F_TRANSLATION;
	*address &= ~(~0ULL << stage->input);
	return SMMU_NONE;
}

/* Stage 1 of the request's address, through the CD of its SubstreamID. */
static enum smmu_event translate_first(struct stream *s, u32 ssid, struct smmu_page *page)
{
	u64 address = s->walk->iova, cd[8];
	struct smmu_stage stage;
	enum smmu_event event;

	event = find_cd(s, ssid, cd);
	if (event)
		return event;
	if (!cd_legal(s, cd))
		return SMMU_C_BAD_CD;
	iommu_walk_note(s->walk, "ASID %llu", cd[0] >> 48);
	s->walk->how = s->below ? "nested" : "first stage";
	if (!s->walk->has_iova)
		return SMMU_NONE;
	event = first_stage(s, cd, &address, &stage);
	if (event)
		return event;
	event = smmu_walk_stage(s->walk, &stage, s->below, address, page);
	if (event)
		return event;
	return (s->walk->write ? page->write : page->read) ? SMMU_NONE : SMMU_F_PERMISSION;
}

/* Stage 2 of what stage 1 gave, which is in @page. */
static enum smmu_event translate_second(struct stream *s, struct smmu_page *page)
{
	struct smmu_page ipa = *page;
	enum smmu_event event;

	event = smmu_walk_stage(s->walk, &s->second, NULL, ipa.output, page);
	if (event)
		return event;
	if (!(s->walk->write ? page->write : page->read))
		return SMMU_F_PERMISSION;
	page->size = min(page->size, ipa.size);
	page->read &= ipa.read;
	page->write &= ipa.write;
	page->execute &= ipa.execute;
	return SMMU_NONE;
}

static enum smmu_event translate(struct stream *s, unsigned int config, struct smmu_page *page)
{
	bool skip = !(config & 1);
	enum smmu_event event;
	u32 ssid;

	/* SMMU 3.3.1: without stage 1 no request has a SubstreamID. */
	if (skip && s->walk->has_pasid)
		return SMMU_C_BAD_SUBSTREAMID;
	if (!skip) {
		event = substream(s, &ssid, &skip);
		if (event)
			return event;
	}
	if (!skip) {
		event = translate_first(s, ssid, page);
		if (event)
			return event;
	} else {
		s->walk->how = config & 2 ? "second stage" : "pass-through";
	}
	if (!s->walk->has_iova)
		return SMMU_NONE;
	if (config & 2)
		return translate_second(s, page);
	return page->output >> smmu_oas(&s->regs) ? SMMU_F_ADDR_SIZE : SMMU_NONE;
}

/* SMMU 5.2: a stream that is switched off has no event. */
static int blocked(struct iommu_walk *walk)
{
	walk->how = "blocked";
	walk->fault = "aborted, no event";
	return 0;
}

static int answer(struct iommu_walk *walk, enum smmu_event event, const struct smmu_page *page)
{
	unsigned int i;

	if (!event) {
		walk->translated = walk->has_iova;
		walk->output = page->output;
		walk->size = page->size == ~0ULL ? 0 : page->size;
		walk->readable = page->read;
		walk->writable = page->write;
		walk->executable = page->execute;
		return 0;
	}
	walk->fault_code = event;
	for (i = 0; i < ARRAY_SIZE(event_names); i++)
		if (event_names[i].event == event)
			walk->fault = event_names[i].name;
	return 0;
}

/**
 * arm_smmu_walk() - what an SMMUv3 makes of a request
 * @walk: the question; takes the answer
 *
 * Context: may sleep; see iommu-walk.h.
 * Return: 0, or -ENODEV if the device has no stream.
 */
int arm_smmu_walk(struct iommu_walk *walk)
{
	/* What is not translated comes out as it went in. */
	struct smmu_page page = {
		.output = walk->iova, .size = ~0ULL, .read = true, .write = true, .execute = true,
	};
	struct stream s = { .walk = walk };
	enum smmu_event event;
	unsigned int config;
	int ret;

	ret = arm_smmu_walk_regs(walk->dev, &s.regs, &s.sid);
	if (ret)
		return ret;
	/* SMMU 3.11: of an SMMU that is off, SMMU_GBPA tells. */
	if (!(s.regs.cr0 & CR0_ON)) {
		if (s.regs.gbpa & GBPA_ABORTS)
			return blocked(walk);
		walk->how = "pass-through";
		return answer(walk, SMMU_NONE, &page);
	}
	event = find_ste(&s);
	config = FIELD_GET(STE0_CONFIG, s.ste[0]);
	if (!event)
		event = check_ste(&s, config);
	if (!event && config < STREAM_BYPASS)
		return blocked(walk);
	if (!event)
		event = translate(&s, config, &page);
	return answer(walk, event, &page);
}
