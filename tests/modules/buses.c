// SPDX-License-Identifier: MIT
// A bus of a module's own, with devices and drivers, files of both, and resources kept by devres.
// then: ls /sys/bus/lab
// then: ls /sys/bus/lab/devices
// then: cat /sys/bus/lab/version
// then: cat /sys/bus/lab/drivers/lab_driver/greeting
// then: echo hallo > /sys/bus/lab/drivers/lab_driver/greeting
// then: cat /sys/devices/lab0/driver/greeting
#include <linux/module.h>
#include <linux/device.h>
#include <linux/slab.h>

static int lab_match(struct device *dev, struct device_driver *drv)
{
	return strncmp(dev_name(dev), drv->name, strlen("lab")) == 0;
}

static int lab_probe(struct device *dev)
{
	pr_info("bus probes %s\n", dev_name(dev));
	return dev->driver->probe(dev);
}

static void lab_remove(struct device *dev)
{
	pr_info("bus removes %s\n", dev_name(dev));
}

static ssize_t version_show(struct bus_type *bus, char *buf)
{
	return sysfs_emit(buf, "%s 1.0\n", bus->name);
}
static BUS_ATTR_RO(version);

static struct bus_type lab_bus = {
	.name = "lab",
	.match = lab_match,
	.probe = lab_probe,
	.remove = lab_remove,
};

static char greeting[16] = "hello";

static ssize_t greeting_show(struct device_driver *drv, char *buf)
{
	return sysfs_emit(buf, "%s from %s\n", greeting, drv->name);
}

static ssize_t greeting_store(struct device_driver *drv, const char *buf, size_t count)
{
	strscpy(greeting, buf, min(sizeof(greeting), count));
	return count;
}
static DRIVER_ATTR_RW(greeting);

struct counter {
	int value;
};

static void counter_release(struct device *dev, void *res)
{
	pr_info("counter of %s: %d\n", dev_name(dev), ((struct counter *)res)->value);
}

static int driver_probe_one(struct device *dev)
{
	struct counter *c = devres_alloc(counter_release, sizeof(*c), GFP_KERNEL);

	c->value = 42;
	devres_add(dev, c);
	pr_info("found: %d\n", devres_find(dev, counter_release, NULL, NULL) == c);
	dev_info(dev, "probed\n");
	return 0;
}

static struct device_driver lab_driver = {
	.name = "lab_driver",
	.bus = &lab_bus,
	.owner = THIS_MODULE,
	.probe = driver_probe_one,
};

static void lab_release(struct device *dev)
{
	pr_info("release %s\n", dev_name(dev));
}

static struct device lab0 = { .init_name = "lab0", .bus = &lab_bus, .release = lab_release };
static struct device other = { .init_name = "other", .bus = &lab_bus, .release = lab_release };

static int __init buses_init(void)
{
	pr_info("too early: %d\n", driver_register(&lab_driver));
	pr_info("bus: %d\n", bus_register(&lab_bus));
	pr_info("file: %d\n", bus_create_file(&lab_bus, &bus_attr_version));
	pr_info("devices: %d %d\n", device_register(&lab0), device_register(&other));
	pr_info("driver: %d\n", driver_register(&lab_driver));
	pr_info("file: %d\n", driver_create_file(&lab_driver, &driver_attr_greeting));
	pr_info("bound: %d %d\n", lab0.driver == &lab_driver, other.driver == NULL);
	pr_info("find: %d\n", driver_find("lab_driver", &lab_bus) == &lab_driver);
	return 0;
}
module_init(buses_init);

static void __exit buses_exit(void)
{
	device_unregister(&lab0);
	driver_unregister(&lab_driver);
	device_unregister(&other);
	bus_unregister(&lab_bus);
}
module_exit(buses_exit);
MODULE_LICENSE("GPL");
