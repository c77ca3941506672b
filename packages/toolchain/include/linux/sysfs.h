/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kernfs.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/stat.h>
#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

struct kobject;
struct module;
struct file;
struct bin_attribute;
struct address_space;
struct vm_area_struct;

/* Kernel objects and their attributes. */
#include <generated/kobject_types.h>

struct bin_attribute {
	struct attribute attr;
	size_t size;
	void *private;
	struct address_space *(*f_mapping)(void);
	ssize_t (*read)(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off,
			size_t count);
	ssize_t (*write)(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off,
			 size_t count);
	int (*mmap)(struct file *file, struct kobject *kobj, struct bin_attribute *attr,
		    struct vm_area_struct *vma);
};

#define __ATTR(_name, _mode, _show, _store) \
	{ \
		.attr = { .name = __stringify(_name), .mode = VERIFY_OCTAL_PERMISSIONS(_mode) }, \
		.show = _show, \
		.store = _store, \
	}
#define __ATTR_PREALLOC(_name, _mode, _show, _store) __ATTR(_name, _mode, _show, _store)
#define __ATTR_RO(_name) __ATTR(_name, 0444, _name ## _show, NULL)
#define __ATTR_RO_MODE(_name, _mode) __ATTR(_name, _mode, _name ## _show, NULL)
#define __ATTR_RW_MODE(_name, _mode) __ATTR(_name, _mode, _name ## _show, _name ## _store)
#define __ATTR_WO(_name) __ATTR(_name, 0200, NULL, _name ## _store)
#define __ATTR_RW(_name) __ATTR(_name, 0644, _name ## _show, _name ## _store)
#define __ATTR_NULL { .attr = { .name = NULL } }
#define __ATTRIBUTE_GROUPS(_name) \
	static const struct attribute_group *_name ## _groups[] = { &_name ## _group, NULL }
#define ATTRIBUTE_GROUPS(_name) \
	static const struct attribute_group _name ## _group = { .attrs = _name ## _attrs }; \
	__ATTRIBUTE_GROUPS(_name)
#define __BIN_ATTR(_name, _mode, _read, _write, _size) \
	{ \
		.attr = { .name = __stringify(_name), .mode = _mode }, \
		.read = _read, \
		.write = _write, \
		.size = _size, \
	}
#define __BIN_ATTR_RO(_name, _size) __BIN_ATTR(_name, 0444, _name ## _read, NULL, _size)
#define __BIN_ATTR_WO(_name, _size) __BIN_ATTR(_name, 0200, NULL, _name ## _write, _size)
#define __BIN_ATTR_RW(_name, _size) __BIN_ATTR(_name, 0644, _name ## _read, _name ## _write, _size)
#define __BIN_ATTR_NULL __ATTR_NULL
#define BIN_ATTR(_name, _mode, _read, _write, _size) \
	struct bin_attribute bin_attr_ ## _name = __BIN_ATTR(_name, _mode, _read, _write, _size)
#define BIN_ATTR_RO(_name, _size) struct bin_attribute bin_attr_ ## _name = __BIN_ATTR_RO(_name, _size)
#define BIN_ATTR_WO(_name, _size) struct bin_attribute bin_attr_ ## _name = __BIN_ATTR_WO(_name, _size)
#define BIN_ATTR_RW(_name, _size) struct bin_attribute bin_attr_ ## _name = __BIN_ATTR_RW(_name, _size)
#define sysfs_attr_init(attr) do { } while (0)
#define sysfs_bin_attr_init(bin_attr) do { } while (0)

extern int __must_check sysfs_create_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns);
extern int __must_check sysfs_create_files(struct kobject *kobj, const struct attribute * const *attr);
extern void sysfs_remove_file_ns(struct kobject *kobj, const struct attribute *attr, const void *ns);
extern void sysfs_remove_files(struct kobject *kobj, const struct attribute * const *attr);
extern int __must_check sysfs_create_bin_file(struct kobject *kobj, const struct bin_attribute *attr);
extern void sysfs_remove_bin_file(struct kobject *kobj, const struct bin_attribute *attr);
extern int __must_check sysfs_create_group(struct kobject *kobj, const struct attribute_group *grp);
extern int __must_check sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups);
extern void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *grp);
extern void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups);
extern int __must_check sysfs_create_link(struct kobject *kobj, struct kobject *target, const char *name);
extern void sysfs_remove_link(struct kobject *kobj, const char *name);
extern void sysfs_notify(struct kobject *kobj, const char *dir, const char *attr);
extern __printf(2, 3) int sysfs_emit(char *buf, const char *fmt, ...);
extern __printf(3, 4) int sysfs_emit_at(char *buf, int at, const char *fmt, ...);

static inline int __must_check sysfs_create_file(struct kobject *kobj, const struct attribute *attr)
{
	return sysfs_create_file_ns(kobj, attr, NULL);
}

static inline void sysfs_remove_file(struct kobject *kobj, const struct attribute *attr)
{
	sysfs_remove_file_ns(kobj, attr, NULL);
}
