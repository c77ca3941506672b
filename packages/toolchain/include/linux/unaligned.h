/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/unaligned.h>
