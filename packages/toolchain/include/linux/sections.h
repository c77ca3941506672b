/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/sections.h>
