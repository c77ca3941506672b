/* SPDX-License-Identifier: MIT */
#pragma once

#define MEM_MAJOR 1
#define TTY_MAJOR 4
#define MISC_MAJOR 10
