/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/major.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/device.h>
#include <linux/fs.h>

#define MISC_DYNAMIC_MINOR 255

extern int misc_register(struct miscdevice *misc);
extern void misc_deregister(struct miscdevice *misc);

#define module_misc_device(__misc_device) module_driver(__misc_device, misc_register, misc_deregister)
#define builtin_misc_device(__misc_device) module_misc_device(__misc_device)
