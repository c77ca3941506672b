/* SPDX-License-Identifier: MIT */
#pragma once

#ifndef HZ
#define HZ 100
#endif
#define EXEC_PAGESIZE 4096
#define MAXHOSTNAMELEN 64
