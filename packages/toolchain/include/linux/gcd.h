/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned long gcd(unsigned long a, unsigned long b) __attribute__((__const__));
