/* SPDX-License-Identifier: MIT */
#pragma once

/* What stands in for registers: the machine has a program counter and a stack pointer. */
struct pt_regs {
	unsigned long ip;
	unsigned long sp;
};

#define instruction_pointer(regs) ((regs)->ip)
#define kernel_stack_pointer(regs) ((regs)->sp)
#define user_mode(regs) ((long)(regs)->ip >= 0)
