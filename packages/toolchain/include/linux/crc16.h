/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

extern u16 crc16(u16 crc, const u8 *buffer, size_t len);
