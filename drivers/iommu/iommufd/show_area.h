/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The areas of a context's IOASes, as text.
 */
#ifndef __IOMMUFD_SHOW_AREA_H
#define __IOMMUFD_SHOW_AREA_H

#include <linux/types.h>

struct iommufd_ctx;

/**
 * struct show_area_pos - the next area of a context; {} at the beginning
 * @id: no IOAS with a smaller ID comes
 * @iova: of that IOAS, no area that ends before this
 */
struct show_area_pos {
	unsigned long id;
	unsigned long iova;
};

bool show_area(struct iommufd_ctx *ictx, struct show_area_pos *pos, char *line);

#endif
