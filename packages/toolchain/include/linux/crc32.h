/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/bitrev.h>

extern u32 crc32_le(u32 crc, unsigned char const *p, size_t len);
extern u32 crc32_be(u32 crc, unsigned char const *p, size_t len);
extern u32 __crc32c_le(u32 crc, unsigned char const *p, size_t len);
#define crc32(seed, data, length) crc32_le(seed, (unsigned char const *)(data), length)
#define ether_crc_le(length, data) crc32_le(~0, data, length)
