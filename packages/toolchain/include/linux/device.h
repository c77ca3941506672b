/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/dev_printk.h>
#include <linux/ioport.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/atomic.h>
#include <linux/uidgid.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/device/class.h>

struct device;
struct device_driver;
struct device_node;
struct module;

struct device_type {
	const char *name;
	const struct attribute_group **groups;
	char *(*devnode)(struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid);
	void (*release)(struct device *dev);
};

struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr, char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr, const char *buf, size_t count);
};

#define DEVICE_ATTR(_name, _mode, _show, _store) \
	struct device_attribute dev_attr_ ## _name = __ATTR(_name, _mode, _show, _store)
#define DEVICE_ATTR_RW(_name) struct device_attribute dev_attr_ ## _name = __ATTR_RW(_name)
#define DEVICE_ATTR_RO(_name) struct device_attribute dev_attr_ ## _name = __ATTR_RO(_name)
#define DEVICE_ATTR_WO(_name) struct device_attribute dev_attr_ ## _name = __ATTR_WO(_name)

#define kobj_to_dev(k) container_of(k, struct device, kobj)

static inline const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : kobject_name(&dev->kobj);
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline void *dev_get_platdata(const struct device *dev)
{
	return dev->platform_data;
}

extern __printf(2, 3) int dev_set_name(struct device *dev, const char *name, ...);
extern void device_initialize(struct device *dev);
extern int __must_check device_add(struct device *dev);
extern void device_del(struct device *dev);
extern int __must_check device_register(struct device *dev);
extern void device_unregister(struct device *dev);
extern struct device *get_device(struct device *dev);
extern void put_device(struct device *dev);
extern __printf(5, 6) struct device *device_create(struct class *cls, struct device *parent, dev_t devt,
						   void *drvdata, const char *fmt, ...);
extern __printf(6, 7) struct device *device_create_with_groups(struct class *cls, struct device *parent, dev_t devt,
							       void *drvdata,
							       const struct attribute_group **groups,
							       const char *fmt, ...);
extern void device_destroy(struct class *cls, dev_t devt);
extern int device_create_file(struct device *device, const struct device_attribute *entry);
extern void device_remove_file(struct device *dev, const struct device_attribute *attr);
extern struct device *root_device_register(const char *name);
extern void root_device_unregister(struct device *root);

typedef void (*dr_release_t)(struct device *dev, void *res);
typedef int (*dr_match_t)(struct device *dev, void *res, void *match_data);
extern void *__devres_alloc_node(dr_release_t release, size_t size, gfp_t gfp, int nid, const char *name) __malloc;
#define devres_alloc(release, size, gfp) __devres_alloc_node(release, size, gfp, NUMA_NO_NODE, #release)
extern void devres_free(void *res);
extern void devres_add(struct device *dev, void *res);
extern void *devres_find(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
extern void *devres_remove(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
extern int devres_destroy(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
extern int devres_release(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
extern int devm_add_action(struct device *dev, void (*action)(void *), void *data);
extern int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data);
extern void devm_remove_action(struct device *dev, void (*action)(void *), void *data);
extern void devm_release_action(struct device *dev, void (*action)(void *), void *data);
extern void __iomem *devm_ioremap(struct device *dev, resource_size_t offset, resource_size_t size);
extern void devm_iounmap(struct device *dev, void __iomem *addr);
extern void __iomem *devm_ioremap_resource(struct device *dev, const struct resource *res);
extern __printf(3, 4) char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...) __malloc;

extern void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp) __malloc __alloc_size__(2);
extern void devm_kfree(struct device *dev, const void *p);
extern char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp) __malloc;
extern void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp);

static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)
{
	return devm_kmalloc(dev, size, gfp | __GFP_ZERO);
}

static inline void *devm_kmalloc_array(struct device *dev, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return devm_kmalloc(dev, bytes, flags);
}

static inline void *devm_kcalloc(struct device *dev, size_t n, size_t size, gfp_t flags)
{
	return devm_kmalloc_array(dev, n, size, flags | __GFP_ZERO);
}

#include <linux/device/driver.h>

#define module_driver(__driver, __register, __unregister, ...) \
	static int __init __driver ## _init(void) \
	{ \
		return __register(&(__driver), ##__VA_ARGS__); \
	} \
	module_init(__driver ## _init); \
	static void __exit __driver ## _exit(void) \
	{ \
		__unregister(&(__driver), ##__VA_ARGS__); \
	} \
	module_exit(__driver ## _exit)
