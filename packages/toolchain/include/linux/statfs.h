/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/fs.h>
#include <asm/byteorder.h>

#define ST_RDONLY 0x0001
#define ST_NOSUID 0x0002
#define ST_NODEV 0x0004
#define ST_NOEXEC 0x0008
#define ST_VALID 0x0020
#define ST_NOATIME 0x0400
#define ST_RELATIME 0x1000

static inline __kernel_fsid_t u64_to_fsid(u64 v)
{
	return (__kernel_fsid_t) { .val = { (u32)v, (u32)(v >> 32) } };
}
