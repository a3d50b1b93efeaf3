/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of an IOAS share among themselves: areas on their way in and
 * out.
 */
#ifndef __IOMMUFD_IOAS_AREAS_H
#define __IOMMUFD_IOAS_AREAS_H

#include "ioas.h"

struct area *area_new(struct pages *pages, unsigned long offset, unsigned long length,
		      unsigned int prot);
void area_free(struct area *area);
void area_unpin(struct area *area);
int area_load(struct ioas *ioas, struct ioas_member *member, struct area *area);
void areas_free(struct list_head *areas);
void areas_unpin_idle(struct ioas *ioas);
void member_unload(struct ioas_member *member, struct list_head *areas, struct area *end);
int ioas_insert(struct ioas *ioas, struct list_head *areas, struct iova_range *range, bool fixed);
int areas_watch(struct ioas *ioas, struct list_head *areas);
void area_unwatch(struct area *area);

/* Whether an area is in every member. */
static inline bool area_loaded(const struct area *area)
{
	return area->state != AREA_RESERVED && area->pinned && !area->revoked;
}

/*
 * Walks a list of areas that is sorted by IOVA, adjacent ones as one span, without
 * those that are in no domain. *pos is the first area not yet visited; the walk ends
 * before end, if it is there.
 */
static inline bool areas_next_span(struct list_head *areas, struct area **pos,
				   const struct area *end, struct iova_range *span)
{
	struct area *area = *pos;

	while (area != end && !list_entry_is_head(area, areas, link) && area->revoked)
		area = list_next_entry(area, link);
	if (area == end || list_entry_is_head(area, areas, link))
		return false;
	*span = area->iova;
	list_for_each_entry_continue(area, areas, link) {
		if (area == end || area->revoked || area->iova.start - 1 != span->last)
			break;
		span->last = area->iova.last;
	}
	*pos = area;
	return true;
}

#endif
