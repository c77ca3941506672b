/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned long lcm(unsigned long a, unsigned long b) __attribute__((__const__));
