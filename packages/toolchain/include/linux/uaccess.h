/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/thread_info.h>
#include <linux/errno.h>
#include <linux/string.h>

#define VERIFY_READ 0
#define VERIFY_WRITE 1

/* An address range of user space, whether mapped or not. The old form has a type first. */
extern bool __access_ok(const void __user *addr, unsigned long size);
#define __ACCESS_OK_3(type, addr, size) __access_ok((const void __user *)(addr), (size))
#define __ACCESS_OK_2(addr, size) __access_ok((const void __user *)(addr), (size))
#define __ACCESS_OK_PICK(_1, _2, _3, NAME, ...) NAME
#define access_ok(args...) __ACCESS_OK_PICK(args, __ACCESS_OK_3, __ACCESS_OK_2, )(args)

/* Bytes that could not be copied; what was not read is zeroed. */
extern unsigned long _copy_from_user(void *to, const void __user *from, unsigned long n);
extern unsigned long _copy_to_user(void __user *to, const void *from, unsigned long n);
extern unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n);
extern unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n);

static __transparent unsigned long __must_check copy_from_user(void *to, const void __user *from,
								 unsigned long n)
{
	return _copy_from_user(to, from, n);
}

static __transparent unsigned long __must_check copy_to_user(void __user *to, const void *from, unsigned long n)
{
	return _copy_to_user(to, from, n);
}

#define __copy_from_user(to, from, n) raw_copy_from_user(to, from, n)
#define __copy_to_user(to, from, n) raw_copy_to_user(to, from, n)
#define __copy_from_user_inatomic(to, from, n) raw_copy_from_user(to, from, n)
#define __copy_to_user_inatomic(to, from, n) raw_copy_to_user(to, from, n)

static __transparent __must_check int copy_struct_from_user(void *dst, size_t ksize, const void __user *src,
							      size_t usize)
{
	size_t size = min(ksize, usize);

	if (usize < ksize)
		memset((u8 *)dst + size, 0, ksize - size);
	return copy_from_user(dst, src, size) ? -EFAULT : 0;
}

#define put_user(x, ptr) \
	({ \
		__typeof_unqual__(*(ptr)) __pu_val = (x); \
		_copy_to_user((void __user *)(ptr), &__pu_val, sizeof(__pu_val)) ? -EFAULT : 0; \
	})
#define get_user(x, ptr) \
	({ \
		__typeof_unqual__(*(ptr)) __gu_val; \
		int __gu_err = _copy_from_user(&__gu_val, (const void __user *)(ptr), sizeof(__gu_val)) ? -EFAULT : 0; \
		(x) = __gu_val; \
		__gu_err; \
	})
#define __put_user(x, ptr) put_user(x, ptr)
#define __get_user(x, ptr) get_user(x, ptr)

extern unsigned long __must_check clear_user(void __user *mem, unsigned long len);
#define __clear_user(mem, len) clear_user(mem, len)
extern __must_check long strncpy_from_user(char *dst, const char __user *src, long count);
extern __must_check long strnlen_user(const char __user *s, long n);

/* Reads and writes of the kernel's own space that may fail. */
extern long copy_from_kernel_nofault(void *dst, const void *src, size_t size);
extern long copy_to_kernel_nofault(void *dst, const void *src, size_t size);
extern long copy_from_user_nofault(void *dst, const void __user *src, size_t size);
extern long copy_to_user_nofault(void __user *dst, const void *src, size_t size);
extern long strncpy_from_kernel_nofault(char *dst, const void *unsafe_addr, long count);
#define get_kernel_nofault(val, ptr) copy_from_kernel_nofault(&(val), (ptr), sizeof(val))

extern void pagefault_disable(void);
extern void pagefault_enable(void);
#define pagefault_disabled() 0
#define user_access_begin(ptr, len) access_ok(ptr, len)
#define user_access_end() do { } while (0)
#define unsafe_get_user(x, p, e) do { if (get_user(x, p)) goto e; } while (0)
#define unsafe_put_user(x, p, e) do { if (put_user(x, p)) goto e; } while (0)
