// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the mock has for virtual IOMMUs: the caches of its devices.
 */
#include "mock.h"

/**
 * mock_check_caches() - DEV_CHECK_CACHE: what a device has in a cache
 * @call: the call
 * @id: the device
 * @args: which cache, and what is expected there
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if it is something else, or there is no such cache; -ENOENT.
 */
int mock_check_caches(struct op_call *call, u32 id, void *args)
{
	MOCK_ARGS(check_dev_cache) check = args;
	struct mock_stdev *stdev;
	int rc = -EINVAL;

	stdev = mock_stdev_of_dev(call->ictx, id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	if (check->id <= MOCK_DEV_CACHE_ID_MAX &&
	    READ_ONCE(stdev->mdev->caches[check->id]) == check->cache)
		rc = 0;
	mock_stdev_put(stdev);
	return rc;
}
