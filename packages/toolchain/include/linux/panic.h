/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler_attributes.h>
#include <linux/types.h>

struct pt_regs;

extern __printf(1, 2) void panic(const char *fmt, ...) __noreturn __cold;
extern void add_taint(unsigned int flag, int lockdep_ok);
extern int test_taint(unsigned int flag);
extern unsigned long get_taint(void);
extern const char *print_tainted(void);
extern int panic_timeout;
extern int panic_on_oops;
extern int oops_in_progress;

enum lockdep_ok { LOCKDEP_STILL_OK, LOCKDEP_NOW_UNRELIABLE };

#define TAINT_PROPRIETARY_MODULE 0
#define TAINT_FORCED_MODULE 1
#define TAINT_CPU_OUT_OF_SPEC 2
#define TAINT_FORCED_RMMOD 3
#define TAINT_MACHINE_CHECK 4
#define TAINT_BAD_PAGE 5
#define TAINT_USER 6
#define TAINT_DIE 7
#define TAINT_OVERRIDDEN_ACPI_TABLE 8
#define TAINT_WARN 9
#define TAINT_CRAP 10
#define TAINT_FIRMWARE_WORKAROUND 11
#define TAINT_OOT_MODULE 12
#define TAINT_UNSIGNED_MODULE 13
#define TAINT_SOFTLOCKUP 14
#define TAINT_LIVEPATCH 15
#define TAINT_AUX 16
#define TAINT_RANDSTRUCT 17
#define TAINT_TEST 18
#define TAINT_FLAGS_COUNT 19
