/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/err.h>
#include <linux/types.h>

struct kernfs_node;
struct kernfs_open_file;
