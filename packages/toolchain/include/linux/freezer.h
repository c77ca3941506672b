/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>
#include <linux/wait.h>

#define set_freezable() true
#define try_to_freeze() false
#define freezing(p) false
