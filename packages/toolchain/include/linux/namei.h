/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/path.h>

#define LOOKUP_FOLLOW 0x0001
#define LOOKUP_DIRECTORY 0x0002

extern int kern_path(const char *name, unsigned int flags, struct path *path);
