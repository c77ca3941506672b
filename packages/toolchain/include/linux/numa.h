/* SPDX-License-Identifier: MIT */
#pragma once

#define NODES_SHIFT 0
#define MAX_NUMNODES 1
#define NUMA_NO_NODE (-1)
