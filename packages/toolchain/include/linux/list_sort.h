/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

typedef int __attribute__((nonnull(2, 3))) (*list_cmp_func_t)(void *, const struct list_head *,
							      const struct list_head *);
extern void list_sort(void *priv, struct list_head *head, list_cmp_func_t cmp);
