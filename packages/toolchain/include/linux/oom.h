/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched/signal.h>
#include <linux/types.h>
#include <linux/mm.h>

#define OOM_SCORE_ADJ_MIN (-1000)
#define OOM_SCORE_ADJ_MAX 1000

struct notifier_block;
extern int register_oom_notifier(struct notifier_block *nb);
extern int unregister_oom_notifier(struct notifier_block *nb);
