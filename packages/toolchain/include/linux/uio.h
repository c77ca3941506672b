/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kernel.h>
#include <linux/fs_types.h>
#include <uapi/linux/uio.h>

struct page;

struct kvec {
	void *iov_base;
	size_t iov_len;
};

enum iter_type {
	ITER_IOVEC,
	ITER_KVEC,
	ITER_BVEC,
	ITER_PIPE,
	ITER_XARRAY,
	ITER_DISCARD,
	ITER_UBUF,
};

#define ITER_SOURCE 1
#define ITER_DEST 0

struct iov_iter {
	u8 iter_type;
	bool nofault;
	bool data_source;
	bool user_backed;
	size_t iov_offset;
	size_t count;
	union {
		const struct iovec *iov;
		const struct kvec *kvec;
		void __user *ubuf;
	};
	unsigned long nr_segs;
};

static inline bool iter_is_ubuf(const struct iov_iter *i)
{
	return i->iter_type == ITER_UBUF;
}

static inline bool iter_is_iovec(const struct iov_iter *i)
{
	return i->iter_type == ITER_IOVEC;
}

static inline bool iov_iter_is_kvec(const struct iov_iter *i)
{
	return i->iter_type == ITER_KVEC;
}

static inline bool user_backed_iter(const struct iov_iter *i)
{
	return i->user_backed;
}

static inline void iov_iter_ubuf(struct iov_iter *i, unsigned int direction, void __user *buf, size_t count)
{
	*i = (struct iov_iter) {
		.iter_type = ITER_UBUF,
		.user_backed = true,
		.data_source = direction,
		.ubuf = buf,
		.count = count,
	};
}

static inline size_t iov_iter_count(const struct iov_iter *i)
{
	return i->count;
}

static inline void iov_iter_truncate(struct iov_iter *i, u64 count)
{
	if (i->count > count)
		i->count = count;
}

static inline void iov_iter_reexpand(struct iov_iter *i, size_t count)
{
	i->count = count;
}

#define iov_iter_rw(i) ((i)->data_source ? WRITE : READ)

extern size_t _copy_to_iter(const void *addr, size_t bytes, struct iov_iter *i);
extern size_t _copy_from_iter(void *addr, size_t bytes, struct iov_iter *i);
#define copy_to_iter(addr, bytes, i) _copy_to_iter(addr, bytes, i)
#define copy_from_iter(addr, bytes, i) _copy_from_iter(addr, bytes, i)
#define copy_from_iter_full(addr, bytes, i) (_copy_from_iter(addr, bytes, i) == (bytes))
extern size_t copy_page_to_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *i);
extern size_t copy_page_from_iter(struct page *page, size_t offset, size_t bytes, struct iov_iter *i);
extern size_t copy_page_from_iter_atomic(struct page *page, unsigned int offset, size_t bytes, struct iov_iter *i);
extern size_t fault_in_iov_iter_readable(const struct iov_iter *i, size_t bytes);
#define copy_folio_to_iter(folio, offset, bytes, i) copy_page_to_iter(&(folio)->page, offset, bytes, i)
extern size_t iov_iter_zero(size_t bytes, struct iov_iter *i);
extern void iov_iter_advance(struct iov_iter *i, size_t bytes);
extern void iov_iter_revert(struct iov_iter *i, size_t bytes);
extern size_t iov_iter_single_seg_count(const struct iov_iter *i);
extern void iov_iter_init(struct iov_iter *i, unsigned int direction, const struct iovec *iov, unsigned long nr_segs,
			  size_t count);
extern void iov_iter_kvec(struct iov_iter *i, unsigned int direction, const struct kvec *kvec, unsigned long nr_segs,
			  size_t count);
