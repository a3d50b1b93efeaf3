/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What software sees of pasidq, a sample device: registers and a portal in its
 * BAR 0. All numbers are little endian.
 */
#ifndef PASIDQ_H
#define PASIDQ_H

#include <linux/types.h>

#define PASIDQ_VENDOR_ID	0x1234
#define PASIDQ_DEVICE_ID	0x7051

#define PASIDQ_BAR_SIZE		0x2000
#define PASIDQ_PORTAL		0x1000		/* to the end of the BAR */
#define PASIDQ_MAGIC		0x51445350	/* "PSDQ" */
#define PASIDQ_MAX_LENGTH	0x10000		/* of what one descriptor moves */
#define PASIDQ_MAX_KEPT		16		/* pages that the device keeps at once */

/**
 * struct pasidq_regs - the registers, at offset 0, all of them read only
 * @magic: PASIDQ_MAGIC
 * @width: PASIDs have that many bits
 * @max_length: PASIDQ_MAX_LENGTH
 * @kept: pages that the device keeps
 * @done: descriptors that were carried out
 * @failed: descriptors that were not
 * @status: of enum pasidq_status: why the last one of these was not
 * @pasid: where that was
 * @iova: the same
 */
struct pasidq_regs {
	__le32 magic;
	__le32 width;
	__le32 max_length;
	__le32 kept;
	__le64 done;
	__le64 failed;
	__le32 status;
	__le32 pasid;
	__le64 iova;
};

/**
 * enum pasidq_op - what a descriptor asks for
 * @PASIDQ_NOP: nothing
 * @PASIDQ_COPY: copy @length bytes from the source to the destination
 * @PASIDQ_FILL: repeat @value in @length bytes at the destination
 * @PASIDQ_SUM: add up @length bytes at the source; the sum is the result
 * @PASIDQ_KEEP: keep the page at the destination: its first eight bytes count the
 *	descriptors with this destination PASID that are carried out, this one too
 * @PASIDQ_DROP: let go of the page that is kept at the destination's PASID
 */
enum pasidq_op {
	PASIDQ_NOP = 0,
	PASIDQ_COPY = 1,
	PASIDQ_FILL = 2,
	PASIDQ_SUM = 3,
	PASIDQ_KEEP = 4,
	PASIDQ_DROP = 5,
};

#define PASIDQ_RECORD	1	/* flag: write a record when it has ended */

/**
 * struct pasidq_desc - a descriptor, written whole to any 64 bytes of the portal
 * @op: of enum pasidq_op
 * @flags: PASIDQ_RECORD or 0
 * @src_pasid: the address space of @src; 0 for that of the device itself
 * @dst_pasid: of @dst
 * @src: IOVA of the source
 * @dst: IOVA of the destination; of KEEP a multiple of the size of a page
 * @length: bytes, 1 to PASIDQ_MAX_LENGTH
 * @record_pasid: the address space of @record
 * @record: IOVA of a struct pasidq_record
 * @value: of FILL
 * @reserved: must be 0
 *
 * What an operation does not use is ignored, but @dst_pasid always tells which page
 * counts the descriptor.
 */
struct pasidq_desc {
	__le32 op;
	__le32 flags;
	__le32 src_pasid;
	__le32 dst_pasid;
	__le64 src;
	__le64 dst;
	__le32 length;
	__le32 record_pasid;
	__le64 record;
	__le64 value;
	__le64 reserved;
};

/**
 * enum pasidq_status - how a descriptor ended
 * @PASIDQ_OK: it was carried out
 * @PASIDQ_BAD_DESC: an operation or flag that there is not, or @reserved
 * @PASIDQ_BAD_ADDRESS: a length or an IOVA that cannot be
 * @PASIDQ_NO_PASID: nothing is attached at the PASID
 * @PASIDQ_UNMAPPED: nothing is mapped at the IOVA, or not all the way; or the
 *	PASID was just being detached
 * @PASIDQ_DENIED: what is mapped there is not readable, or not writeable
 * @PASIDQ_BUSY: a page is kept at this PASID, or as many as there can be
 * @PASIDQ_NOT_KEPT: none is
 * @PASIDQ_ERROR: the host has no memory, or lost the user's
 */
enum pasidq_status {
	PASIDQ_OK = 1,
	PASIDQ_BAD_DESC = 2,
	PASIDQ_BAD_ADDRESS = 3,
	PASIDQ_NO_PASID = 4,
	PASIDQ_UNMAPPED = 5,
	PASIDQ_DENIED = 6,
	PASIDQ_BUSY = 7,
	PASIDQ_NOT_KEPT = 8,
	PASIDQ_ERROR = 9,
};

/**
 * struct pasidq_record - what became of a descriptor; @status is written last
 * @status: of enum pasidq_status
 * @pasid: where it failed
 * @iova: the same; what is mapped only in part may have been written up to the hole
 * @result: of SUM
 */
struct pasidq_record {
	__le32 status;
	__le32 pasid;
	__le64 iova;
	__le64 result;
};

#endif
