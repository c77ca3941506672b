/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/page.h>

extern int set_memory_ro(unsigned long addr, int numpages);
extern int set_memory_rw(unsigned long addr, int numpages);
extern int set_memory_nx(unsigned long addr, int numpages);
extern int set_memory_x(unsigned long addr, int numpages);
