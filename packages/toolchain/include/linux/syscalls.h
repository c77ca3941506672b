/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/fs.h>
#include <linux/linkage.h>

#define __NR_syscalls 451
