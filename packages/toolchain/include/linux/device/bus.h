/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/device/class.h>
#include <linux/device.h>

struct bus_attribute {
	struct attribute attr;
	ssize_t (*show)(struct bus_type *bus, char *buf);
	ssize_t (*store)(struct bus_type *bus, const char *buf, size_t count);
};

#define BUS_ATTR_RW(_name) struct bus_attribute bus_attr_ ## _name = __ATTR_RW(_name)
#define BUS_ATTR_RO(_name) struct bus_attribute bus_attr_ ## _name = __ATTR_RO(_name)
#define BUS_ATTR_WO(_name) struct bus_attribute bus_attr_ ## _name = __ATTR_WO(_name)

extern int __must_check bus_register(struct bus_type *bus);
extern void bus_unregister(struct bus_type *bus);
extern int __must_check bus_create_file(struct bus_type *bus, struct bus_attribute *attr);
extern void bus_remove_file(struct bus_type *bus, struct bus_attribute *attr);
extern struct device *__pagewalk_bus_next_dev(struct bus_type *bus, struct device *previous);
extern struct device_driver *__pagewalk_bus_next_drv(struct bus_type *bus, struct device_driver *previous);

static inline int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
				   int (*fn)(struct device *dev, void *data))
{
	struct device *dev = start;
	int error = 0;

	while (!error && (dev = __pagewalk_bus_next_dev(bus, dev)))
		error = fn(dev, data);
	return error;
}

static inline struct device *bus_find_device(struct bus_type *bus, struct device *start, const void *data,
					     int (*match)(struct device *dev, const void *data))
{
	struct device *dev = start;

	while ((dev = __pagewalk_bus_next_dev(bus, dev)))
		if (match(dev, data))
			return get_device(dev);
	return NULL;
}

static inline int bus_for_each_drv(struct bus_type *bus, struct device_driver *start, void *data,
				   int (*fn)(struct device_driver *drv, void *data))
{
	struct device_driver *drv = start;
	int error = 0;

	while (!error && (drv = __pagewalk_bus_next_drv(bus, drv)))
		error = fn(drv, data);
	return error;
}

static inline struct device *bus_find_device_by_name(struct bus_type *bus, struct device *start, const char *name)
{
	struct device *dev = start;

	while ((dev = __pagewalk_bus_next_dev(bus, dev)))
		if (strcmp(dev_name(dev), name) == 0)
			return get_device(dev);
	return NULL;
}
