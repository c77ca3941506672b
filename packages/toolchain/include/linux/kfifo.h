/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/slab.h>
#include <linux/log2.h>
#include <linux/uaccess.h>

/*
 * A ring of 2^n elements. `in` and `out` count for ever; their difference is the fill, their low bits the places.
 * The type of the elements travels with the fifo's C type, as a pointer that is never followed. So does the size of
 * what stands before each record of a fifo of records: its length, in one or two bytes.
 */
struct __kfifo {
	unsigned int in;
	unsigned int out;
	unsigned int mask;
	unsigned int esize;
	void *data;
};

#define __STRUCT_KFIFO_COMMON(datatype, recsize, ptrtype) \
	union { \
		struct __kfifo kfifo; \
		datatype *type; \
		const datatype *const_type; \
		char (*rectype)[recsize]; \
		ptrtype *ptr; \
		const ptrtype *ptr_const; \
	}
#define __STRUCT_KFIFO(type, size, recsize, ptrtype) \
	{ \
		__STRUCT_KFIFO_COMMON(type, recsize, ptrtype); \
		type buf[((size) < 2 || ((size) & ((size) - 1))) ? -1 : (size)]; \
	}
#define STRUCT_KFIFO(type, size) struct __STRUCT_KFIFO(type, size, 0, type)
#define __STRUCT_KFIFO_PTR(type, recsize, ptrtype) \
	{ \
		__STRUCT_KFIFO_COMMON(type, recsize, ptrtype); \
		type buf[0]; \
	}
#define STRUCT_KFIFO_PTR(type) struct __STRUCT_KFIFO_PTR(type, 0, type)

struct kfifo __STRUCT_KFIFO_PTR(unsigned char, 0, void);

#define STRUCT_KFIFO_REC_1(size) struct __STRUCT_KFIFO(unsigned char, size, 1, void)
#define STRUCT_KFIFO_REC_2(size) struct __STRUCT_KFIFO(unsigned char, size, 2, void)

struct kfifo_rec_ptr_1 __STRUCT_KFIFO_PTR(unsigned char, 1, void);
struct kfifo_rec_ptr_2 __STRUCT_KFIFO_PTR(unsigned char, 2, void);

#define __is_kfifo_ptr(fifo) (sizeof(*fifo) == sizeof(STRUCT_KFIFO_PTR(typeof(*(fifo)->type))))
#define DECLARE_KFIFO_PTR(fifo, type) STRUCT_KFIFO_PTR(type) fifo
#define DECLARE_KFIFO(fifo, type, size) STRUCT_KFIFO(type, size) fifo
#define INIT_KFIFO(fifo) \
	(void)({ \
		typeof(&(fifo)) __tmp = &(fifo); \
		struct __kfifo *__k = &__tmp->kfifo; \
		__k->in = 0; \
		__k->out = 0; \
		__k->mask = __is_kfifo_ptr(__tmp) ? 0 : ARRAY_SIZE(__tmp->buf) - 1; \
		__k->esize = sizeof(*__tmp->buf); \
		__k->data = __is_kfifo_ptr(__tmp) ? NULL : __tmp->buf; \
	})
#define DEFINE_KFIFO(fifo, type, size) \
	DECLARE_KFIFO(fifo, type, size) = (typeof(fifo)) { \
		{ { .in = 0, \
		    .out = 0, \
		    .mask = __is_kfifo_ptr(&(fifo)) ? 0 : ARRAY_SIZE((fifo).buf) - 1, \
		    .esize = sizeof(*(fifo).buf), \
		    .data = __is_kfifo_ptr(&(fifo)) ? NULL : (fifo).buf } } \
	}

static __transparent unsigned int __kfifo_len(const struct __kfifo *fifo)
{
	return fifo->in - fifo->out;
}

static __transparent unsigned int __kfifo_unused(const struct __kfifo *fifo)
{
	return fifo->mask + 1 - __kfifo_len(fifo);
}

static __transparent int __kfifo_alloc(struct __kfifo *fifo, unsigned int size, size_t esize, gfp_t gfp_mask)
{
	size = roundup_pow_of_two(size);
	fifo->in = 0;
	fifo->out = 0;
	fifo->esize = esize;
	fifo->mask = 0;
	fifo->data = NULL;
	if (size < 2)
		return -EINVAL;
	fifo->data = kmalloc_array(size, esize, gfp_mask);
	if (!fifo->data)
		return -ENOMEM;
	fifo->mask = size - 1;
	return 0;
}

static __transparent void __kfifo_free(struct __kfifo *fifo)
{
	kfree(fifo->data);
	fifo->in = 0;
	fifo->out = 0;
	fifo->esize = 0;
	fifo->mask = 0;
	fifo->data = NULL;
}

static __transparent int __kfifo_init(struct __kfifo *fifo, void *buffer, unsigned int size, size_t esize)
{
	size = rounddown_pow_of_two(size / esize);
	fifo->in = 0;
	fifo->out = 0;
	fifo->esize = esize;
	fifo->data = buffer;
	fifo->mask = size < 2 ? 0 : size - 1;
	return size < 2 ? -EINVAL : 0;
}

/* Bytes of the ring from element `at` on, up to where it wraps. */
static __transparent unsigned int __kfifo_straight(const struct __kfifo *fifo, unsigned int at, unsigned int n)
{
	return min(n, fifo->mask + 1 - (at & fifo->mask)) * fifo->esize;
}

static __transparent void *__kfifo_place(const struct __kfifo *fifo, unsigned int at)
{
	return (char *)fifo->data + (size_t)(at & fifo->mask) * fifo->esize;
}

static __transparent unsigned int __kfifo_in(struct __kfifo *fifo, const void *buf, unsigned int n)
{
	unsigned int first;

	n = min(n, __kfifo_unused(fifo));
	first = __kfifo_straight(fifo, fifo->in, n);
	memcpy(__kfifo_place(fifo, fifo->in), buf, first);
	memcpy(fifo->data, (const char *)buf + first, (size_t)n * fifo->esize - first);
	fifo->in += n;
	return n;
}

static __transparent unsigned int __kfifo_out_peek(struct __kfifo *fifo, void *buf, unsigned int n)
{
	unsigned int first;

	n = min(n, __kfifo_len(fifo));
	first = __kfifo_straight(fifo, fifo->out, n);
	memcpy(buf, __kfifo_place(fifo, fifo->out), first);
	memcpy((char *)buf + first, fifo->data, (size_t)n * fifo->esize - first);
	return n;
}

static __transparent unsigned int __kfifo_out(struct __kfifo *fifo, void *buf, unsigned int n)
{
	n = __kfifo_out_peek(fifo, buf, n);
	fifo->out += n;
	return n;
}

static __transparent int __kfifo_from_user(struct __kfifo *fifo, const void __user *from, unsigned long len,
				    unsigned int *copied)
{
	unsigned int n = min_t(unsigned long, len / fifo->esize, __kfifo_unused(fifo));
	unsigned int first = __kfifo_straight(fifo, fifo->in, n);
	unsigned int bytes = n * fifo->esize;
	unsigned long left = copy_from_user(__kfifo_place(fifo, fifo->in), from, first);

	if (left)
		left += bytes - first;
	else
		left = copy_from_user(fifo->data, (const char __user *)from + first, bytes - first);
	n -= DIV_ROUND_UP(left, fifo->esize);
	*copied = n * fifo->esize;
	fifo->in += n;
	return left ? -EFAULT : 0;
}

static __transparent int __kfifo_to_user(struct __kfifo *fifo, void __user *to, unsigned long len, unsigned int *copied)
{
	unsigned int n = min_t(unsigned long, len / fifo->esize, __kfifo_len(fifo));
	unsigned int first = __kfifo_straight(fifo, fifo->out, n);
	unsigned int bytes = n * fifo->esize;
	unsigned long left = copy_to_user(to, __kfifo_place(fifo, fifo->out), first);

	if (left)
		left += bytes - first;
	else
		left = copy_to_user((char __user *)to + first, fifo->data, bytes - first);
	n -= DIV_ROUND_UP(left, fifo->esize);
	*copied = n * fifo->esize;
	fifo->out += n;
	return left ? -EFAULT : 0;
}

/* Records: the length, low byte first, then the bytes. A record goes in whole or not at all, and leaves whole. */
static __transparent unsigned int __kfifo_max_r(unsigned int len, size_t recsize)
{
	unsigned int max = (1U << (recsize * 8)) - 1;

	return min(len, max);
}

static __transparent unsigned int __kfifo_len_r(struct __kfifo *fifo, size_t recsize)
{
	unsigned char *data = fifo->data;
	unsigned int len = data[fifo->out & fifo->mask];

	if (recsize > 1)
		len |= data[(fifo->out + 1) & fifo->mask] << 8;
	return len;
}

static __transparent void __kfifo_begin_r(struct __kfifo *fifo, unsigned int len, size_t recsize)
{
	unsigned char header[2] = { len, len >> 8 };

	__kfifo_in(fifo, header, recsize);
}

static __transparent unsigned int __kfifo_in_r(struct __kfifo *fifo, const void *buf, unsigned int len, size_t recsize)
{
	if (len + recsize > __kfifo_unused(fifo))
		return 0;
	__kfifo_begin_r(fifo, len, recsize);
	return __kfifo_in(fifo, buf, len);
}

static __transparent void __kfifo_skip_r(struct __kfifo *fifo, size_t recsize)
{
	fifo->out += __kfifo_len_r(fifo, recsize) + recsize;
}

static __transparent unsigned int __kfifo_out_peek_r(struct __kfifo *fifo, void *buf, unsigned int len, size_t recsize)
{
	unsigned int first;

	if (fifo->in == fifo->out)
		return 0;
	len = min(len, __kfifo_len_r(fifo, recsize));
	first = __kfifo_straight(fifo, fifo->out + recsize, len);
	memcpy(buf, __kfifo_place(fifo, fifo->out + recsize), first);
	memcpy((char *)buf + first, fifo->data, len - first);
	return len;
}

static __transparent unsigned int __kfifo_out_r(struct __kfifo *fifo, void *buf, unsigned int len, size_t recsize)
{
	if (fifo->in == fifo->out)
		return 0;
	len = __kfifo_out_peek_r(fifo, buf, len, recsize);
	__kfifo_skip_r(fifo, recsize);
	return len;
}

static __transparent int __kfifo_from_user_r(struct __kfifo *fifo, const void __user *from, unsigned long len,
					     unsigned int *copied, size_t recsize)
{
	unsigned int start = fifo->in;
	int ret;

	*copied = 0;
	len = __kfifo_max_r(len, recsize);
	if (len + recsize > __kfifo_unused(fifo))
		return 0;
	__kfifo_begin_r(fifo, len, recsize);
	ret = __kfifo_from_user(fifo, from, len, copied);
	if (ret) {
		fifo->in = start;
		*copied = 0;
	}
	return ret;
}

static __transparent int __kfifo_to_user_r(struct __kfifo *fifo, void __user *to, unsigned long len,
					   unsigned int *copied, size_t recsize)
{
	unsigned int start = fifo->out, n;
	int ret;

	*copied = 0;
	if (fifo->in == fifo->out)
		return 0;
	n = __kfifo_len_r(fifo, recsize);
	fifo->out += recsize;
	ret = __kfifo_to_user(fifo, to, min_t(unsigned long, len, n), copied);
	fifo->out = ret ? start : start + recsize + n;
	if (ret)
		*copied = 0;
	return ret;
}

#define __kfifo_recsize(fifo) sizeof(*(fifo)->rectype)
#define kfifo_initialized(fifo) ((fifo)->kfifo.mask)
#define kfifo_esize(fifo) (sizeof(*(fifo)->type))
#define kfifo_recsize(fifo) __kfifo_recsize(fifo)
#define kfifo_size(fifo) ((fifo)->kfifo.mask + 1)
#define kfifo_reset(fifo) (void)({ typeof((fifo) + 1) __tmp = (fifo); __tmp->kfifo.in = __tmp->kfifo.out = 0; })
#define kfifo_reset_out(fifo) (void)({ typeof((fifo) + 1) __tmp = (fifo); __tmp->kfifo.out = __tmp->kfifo.in; })
#define kfifo_len(fifo) __kfifo_len(&(fifo)->kfifo)
#define kfifo_is_empty(fifo) (kfifo_len(fifo) == 0)
#define kfifo_is_empty_spinlocked(fifo, lock) kfifo_is_empty(fifo)
#define kfifo_is_empty_spinlocked_noirqsave(fifo, lock) kfifo_is_empty(fifo)
#define kfifo_is_full(fifo) (kfifo_len(fifo) > (fifo)->kfifo.mask)
/* Elements, or bytes of the largest record, that there is room for. */
#define kfifo_avail(fifo) \
	({ \
		typeof((fifo) + 1) __tmpq = (fifo); \
		const size_t __rec = __kfifo_recsize(__tmpq); \
		unsigned int __avail = __kfifo_unused(&__tmpq->kfifo); \
		__rec ? (__avail <= __rec ? 0 : __kfifo_max_r(__avail - __rec, __rec)) : __avail; \
	})
#define kfifo_skip(fifo) \
	(void)({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		if (__kfifo_recsize(__tmp)) \
			__kfifo_skip_r(&__tmp->kfifo, __kfifo_recsize(__tmp)); \
		else \
			__tmp->kfifo.out++; \
	})
/* Bytes: of the next record, or of all elements. */
#define kfifo_peek_len(fifo) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		__kfifo_recsize(__tmp) ? __kfifo_len_r(&__tmp->kfifo, __kfifo_recsize(__tmp)) \
				       : (unsigned int)(kfifo_len(__tmp) * sizeof(*__tmp->type)); \
	})
#define kfifo_alloc(fifo, size, gfp_mask) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		__is_kfifo_ptr(__tmp) ? __kfifo_alloc(&__tmp->kfifo, size, sizeof(*__tmp->type), gfp_mask) : -EINVAL; \
	})
#define kfifo_free(fifo) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		if (__is_kfifo_ptr(__tmp)) \
			__kfifo_free(&__tmp->kfifo); \
	})
#define kfifo_init(fifo, buffer, size) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		__is_kfifo_ptr(__tmp) ? __kfifo_init(&__tmp->kfifo, buffer, size, sizeof(*__tmp->type)) : -EINVAL; \
	})

/* 1 (of records: the bytes) if there was room. */
#define kfifo_put(fifo, val) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(*__tmp->const_type) __val = (val); \
		__kfifo_recsize(__tmp) ? __kfifo_in_r(&__tmp->kfifo, &__val, sizeof(__val), __kfifo_recsize(__tmp)) \
				       : __kfifo_in(&__tmp->kfifo, &__val, 1); \
	})
#define __kfifo_from(call, fifo, val, n, recn) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr) __val = (val); \
		__kfifo_recsize(__tmp) ? call##_r(&__tmp->kfifo, __val, recn, __kfifo_recsize(__tmp)) \
				       : call(&__tmp->kfifo, __val, n); \
	})
/* 1 (of records: the bytes) if there was one. */
#define kfifo_get(fifo, val) __kfifo_from(__kfifo_out, fifo, val, 1, sizeof(*__val))
#define kfifo_peek(fifo, val) __kfifo_from(__kfifo_out_peek, fifo, val, 1, sizeof(*__val))
#define kfifo_out(fifo, buf, n) __kfifo_from(__kfifo_out, fifo, buf, n, n)
#define kfifo_out_peek(fifo, buf, n) __kfifo_from(__kfifo_out_peek, fifo, buf, n, n)
#define kfifo_in(fifo, buf, n) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr_const) __buf = (buf); \
		unsigned long __n = (n); \
		__kfifo_recsize(__tmp) ? __kfifo_in_r(&__tmp->kfifo, __buf, __n, __kfifo_recsize(__tmp)) \
				       : __kfifo_in(&__tmp->kfifo, __buf, __n); \
	})
#define kfifo_from_user(fifo, from, len, copied) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		__kfifo_recsize(__tmp) \
			? __kfifo_from_user_r(&__tmp->kfifo, from, len, copied, __kfifo_recsize(__tmp)) \
			: __kfifo_from_user(&__tmp->kfifo, from, len, copied); \
	})
#define kfifo_to_user(fifo, to, len, copied) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		__kfifo_recsize(__tmp) ? __kfifo_to_user_r(&__tmp->kfifo, to, len, copied, __kfifo_recsize(__tmp)) \
				       : __kfifo_to_user(&__tmp->kfifo, to, len, copied); \
	})
#define __kfifo_locked(call, lock) \
	({ \
		unsigned long __flags; \
		unsigned int __ret; \
		spin_lock_irqsave(lock, __flags); \
		__ret = call; \
		spin_unlock_irqrestore(lock, __flags); \
		__ret; \
	})
#define __kfifo_locked_noirqsave(call, lock) \
	({ \
		unsigned int __ret; \
		spin_lock(lock); \
		__ret = call; \
		spin_unlock(lock); \
		__ret; \
	})
#define kfifo_in_spinlocked(fifo, buf, n, lock) __kfifo_locked(kfifo_in(fifo, buf, n), lock)
#define kfifo_out_spinlocked(fifo, buf, n, lock) __kfifo_locked(kfifo_out(fifo, buf, n), lock)
#define kfifo_in_spinlocked_noirqsave(fifo, buf, n, lock) __kfifo_locked_noirqsave(kfifo_in(fifo, buf, n), lock)
#define kfifo_out_spinlocked_noirqsave(fifo, buf, n, lock) __kfifo_locked_noirqsave(kfifo_out(fifo, buf, n), lock)
#define kfifo_in_locked kfifo_in_spinlocked
#define kfifo_out_locked kfifo_out_spinlocked
