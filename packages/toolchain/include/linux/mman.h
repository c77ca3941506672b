/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/mm.h>
#include <uapi/linux/mman.h>
