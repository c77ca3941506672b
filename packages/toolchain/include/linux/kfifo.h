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
 * The type of the elements travels with the fifo's C type, as a pointer that is never followed.
 */
struct __kfifo {
	unsigned int in;
	unsigned int out;
	unsigned int mask;
	unsigned int esize;
	void *data;
};

#define __STRUCT_KFIFO_COMMON(datatype, ptrtype) \
	union { \
		struct __kfifo kfifo; \
		datatype *type; \
		const datatype *const_type; \
		ptrtype *ptr; \
	}
#define __STRUCT_KFIFO(type, size) \
	{ \
		__STRUCT_KFIFO_COMMON(type, type); \
		type buf[((size) < 2 || ((size) & ((size) - 1))) ? -1 : (size)]; \
	}
#define STRUCT_KFIFO(type, size) struct __STRUCT_KFIFO(type, size)
#define __STRUCT_KFIFO_PTR(type) \
	{ \
		__STRUCT_KFIFO_COMMON(type, type); \
		type buf[0]; \
	}
#define STRUCT_KFIFO_PTR(type) struct __STRUCT_KFIFO_PTR(type)

struct kfifo __STRUCT_KFIFO_PTR(unsigned char);

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

#define kfifo_initialized(fifo) ((fifo)->kfifo.mask)
#define kfifo_esize(fifo) ((fifo)->kfifo.esize)
#define kfifo_recsize(fifo) 0
#define kfifo_size(fifo) ((fifo)->kfifo.mask + 1)
#define kfifo_reset(fifo) (void)({ typeof((fifo) + 1) __tmp = (fifo); __tmp->kfifo.in = __tmp->kfifo.out = 0; })
#define kfifo_reset_out(fifo) (void)({ typeof((fifo) + 1) __tmp = (fifo); __tmp->kfifo.out = __tmp->kfifo.in; })
#define kfifo_len(fifo) __kfifo_len(&(fifo)->kfifo)
#define kfifo_is_empty(fifo) (kfifo_len(fifo) == 0)
#define kfifo_is_empty_spinlocked(fifo, lock) kfifo_is_empty(fifo)
#define kfifo_is_full(fifo) (kfifo_len(fifo) > (fifo)->kfifo.mask)
#define kfifo_avail(fifo) __kfifo_unused(&(fifo)->kfifo)
#define kfifo_skip(fifo) (void)((fifo)->kfifo.out++)
#define kfifo_peek_len(fifo) (kfifo_is_empty(fifo) ? 0 : (fifo)->kfifo.esize)
#define kfifo_alloc(fifo, size, gfp_mask) \
	__kfifo_alloc(&(fifo)->kfifo, size, sizeof(*(fifo)->type), gfp_mask)
#define kfifo_free(fifo) __kfifo_free(&(fifo)->kfifo)
#define kfifo_init(fifo, buffer, size) __kfifo_init(&(fifo)->kfifo, buffer, size, sizeof(*(fifo)->type))

/* 1 if there was room. */
#define kfifo_put(fifo, val) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(*__tmp->const_type) __val = (val); \
		__kfifo_in(&__tmp->kfifo, &__val, 1); \
	})
/* 1 if there was one. */
#define kfifo_get(fifo, val) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr) __val = (val); \
		__kfifo_out(&__tmp->kfifo, __val, 1); \
	})
#define kfifo_peek(fifo, val) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr) __val = (val); \
		__kfifo_out_peek(&__tmp->kfifo, __val, 1); \
	})
#define kfifo_in(fifo, buf, n) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->const_type) __buf = (buf); \
		__kfifo_in(&__tmp->kfifo, __buf, n); \
	})
#define kfifo_out(fifo, buf, n) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr) __buf = (buf); \
		__kfifo_out(&__tmp->kfifo, __buf, n); \
	})
#define kfifo_out_peek(fifo, buf, n) \
	({ \
		typeof((fifo) + 1) __tmp = (fifo); \
		typeof(__tmp->ptr) __buf = (buf); \
		__kfifo_out_peek(&__tmp->kfifo, __buf, n); \
	})
#define kfifo_from_user(fifo, from, len, copied) __kfifo_from_user(&(fifo)->kfifo, from, len, copied)
#define kfifo_to_user(fifo, to, len, copied) __kfifo_to_user(&(fifo)->kfifo, to, len, copied)
#define __kfifo_locked(call, lock) \
	({ \
		unsigned long __flags; \
		unsigned int __ret; \
		spin_lock_irqsave(lock, __flags); \
		__ret = call; \
		spin_unlock_irqrestore(lock, __flags); \
		__ret; \
	})
#define kfifo_in_spinlocked(fifo, buf, n, lock) __kfifo_locked(kfifo_in(fifo, buf, n), lock)
#define kfifo_out_spinlocked(fifo, buf, n, lock) __kfifo_locked(kfifo_out(fifo, buf, n), lock)
#define kfifo_in_locked kfifo_in_spinlocked
#define kfifo_out_locked kfifo_out_spinlocked
