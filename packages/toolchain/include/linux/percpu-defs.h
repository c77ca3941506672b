/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/preempt.h>

/*
 * A per-CPU pointer names CPU 0's copy. Those of other CPUs lie __per_cpu_offset[cpu] bytes on: for alloc_percpu()
 * memory that is the kernel's doing, for a module's own DEFINE_PER_CPU variables the loader's, which lays out section
 * .data..percpu once for each CPU.
 */
extern unsigned long __per_cpu_offset[];
extern unsigned long __pagewalk_my_cpu_offset(void);

#define PER_CPU_BASE_SECTION ".data..percpu"
#define DECLARE_PER_CPU(type, name) extern __section(PER_CPU_BASE_SECTION) typeof(type) name
#define DEFINE_PER_CPU(type, name) __section(PER_CPU_BASE_SECTION) typeof(type) name
#define DEFINE_PER_CPU_ALIGNED(type, name) DEFINE_PER_CPU(type, name)
#define DEFINE_PER_CPU_SHARED_ALIGNED(type, name) DEFINE_PER_CPU(type, name)
#define DEFINE_PER_CPU_READ_MOSTLY(type, name) DEFINE_PER_CPU(type, name)

#define per_cpu_offset(cpu) (__per_cpu_offset[cpu])
#define SHIFT_PERCPU_PTR(ptr, offset) ((typeof(*(ptr)) *)((unsigned long)(ptr) + (offset)))
#define per_cpu_ptr(ptr, cpu) SHIFT_PERCPU_PTR((ptr), per_cpu_offset(cpu))
#define this_cpu_ptr(ptr) SHIFT_PERCPU_PTR((ptr), __pagewalk_my_cpu_offset())
#define raw_cpu_ptr(ptr) this_cpu_ptr(ptr)
#define per_cpu(var, cpu) (*per_cpu_ptr(&(var), cpu))
#define get_cpu_var(var) (*({ preempt_disable(); this_cpu_ptr(&var); }))
#define put_cpu_var(var) do { (void)&(var); preempt_enable(); } while (0)
#define get_cpu_ptr(var) ({ preempt_disable(); this_cpu_ptr(var); })
#define put_cpu_ptr(var) do { (void)(var); preempt_enable(); } while (0)

#define this_cpu_read(pcp) (*this_cpu_ptr(&(pcp)))
#define this_cpu_write(pcp, val) (*this_cpu_ptr(&(pcp)) = (val))
#define this_cpu_add(pcp, val) (*this_cpu_ptr(&(pcp)) += (val))
#define this_cpu_sub(pcp, val) (*this_cpu_ptr(&(pcp)) -= (val))
#define this_cpu_and(pcp, val) (*this_cpu_ptr(&(pcp)) &= (val))
#define this_cpu_or(pcp, val) (*this_cpu_ptr(&(pcp)) |= (val))
#define this_cpu_inc(pcp) this_cpu_add(pcp, 1)
#define this_cpu_dec(pcp) this_cpu_sub(pcp, 1)
#define this_cpu_add_return(pcp, val) (this_cpu_add(pcp, val))
#define this_cpu_inc_return(pcp) this_cpu_add_return(pcp, 1)
#define this_cpu_dec_return(pcp) (this_cpu_sub(pcp, 1))
#define this_cpu_xchg(pcp, val) xchg(this_cpu_ptr(&(pcp)), val)
#define this_cpu_cmpxchg(pcp, old, val) cmpxchg(this_cpu_ptr(&(pcp)), old, val)
#define __this_cpu_read this_cpu_read
#define __this_cpu_write this_cpu_write
#define __this_cpu_add this_cpu_add
#define __this_cpu_inc this_cpu_inc
#define __this_cpu_dec this_cpu_dec
#define raw_cpu_read this_cpu_read
#define raw_cpu_write this_cpu_write
#define raw_cpu_add this_cpu_add
#define raw_cpu_inc this_cpu_inc
