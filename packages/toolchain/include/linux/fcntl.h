/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/stat.h>
#include <uapi/linux/fcntl.h>
