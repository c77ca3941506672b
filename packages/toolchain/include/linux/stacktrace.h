/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/sched.h>

extern void stack_trace_print(const unsigned long *trace, unsigned int nr_entries, int spaces);
extern int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries, unsigned int nr_entries,
			       int spaces);
extern unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr);
