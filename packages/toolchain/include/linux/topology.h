/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/numa.h>
#include <linux/smp.h>

#define numa_node_id() 0
#define numa_mem_id() 0
#define cpu_to_node(cpu) 0
#define cpu_to_mem(cpu) 0
#define nr_online_nodes 1
#define node_online(node) ((node) == 0)
#define for_each_online_node(node) for ((node) = 0; (node) < 1; (node)++)
#define for_each_node(node) for_each_online_node(node)
