/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <generated/rbtree.h>

#define RB_ROOT (struct rb_root) { NULL, }
#define RB_ROOT_CACHED (struct rb_root_cached) { { NULL, }, NULL }
