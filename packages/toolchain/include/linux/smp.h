/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/list.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/preempt.h>

typedef void (*smp_call_func_t)(void *info);
typedef bool (*smp_cond_func_t)(int cpu, void *info);

extern int __pagewalk_smp_processor_id(void);
extern int smp_call_function_single(int cpu, smp_call_func_t func, void *info, int wait);
extern void smp_call_function(smp_call_func_t func, void *info, int wait);
extern void on_each_cpu_cond_mask(smp_cond_func_t cond_func, smp_call_func_t func, void *info, bool wait,
				  const struct cpumask *mask);

#define smp_processor_id() __pagewalk_smp_processor_id()
#define raw_smp_processor_id() __pagewalk_smp_processor_id()
#define __smp_processor_id() __pagewalk_smp_processor_id()
#define get_cpu() ({ preempt_disable(); smp_processor_id(); })
#define put_cpu() preempt_enable()
#define on_each_cpu(func, info, wait) on_each_cpu_cond_mask(NULL, func, info, wait, cpu_online_mask)
#define on_each_cpu_mask(mask, func, info, wait) on_each_cpu_cond_mask(NULL, func, info, wait, mask)
