/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kobject.h>
#include <linux/mutex.h>

struct device;
struct module;
struct lock_class_key;
struct file_operations;

/* Classes, devices, and what drivers embed. */
#include <generated/device_types.h>

struct class_attribute {
	struct attribute attr;
	ssize_t (*show)(struct class *class, struct class_attribute *attr, char *buf);
	ssize_t (*store)(struct class *class, struct class_attribute *attr, const char *buf, size_t count);
};

#define CLASS_ATTR_RW(_name) struct class_attribute class_attr_ ## _name = __ATTR_RW(_name)
#define CLASS_ATTR_RO(_name) struct class_attribute class_attr_ ## _name = __ATTR_RO(_name)
#define CLASS_ATTR_WO(_name) struct class_attribute class_attr_ ## _name = __ATTR_WO(_name)

extern struct class * __must_check __class_create(struct module *owner, const char *name,
						  struct lock_class_key *key);
extern int __must_check __class_register(struct class *class, struct lock_class_key *key);
extern void class_unregister(struct class *class);
extern void class_destroy(struct class *cls);
extern int __must_check class_create_file_ns(struct class *class, const struct class_attribute *attr,
					     const void *ns);
extern void class_remove_file_ns(struct class *class, const struct class_attribute *attr, const void *ns);
#define class_create_file(class, attr) class_create_file_ns(class, attr, NULL)
#define class_remove_file(class, attr) class_remove_file_ns(class, attr, NULL)

/* Linux 6.1 has the owner first; from 6.4 on there is the name alone. Both work. */
#define __class_create_2(owner, name) \
	({ \
		static struct lock_class_key __key; \
		__class_create(owner, name, &__key); \
	})
#define __class_create_1(name) __class_create_2(NULL, name)
#define __class_create_pick(_1, _2, NAME, ...) NAME
#define class_create(args...) __class_create_pick(args, __class_create_2, __class_create_1, )(args)
#define class_register(class) \
	({ \
		static struct lock_class_key __key; \
		__class_register(class, &__key); \
	})
