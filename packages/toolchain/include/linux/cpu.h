/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/cpumask.h>
#include <linux/smp.h>

extern void cpus_read_lock(void);
extern void cpus_read_unlock(void);
#define get_online_cpus() cpus_read_lock()
#define put_online_cpus() cpus_read_unlock()
