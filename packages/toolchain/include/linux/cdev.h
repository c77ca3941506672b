/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kobject.h>
#include <linux/kdev_t.h>
#include <linux/list.h>
#include <linux/device.h>
#include <linux/fs.h>

struct file_operations;
struct inode;
struct module;

extern void cdev_init(struct cdev *cdev, const struct file_operations *fops);
extern struct cdev *cdev_alloc(void);
extern void cdev_put(struct cdev *p);
extern int cdev_add(struct cdev *p, dev_t dev, unsigned int count);
extern void cdev_set_parent(struct cdev *p, struct kobject *kobj);
extern int cdev_device_add(struct cdev *cdev, struct device *dev);
extern void cdev_device_del(struct cdev *cdev, struct device *dev);
extern void cdev_del(struct cdev *p);
