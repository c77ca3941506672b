/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this kernel is built with. Modules ask by IS_ENABLED() or #ifdef.
 */
#define CONFIG_64BIT 1
#define CONFIG_BUG 1
#define CONFIG_CC_IS_CLANG 1
#define CONFIG_COMPACTION 1
#define CONFIG_DEBUG_ATOMIC_SLEEP 1
#define CONFIG_DEBUG_FS 1
#define CONFIG_DYNAMIC_DEBUG 1
#define CONFIG_HIGH_RES_TIMERS 1
#define CONFIG_HZ 250
#define CONFIG_HZ_250 1
#define CONFIG_KALLSYMS 1
#define CONFIG_MEMCG 1
#define CONFIG_MMU 1
#define CONFIG_MODULES 1
#define CONFIG_MODULE_UNLOAD 1
#define CONFIG_NR_CPUS 8
#define CONFIG_PAGE_SHIFT 12
#define CONFIG_PGTABLE_LEVELS 4
#define CONFIG_PREEMPT_COUNT 1
#define CONFIG_PREEMPT_NONE 1
#define CONFIG_PRINTK 1
#define CONFIG_PROC_FS 1
#define CONFIG_SLUB 1
#define CONFIG_SLUB_DEBUG 1
#define CONFIG_SMP 1
#define CONFIG_SPARSEMEM_VMEMMAP 1
#define CONFIG_SWAP 1
#define CONFIG_SYSFS 1
#define CONFIG_TRACING 1
#define CONFIG_WASM64 1

#define __ARG_PLACEHOLDER_1 0,
#define __take_second_arg(__ignored, val, ...) val
#define __and(x, y) ___and(x, y)
#define ___and(x, y) ____and(__ARG_PLACEHOLDER_ ## x, y)
#define ____and(arg1_or_junk, y) __take_second_arg(arg1_or_junk y, 0)
#define __or(x, y) ___or(x, y)
#define ___or(x, y) ____or(__ARG_PLACEHOLDER_ ## x, y)
#define ____or(arg1_or_junk, y) __take_second_arg(arg1_or_junk 1, y)

/* 1 if the macro is defined as 1, else 0: `__ARG_PLACEHOLDER_` pasted with it makes an extra argument or none. */
#define __is_defined(x) ___is_defined(x)
#define ___is_defined(val) ____is_defined(__ARG_PLACEHOLDER_ ## val)
#define ____is_defined(arg1_or_junk) __take_second_arg(arg1_or_junk 1, 0)

#define IS_BUILTIN(option) __is_defined(option)
#define IS_MODULE(option) __is_defined(option ## _MODULE)
#define IS_ENABLED(option) __or(IS_BUILTIN(option), IS_MODULE(option))
#define IS_REACHABLE(option) IS_ENABLED(option)
