/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/bitsperlong.h>
