/* SPDX-License-Identifier: MIT */
#pragma once

#define BITS_PER_LONG 64
#define BITS_PER_LONG_LONG 64
