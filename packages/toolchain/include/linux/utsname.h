/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/sched.h>
#include <uapi/linux/utsname.h>

struct uts_namespace {
	struct new_utsname name;
};
extern struct uts_namespace init_uts_ns;

static inline struct new_utsname *utsname(void)
{
	return &init_uts_ns.name;
}

static inline struct new_utsname *init_utsname(void)
{
	return &init_uts_ns.name;
}
