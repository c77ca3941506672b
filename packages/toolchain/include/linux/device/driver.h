/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/device/bus.h>
#include <linux/mod_devicetable.h>

enum probe_type {
	PROBE_DEFAULT_STRATEGY,
	PROBE_PREFER_ASYNCHRONOUS,
	PROBE_FORCE_SYNCHRONOUS,
};

struct driver_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device_driver *driver, char *buf);
	ssize_t (*store)(struct device_driver *driver, const char *buf, size_t count);
};

#define DRIVER_ATTR_RW(_name) struct driver_attribute driver_attr_ ## _name = __ATTR_RW(_name)
#define DRIVER_ATTR_RO(_name) struct driver_attribute driver_attr_ ## _name = __ATTR_RO(_name)
#define DRIVER_ATTR_WO(_name) struct driver_attribute driver_attr_ ## _name = __ATTR_WO(_name)

extern struct device_driver *driver_find(const char *name, struct bus_type *bus);
extern int __must_check driver_create_file(struct device_driver *driver, const struct driver_attribute *attr);
extern void driver_remove_file(struct device_driver *driver, const struct driver_attribute *attr);

/* The kernel's part of binding; the driver's own functions are called here, from C, so that they may sleep. */
extern int __pagewalk_driver_add(struct device_driver *drv);
extern void __pagewalk_driver_del(struct device_driver *drv);
extern int __pagewalk_probe_begin(struct device *dev, struct device_driver *drv);
extern int __pagewalk_probe_end(struct device *dev, struct device_driver *drv, int result);
extern struct device_driver *__pagewalk_remove_begin(struct device *dev);
extern void __pagewalk_remove_end(struct device *dev);
extern struct device *__pagewalk_next_device(struct device_driver *drv, struct device *previous);
extern struct device_driver *__pagewalk_next_driver(struct device *dev, struct device_driver *previous);
extern struct device *__pagewalk_next_bound(struct device_driver *drv, struct device *previous);
extern struct device *__pagewalk_next_deferred(struct bus_type *bus);
extern void *__pagewalk_devres_pop(struct device *dev);
extern struct bus_type platform_bus_type;

extern void devm_action_release(struct device *dev, void *res);

/* What devm_add_action() keeps. */
struct __devm_action {
	void *data;
	void (*action)(void *data);
};

/* Gives back what is managed, the newest first; before the data lies how. */
static inline void __devres_release_all(struct device *dev)
{
	void *res;

	while ((res = __pagewalk_devres_pop(dev))) {
		dr_release_t release = ((dr_release_t *)res)[-3];
		struct __devm_action *action = res;

		if (release == devm_action_release)
			action->action(action->data);
		else
			release(dev, res);
		devres_free(res);
	}
}

static inline int __driver_probe(struct device *dev, struct device_driver *drv)
{
	if (dev->bus == &platform_bus_type) {
		struct platform_driver *pdrv = container_of(drv, struct platform_driver, driver);

		return pdrv->probe ? pdrv->probe(container_of(dev, struct platform_device, dev)) : 0;
	}
	if (dev->bus->probe)
		return dev->bus->probe(dev);
	return drv->probe ? drv->probe(dev) : 0;
}

static inline int __driver_bind(struct device *dev, struct device_driver *drv)
{
	int result = __pagewalk_probe_begin(dev, drv);

	if (result)
		return result;
	result = __driver_probe(dev, drv);
	if (result)
		__devres_release_all(dev);
	return __pagewalk_probe_end(dev, drv, result);
}

/* Looks for a driver: 1 if the device has one now. */
static inline int device_attach(struct device *dev)
{
	struct device_driver *drv = NULL;

	while (!dev->driver && (drv = __pagewalk_next_driver(dev, drv)))
		__driver_bind(dev, drv);
	return dev->driver != NULL;
}

static inline void __driver_retry_deferred(struct bus_type *bus)
{
	struct device *dev;

	while ((dev = __pagewalk_next_deferred(bus)))
		device_attach(dev);
}

static inline int driver_attach(struct device_driver *drv)
{
	struct device *dev = NULL;

	while ((dev = __pagewalk_next_device(drv, dev)))
		__driver_bind(dev, drv);
	__driver_retry_deferred(drv->bus);
	return 0;
}

static inline void device_release_driver(struct device *dev)
{
	struct device_driver *drv = __pagewalk_remove_begin(dev);

	if (!drv)
		return;
	if (dev->bus == &platform_bus_type) {
		struct platform_driver *pdrv = container_of(drv, struct platform_driver, driver);

		if (pdrv->remove && pdrv->remove(container_of(dev, struct platform_device, dev)))
			dev_warn(dev, "remove callback returned a non-zero value. This will be ignored.\n");
	} else if (dev->bus->remove) {
		dev->bus->remove(dev);
	} else if (drv->remove) {
		drv->remove(dev);
	}
	__devres_release_all(dev);
	__pagewalk_remove_end(dev);
}

static inline int __must_check driver_register(struct device_driver *drv)
{
	int error = __pagewalk_driver_add(drv);

	return error ? error : driver_attach(drv);
}

static inline void driver_unregister(struct device_driver *drv)
{
	struct device *dev;

	while ((dev = __pagewalk_next_bound(drv, NULL)))
		device_release_driver(dev);
	__pagewalk_driver_del(drv);
}

static inline int driver_for_each_device(struct device_driver *drv, struct device *start, void *data,
					 int (*fn)(struct device *dev, void *data))
{
	struct device *dev = start;
	int error = 0;

	while (!error && (dev = __pagewalk_next_bound(drv, dev)))
		error = fn(dev, data);
	return error;
}

/* A device on a bus finds its driver when it is added, and loses it when it is taken away. */
static inline int __device_add_bound(struct device *dev)
{
	int error = device_add(dev);

	if (!error && dev->bus && device_attach(dev))
		__driver_retry_deferred(dev->bus);
	return error;
}

static inline int __device_register_bound(struct device *dev)
{
	device_initialize(dev);
	return __device_add_bound(dev);
}

static inline void __device_del_bound(struct device *dev)
{
	if (dev->bus)
		device_release_driver(dev);
	device_del(dev);
}

static inline void __device_unregister_bound(struct device *dev)
{
	__device_del_bound(dev);
	put_device(dev);
}

#define device_add(dev) __device_add_bound(dev)
#define device_register(dev) __device_register_bound(dev)
#define device_del(dev) __device_del_bound(dev)
#define device_unregister(dev) __device_unregister_bound(dev)
