/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events: system iommufd. Any layer may emit them; they take numbers and names,
 * and look at no object. IDs are those that user space has, PASIDs those that it
 * uses, but for ppasid, which is in requests. A result is 0 or -errno.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(__IOMMUFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __IOMMUFD_TRACE_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/tracepoint.h>
#include <uapi/linux/iommufd.h>

#define show_iommufd_prot(prot)							\
	__print_flags((prot) & (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE), "|", \
		      { IOMMU_IOAS_MAP_READABLE, "read" },			\
		      { IOMMU_IOAS_MAP_WRITEABLE, "write" })

#define show_iommufd_policy(policy)						\
	__print_symbolic(policy,						\
			 { IOMMU_PASID_POLICY_NONE, "none" },			\
			 { IOMMU_PASID_POLICY_PER_RID, "per-rid" },		\
			 { IOMMU_PASID_POLICY_GLOBAL, "global" })

#define show_iommufd_perm(perm)							\
	__print_flags(perm, "|",						\
		      { IOMMU_FAULT_PERM_READ, "read" },			\
		      { IOMMU_FAULT_PERM_WRITE, "write" },			\
		      { IOMMU_FAULT_PERM_EXEC, "exec" },			\
		      { IOMMU_FAULT_PERM_PRIV, "priv" })

#define show_iommufd_code(code)							\
	__print_symbolic(code,							\
			 { IOMMU_PAGE_RESP_SUCCESS, "success" },		\
			 { IOMMU_PAGE_RESP_INVALID, "invalid" })

/* Of a failed map that chooses the IOVA, that is what was asked for, which is nothing. */
TRACE_EVENT(iommufd_map,
	TP_PROTO(u32 ioas, unsigned long iova, unsigned long length, unsigned int prot, int rc),
	TP_ARGS(ioas, iova, length, prot, rc),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(unsigned long, iova)
		__field(unsigned long, length_bytes)
		__field(unsigned int, prot)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->length_bytes = length;
		__entry->prot = prot;
		__entry->rc = rc;
	),
	TP_printk("ioas=%u iova=0x%lx length=%lu bytes prot=%s rc=%d", __entry->ioas,
		  __entry->iova, __entry->length_bytes, show_iommufd_prot(__entry->prot),
		  __entry->rc)
);

TRACE_EVENT(iommufd_copy,
	TP_PROTO(u32 src, unsigned long from, u32 dst, unsigned long iova, unsigned long length,
		 unsigned int prot, int rc),
	TP_ARGS(src, from, dst, iova, length, prot, rc),
	TP_STRUCT__entry(
		__field(u32, src_ioas)
		__field(unsigned long, src_iova)
		__field(u32, ioas)
		__field(unsigned long, iova)
		__field(unsigned long, length_bytes)
		__field(unsigned int, prot)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->src_ioas = src;
		__entry->src_iova = from;
		__entry->ioas = dst;
		__entry->iova = iova;
		__entry->length_bytes = length;
		__entry->prot = prot;
		__entry->rc = rc;
	),
	TP_printk("src_ioas=%u src_iova=0x%lx ioas=%u iova=0x%lx length=%lu bytes prot=%s rc=%d",
		  __entry->src_ioas, __entry->src_iova, __entry->ioas, __entry->iova,
		  __entry->length_bytes, show_iommufd_prot(__entry->prot), __entry->rc)
);

/* What was asked for, from the first IOVA to the last, and what was done. */
TRACE_EVENT(iommufd_unmap,
	TP_PROTO(u32 ioas, unsigned long iova, unsigned long last, unsigned long unmapped, int rc),
	TP_ARGS(ioas, iova, last, unmapped, rc),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(unsigned long, iova)
		__field(unsigned long, last)
		__field(unsigned long, unmapped_bytes)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->iova = iova;
		__entry->last = last;
		__entry->unmapped_bytes = unmapped;
		__entry->rc = rc;
	),
	TP_printk("ioas=%u iova=0x%lx last=0x%lx unmapped=%lu bytes rc=%d", __entry->ioas,
		  __entry->iova, __entry->last, __entry->unmapped_bytes, __entry->rc)
);

/* From one page table to another, 0: none; each PASID and device by itself. */
DECLARE_EVENT_CLASS(iommufd_attach_class,
	TP_PROTO(struct device *dev, u32 dev_id, u32 pasid, u32 old_hwpt, u32 hwpt, int rc),
	TP_ARGS(dev, dev_id, pasid, old_hwpt, hwpt, rc),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__field(u32, dev_id)
		__field(u32, pasid)
		__field(u32, old_hwpt)
		__field(u32, hwpt)
		__field(int, rc)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->dev_id = dev_id;
		__entry->pasid = pasid;
		__entry->old_hwpt = old_hwpt;
		__entry->hwpt = hwpt;
		__entry->rc = rc;
	),
	TP_printk("%s dev_id=%u pasid=%u old_hwpt=%u hwpt=%u rc=%d", __get_str(device),
		  __entry->dev_id, __entry->pasid, __entry->old_hwpt, __entry->hwpt, __entry->rc)
);

DEFINE_EVENT(iommufd_attach_class, iommufd_attach,
	TP_PROTO(struct device *dev, u32 dev_id, u32 pasid, u32 old_hwpt, u32 hwpt, int rc),
	TP_ARGS(dev, dev_id, pasid, old_hwpt, hwpt, rc)
);

DEFINE_EVENT(iommufd_attach_class, iommufd_replace,
	TP_PROTO(struct device *dev, u32 dev_id, u32 pasid, u32 old_hwpt, u32 hwpt, int rc),
	TP_ARGS(dev, dev_id, pasid, old_hwpt, hwpt, rc)
);

DEFINE_EVENT(iommufd_attach_class, iommufd_detach,
	TP_PROTO(struct device *dev, u32 dev_id, u32 pasid, u32 old_hwpt, u32 hwpt, int rc),
	TP_ARGS(dev, dev_id, pasid, old_hwpt, hwpt, rc)
);

/* An emulated device: of a detach the IOAS is 0. */
TRACE_EVENT(iommufd_access_attach,
	TP_PROTO(u32 access, u32 pasid, u32 ioas, int rc),
	TP_ARGS(access, pasid, ioas, rc),
	TP_STRUCT__entry(
		__field(u32, access)
		__field(u32, pasid)
		__field(u32, ioas)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->access = access;
		__entry->pasid = pasid;
		__entry->ioas = ioas;
		__entry->rc = rc;
	),
	TP_printk("access=%u pasid=%u ioas=%u rc=%d", __entry->access, __entry->pasid,
		  __entry->ioas, __entry->rc)
);

DECLARE_EVENT_CLASS(iommufd_access_class,
	TP_PROTO(u32 access, u32 pasid, unsigned long iova, unsigned long length, bool write,
		 int rc),
	TP_ARGS(access, pasid, iova, length, write, rc),
	TP_STRUCT__entry(
		__field(u32, access)
		__field(u32, pasid)
		__field(unsigned long, iova)
		__field(unsigned long, length_bytes)
		__field(bool, write)
		__field(int, rc)
	),
	TP_fast_assign(
		__entry->access = access;
		__entry->pasid = pasid;
		__entry->iova = iova;
		__entry->length_bytes = length;
		__entry->write = write;
		__entry->rc = rc;
	),
	TP_printk("access=%u pasid=%u iova=0x%lx length=%lu bytes write=%u rc=%d",
		  __entry->access, __entry->pasid, __entry->iova, __entry->length_bytes,
		  __entry->write, __entry->rc)
);

DEFINE_EVENT(iommufd_access_class, iommufd_access_pin,
	TP_PROTO(u32 access, u32 pasid, unsigned long iova, unsigned long length, bool write,
		 int rc),
	TP_ARGS(access, pasid, iova, length, write, rc)
);

DEFINE_EVENT(iommufd_access_class, iommufd_access_unpin,
	TP_PROTO(u32 access, u32 pasid, unsigned long iova, unsigned long length, bool write,
		 int rc),
	TP_ARGS(access, pasid, iova, length, write, rc)
);

/* Numbers that a user takes and gives back; a device without a parent has no name. */
DECLARE_EVENT_CLASS(iommufd_pasid_class,
	TP_PROTO(struct device *dev, u32 vpasid, u32 ppasid, u32 policy, int rc),
	TP_ARGS(dev, vpasid, ppasid, policy, rc),
	TP_STRUCT__entry(
		__string(device, dev ? dev_name(dev) : "-")
		__field(u32, vpasid)
		__field(u32, ppasid)
		__field(u32, policy)
		__field(int, rc)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->vpasid = vpasid;
		__entry->ppasid = ppasid;
		__entry->policy = policy;
		__entry->rc = rc;
	),
	TP_printk("%s vpasid=%u ppasid=%u policy=%s rc=%d", __get_str(device), __entry->vpasid,
		  __entry->ppasid, show_iommufd_policy(__entry->policy), __entry->rc)
);

DEFINE_EVENT(iommufd_pasid_class, iommufd_pasid_alloc,
	TP_PROTO(struct device *dev, u32 vpasid, u32 ppasid, u32 policy, int rc),
	TP_ARGS(dev, vpasid, ppasid, policy, rc)
);

DEFINE_EVENT(iommufd_pasid_class, iommufd_pasid_free,
	TP_PROTO(struct device *dev, u32 vpasid, u32 ppasid, u32 policy, int rc),
	TP_ARGS(dev, vpasid, ppasid, policy, rc)
);

/* A page request, before anybody has read it; pasid is what the user will read. */
TRACE_EVENT(iommufd_fault,
	TP_PROTO(struct device *dev, u32 queue, u32 dev_id, u32 pasid,
		 const struct iommu_fault_page_request *prm),
	TP_ARGS(dev, queue, dev_id, pasid, prm),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__field(u32, queue)
		__field(u32, dev_id)
		__field(u32, pasid)
		__field(u32, grpid)
		__field(u64, addr)
		__field(u32, perm)
		__field(bool, last)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
		__entry->dev_id = dev_id;
		__entry->pasid = pasid;
		__entry->grpid = prm->grpid;
		__entry->addr = prm->addr;
		__entry->perm = prm->perm;
		__entry->last = prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	),
	TP_printk("%s queue=%u dev_id=%u pasid=%u grpid=%u addr=0x%llx perm=%s last=%u",
		  __get_str(device), __entry->queue, __entry->dev_id, __entry->pasid,
		  __entry->grpid, __entry->addr, show_iommufd_perm(__entry->perm),
		  __entry->last)
);

/* Of a group; cookie 0: nobody has read it. */
TRACE_EVENT(iommufd_response,
	TP_PROTO(struct device *dev, u32 queue, u32 grpid, u32 cookie, int code, u64 outstanding),
	TP_ARGS(dev, queue, grpid, cookie, code, outstanding),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__field(u32, queue)
		__field(u32, grpid)
		__field(u32, cookie)
		__field(int, code)
		__field(u64, outstanding_ns)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->queue = queue;
		__entry->grpid = grpid;
		__entry->cookie = cookie;
		__entry->code = code;
		__entry->outstanding_ns = outstanding;
	),
	TP_printk("%s queue=%u grpid=%u cookie=%u code=%s outstanding=%llu ns",
		  __get_str(device), __entry->queue, __entry->grpid, __entry->cookie,
		  show_iommufd_code(__entry->code), __entry->outstanding_ns)
);

#endif

/* The folder of this file; trace.c alone is built with the means to find it. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
