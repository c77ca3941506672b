/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/byteorder.h>
