/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kconfig.h>
#include <linux/compiler_types.h>
#include <linux/stddef.h>
#include <uapi/linux/types.h>

typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;

typedef _Bool bool;

typedef __SIZE_TYPE__ size_t;
typedef long ssize_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef unsigned long uintptr_t;
typedef long intptr_t;
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef s8 int8_t;
typedef s16 int16_t;
typedef s32 int32_t;
typedef s64 int64_t;
typedef u8 u_int8_t;
typedef u16 u_int16_t;
typedef u32 u_int32_t;
typedef u64 u_int64_t;
typedef unsigned char u_char, unchar;
typedef unsigned short u_short, ushort;
typedef unsigned int u_int, uint;
typedef unsigned long u_long, ulong;

typedef u32 __kernel_dev_t;
typedef __kernel_dev_t dev_t;
typedef unsigned long ino_t;
typedef unsigned int mode_t;
typedef unsigned short umode_t;
typedef u32 nlink_t;
typedef long off_t;
typedef long long loff_t;
typedef int pid_t;
typedef int daddr_t;
typedef int key_t;
typedef int suseconds_t;
typedef int clockid_t;
typedef int timer_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned short uid16_t;
typedef unsigned short gid16_t;
typedef long clock_t;
typedef long time_t;
typedef long long time64_t;
typedef unsigned long long timeu64_t;
typedef char *caddr_t;

typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;
typedef unsigned int fmode_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef phys_addr_t resource_size_t;
typedef u64 sector_t;
typedef u64 blkcnt_t;
typedef unsigned long irq_hw_number_t;
typedef unsigned long pgoff_t;
typedef unsigned long cycles_t;

#define pgoff_t unsigned long
#define aligned_u64 __aligned_u64

typedef struct {
	int counter;
} atomic_t;
#define ATOMIC_INIT(i) { (i) }

typedef struct {
	s64 counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;

#include <generated/list.h>

struct ustat {
	daddr_t f_tfree;
	unsigned long f_tinode;
	char f_fname[6];
	char f_fpack[6];
};

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
} __attribute__((aligned(sizeof(void *))));
#define rcu_head callback_head

typedef void (*rcu_callback_t)(struct rcu_head *head);
typedef void (*call_rcu_func_t)(struct rcu_head *head, rcu_callback_t func);
typedef void (*swap_r_func_t)(void *a, void *b, int size, const void *priv);
typedef void (*swap_func_t)(void *a, void *b, int size);
typedef int (*cmp_r_func_t)(const void *a, const void *b, const void *priv);
typedef int (*cmp_func_t)(const void *a, const void *b);
