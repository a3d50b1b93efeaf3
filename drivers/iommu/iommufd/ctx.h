/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The context as a file and as a payer. Any layer may ask for it; main.c
 * answers.
 */
#ifndef __IOMMUFD_CTX_H
#define __IOMMUFD_CTX_H

#include <linux/types.h>

struct account;
struct device;
struct file;
struct iommufd_ctx;

struct iommufd_ctx *ctx_of_file(struct file *file);
struct device *ctx_device(void);
struct account *ctx_account(struct iommufd_ctx *ictx);
int ctx_change_process(struct iommufd_ctx *ictx);
int ctx_set_account_mode(struct iommufd_ctx *ictx, bool per_process);

#endif
