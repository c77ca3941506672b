/* SPDX-License-Identifier: MIT */
#pragma once

struct task_struct;

/* A task is itself for as long as its code runs, so the compiler may ask once. */
extern struct task_struct *get_current(void) __attribute__((__const__));
#define current get_current()
