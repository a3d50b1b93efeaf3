// SPDX-License-Identifier: GPL-2.0-only
/*
 * DESTROY and OPTION.
 */
#include <linux/capability.h>
#include <uapi/linux/iommufd.h>

#include "../ctx.h"
#include "../space/ioas.h"
#include "op.h"

int op_destroy(struct op_call *call)
{
	struct iommu_destroy *cmd = call->cmd;

	return object_destroy_id(call->ictx, cmd->id);
}

static int option_rlimit_mode(struct op_call *call, struct iommu_option *cmd)
{
	if (cmd->object_id)
		return -EOPNOTSUPP;
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = READ_ONCE(call->ictx->account_per_process);
		return 0;
	}
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (cmd->val64 > 1)
		return -EINVAL;
	return ctx_set_account_mode(call->ictx, cmd->val64);
}

static int option_huge_pages(struct op_call *call, struct iommu_option *cmd)
{
	CLASS(ioas, ioas)(call->ictx, cmd->object_id);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = READ_ONCE(ioas->large);
		return 0;
	}
	return cmd->val64 > 1 ? -EINVAL : ioas_set_large(ioas, cmd->val64);
}

int op_option(struct op_call *call)
{
	struct iommu_option *cmd = call->cmd;
	int rc;

	if (cmd->op != IOMMU_OPTION_OP_GET && cmd->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		rc = option_rlimit_mode(call, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		rc = option_huge_pages(call, cmd);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (!rc && cmd->op == IOMMU_OPTION_OP_GET)
		rc = op_respond(call);
	return rc;
}
