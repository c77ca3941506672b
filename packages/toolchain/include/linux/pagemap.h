/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm.h>
#include <linux/fs.h>
#include <linux/highmem.h>

#define mapping_gfp_mask(mapping) ((mapping)->gfp_mask)
