/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/stdarg.h>

extern void *memset(void *s, int c, size_t n);
extern void *memset16(u16 *s, u16 v, size_t n);
extern void *memset32(u32 *s, u32 v, size_t n);
extern void *memset64(u64 *s, u64 v, size_t n);
extern void *memcpy(void *dest, const void *src, size_t n);
extern void *memmove(void *dest, const void *src, size_t n);
extern void *memscan(void *addr, int c, size_t size);
extern int memcmp(const void *a, const void *b, size_t n);
extern int bcmp(const void *a, const void *b, size_t n);
extern void *memchr(const void *s, int c, size_t n);
extern void *memchr_inv(const void *s, int c, size_t n);
extern char *strreplace(char *s, char old, char new);
extern char *strcpy(char *dest, const char *src);
extern char *strncpy(char *dest, const char *src, size_t n);
extern size_t strlcpy(char *dest, const char *src, size_t size);
extern ssize_t strscpy(char *dest, const char *src, size_t count);
extern ssize_t strscpy_pad(char *dest, const char *src, size_t count);
extern char *stpcpy(char *dest, const char *src);
extern char *strcat(char *dest, const char *src);
extern char *strncat(char *dest, const char *src, size_t count);
extern size_t strlcat(char *dest, const char *src, size_t count);
extern int strcmp(const char *a, const char *b);
extern int strncmp(const char *a, const char *b, size_t n);
extern int strcasecmp(const char *a, const char *b);
extern int strncasecmp(const char *a, const char *b, size_t n);
extern char *strchr(const char *s, int c);
extern char *strchrnul(const char *s, int c);
extern char *strnchrnul(const char *s, size_t count, int c);
extern char *strnchr(const char *s, size_t count, int c);
extern char *strrchr(const char *s, int c);
extern char *strstr(const char *haystack, const char *needle);
extern char *strnstr(const char *haystack, const char *needle, size_t len);
extern size_t strlen(const char *s);
extern size_t strnlen(const char *s, size_t count);
extern char *strpbrk(const char *s, const char *accept);
extern char *strsep(char **s, const char *delimiters);
extern size_t strspn(const char *s, const char *accept);
extern size_t strcspn(const char *s, const char *reject);
extern char * __must_check skip_spaces(const char *s);
extern char *strim(char *s);
extern int match_string(const char * const *array, size_t n, const char *string);
extern int __sysfs_match_string(const char * const *array, size_t n, const char *s);
extern bool sysfs_streq(const char *s1, const char *s2);

static inline __must_check char *strstrip(char *str)
{
	return strim(str);
}

#define sysfs_match_string(a, s) __sysfs_match_string(a, sizeof(a) / sizeof((a)[0]), s)

extern void kfree_const(const void *x);
extern char *kstrdup(const char *s, gfp_t gfp) __malloc;
extern const char *kstrdup_const(const char *s, gfp_t gfp);
extern char *kstrndup(const char *s, size_t len, gfp_t gfp);
extern void *kmemdup(const void *src, size_t len, gfp_t gfp);
extern char *kmemdup_nul(const char *s, size_t len, gfp_t gfp);
extern char *kstrdup_quotable(const char *src, gfp_t gfp);
extern void *memdup_user(const void __user *src, size_t len);
extern void *vmemdup_user(const void __user *src, size_t len);
extern void *memdup_user_nul(const void __user *src, size_t len);
extern char *strndup_user(const char __user *s, long n);
extern char **argv_split(gfp_t gfp, const char *str, int *argcp);
extern void argv_free(char **argv);

extern ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *ppos, const void *from,
				       size_t available);

static inline void memzero_explicit(void *s, size_t count)
{
	memset(s, 0, count);
	barrier_data(s);
}

static inline void memcpy_flushcache(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
}

static inline bool mem_is_zero(const void *s, size_t n)
{
	return !memchr_inv(s, 0, n);
}

static inline const char *kbasename(const char *path)
{
	const char *tail = strrchr(path, '/');

	return tail ? tail + 1 : path;
}

static __always_inline size_t str_has_prefix(const char *str, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(str, prefix, len) == 0 ? len : 0;
}

static inline bool strstarts(const char *str, const char *prefix)
{
	return strncmp(str, prefix, strlen(prefix)) == 0;
}

#define memset_after(obj, v, member) \
	({ \
		u8 *__ptr = (u8 *)(obj); \
		memset(__ptr + offsetofend(typeof(*(obj)), member), v, \
		       sizeof(*(obj)) - offsetofend(typeof(*(obj)), member)); \
	})
#define unsafe_memcpy(dst, src, bytes, justification) memcpy(dst, src, bytes)
