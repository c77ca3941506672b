/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/bug.h>
#include <linux/bitops.h>
#include <asm/page.h>
#include <asm/current.h>

#define TIF_NOTIFY_RESUME 1
#define TIF_SIGPENDING 2
#define TIF_NEED_RESCHED 3
#define TIF_MEMDIE 20

#define current_thread_info() ((struct thread_info *)current)

extern void __check_object_size(const void *ptr, unsigned long n, bool to_user);
#define check_object_size(ptr, n, to_user) ((void)0)

#define set_thread_flag(flag) set_bit(flag, (unsigned long *)current_thread_info())
#define clear_thread_flag(flag) clear_bit(flag, (unsigned long *)current_thread_info())
#define test_thread_flag(flag) test_bit(flag, (unsigned long *)current_thread_info())
#define tif_need_resched() test_thread_flag(TIF_NEED_RESCHED)
