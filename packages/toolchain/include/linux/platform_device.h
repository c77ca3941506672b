/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/device.h>
#include <linux/mod_devicetable.h>

#define PLATFORM_DEVID_NONE (-1)
#define PLATFORM_DEVID_AUTO (-2)

struct platform_device_info {
	struct device *parent;
	const char *name;
	int id;
	const struct resource *res;
	unsigned int num_res;
	const void *data;
	size_t size_data;
	u64 dma_mask;
};

extern struct device platform_bus;
extern int __pagewalk_platform_id(void);

#define to_platform_device(x) container_of((x), struct platform_device, dev)
#define to_platform_driver(drv) container_of((drv), struct platform_driver, driver)
#define platform_get_device_id(pdev) ((pdev)->id_entry)
#define dev_is_platform(dev) ((dev)->bus == &platform_bus_type)

static inline void *platform_get_drvdata(const struct platform_device *pdev)
{
	return dev_get_drvdata(&pdev->dev);
}

static inline void platform_set_drvdata(struct platform_device *pdev, void *data)
{
	dev_set_drvdata(&pdev->dev, data);
}

static inline struct resource *platform_get_resource(struct platform_device *dev, unsigned int type, unsigned int num)
{
	for (u32 i = 0; i < dev->num_resources; i++)
		if (resource_type(&dev->resource[i]) == type && num-- == 0)
			return &dev->resource[i];
	return NULL;
}

static inline struct resource *platform_get_resource_byname(struct platform_device *dev, unsigned int type,
							    const char *name)
{
	for (u32 i = 0; i < dev->num_resources; i++) {
		struct resource *r = &dev->resource[i];

		if (r->name && resource_type(r) == type && strcmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}

static inline int platform_get_irq_optional(struct platform_device *dev, unsigned int num)
{
	struct resource *r = platform_get_resource(dev, IORESOURCE_IRQ, num);

	return r ? (int)r->start : -ENXIO;
}

static inline int platform_get_irq(struct platform_device *dev, unsigned int num)
{
	int irq = platform_get_irq_optional(dev, num);

	if (irq < 0)
		dev_err(&dev->dev, "error %pe: IRQ index %u not found\n", ERR_PTR(irq), num);
	return irq;
}

static inline int platform_get_irq_byname(struct platform_device *dev, const char *name)
{
	struct resource *r = platform_get_resource_byname(dev, IORESOURCE_IRQ, name);

	if (r)
		return (int)r->start;
	dev_err(&dev->dev, "error %pe: IRQ %s not found\n", ERR_PTR(-ENXIO), name);
	return -ENXIO;
}

static inline int platform_irq_count(struct platform_device *dev)
{
	int n = 0;

	while (platform_get_irq_optional(dev, n) >= 0)
		n++;
	return n;
}

static inline void __iomem *devm_platform_get_and_ioremap_resource(struct platform_device *pdev, unsigned int index,
								   struct resource **res)
{
	struct resource *r = platform_get_resource(pdev, IORESOURCE_MEM, index);

	if (res)
		*res = r;
	return devm_ioremap_resource(&pdev->dev, r);
}

static inline void __iomem *devm_platform_ioremap_resource(struct platform_device *pdev, unsigned int index)
{
	return devm_platform_get_and_ioremap_resource(pdev, index, NULL);
}

static inline void platform_device_put(struct platform_device *pdev)
{
	if (!IS_ERR_OR_NULL(pdev))
		put_device(&pdev->dev);
}

/* A device made here goes with its last reference, and with it the copies of what it was given. */
static void __attribute__((unused)) __platform_device_release(struct device *dev)
{
	struct platform_device *pdev = to_platform_device(dev);

	kfree(pdev->dev.platform_data);
	kfree(pdev->resource);
	kfree(pdev);
}

static inline struct platform_device *platform_device_alloc(const char *name, int id)
{
	struct platform_device *pdev = kzalloc(sizeof(*pdev) + strlen(name) + 1, GFP_KERNEL);

	if (!pdev)
		return NULL;
	strcpy((char *)(pdev + 1), name);
	pdev->name = (char *)(pdev + 1);
	pdev->id = id;
	device_initialize(&pdev->dev);
	pdev->dev.release = __platform_device_release;
	return pdev;
}

static inline int platform_device_add_resources(struct platform_device *pdev, const struct resource *res,
						unsigned int num)
{
	struct resource *copy = NULL;

	if (res) {
		copy = kmemdup(res, sizeof(*res) * num, GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
	}
	kfree(pdev->resource);
	pdev->resource = copy;
	pdev->num_resources = num;
	return 0;
}

static inline int platform_device_add_data(struct platform_device *pdev, const void *data, size_t size)
{
	void *copy = NULL;

	if (data) {
		copy = kmemdup(data, size, GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
	}
	kfree(pdev->dev.platform_data);
	pdev->dev.platform_data = copy;
	return 0;
}

static inline void __platform_release_resources(struct platform_device *pdev, u32 n)
{
	while (n--)
		if (pdev->resource[n].parent)
			release_resource(&pdev->resource[n]);
}

static inline int __platform_claim_resources(struct platform_device *pdev)
{
	for (u32 i = 0; i < pdev->num_resources; i++) {
		struct resource *r = &pdev->resource[i], *p = r->parent;

		if (!r->name)
			r->name = dev_name(&pdev->dev);
		if (!p && resource_type(r) == IORESOURCE_MEM)
			p = &iomem_resource;
		else if (!p && resource_type(r) == IORESOURCE_IO)
			p = &ioport_resource;
		if (p && insert_resource(p, r)) {
			dev_err(&pdev->dev, "failed to claim resource %d: %pR\n", (int)i, r);
			__platform_release_resources(pdev, i);
			return -EBUSY;
		}
	}
	return 0;
}

static inline int __platform_set_name(struct platform_device *pdev)
{
	if (pdev->id == PLATFORM_DEVID_NONE)
		return dev_set_name(&pdev->dev, "%s", pdev->name);
	if (pdev->id != PLATFORM_DEVID_AUTO)
		return dev_set_name(&pdev->dev, "%s.%d", pdev->name, pdev->id);
	pdev->id = __pagewalk_platform_id();
	pdev->id_auto = true;
	return dev_set_name(&pdev->dev, "%s.%d.auto", pdev->name, pdev->id);
}

static inline int platform_device_add(struct platform_device *pdev)
{
	int error;

	if (!pdev)
		return -EINVAL;
	if (!pdev->dev.parent)
		pdev->dev.parent = &platform_bus;
	pdev->dev.bus = &platform_bus_type;
	error = __platform_set_name(pdev);
	if (!error)
		error = __platform_claim_resources(pdev);
	if (error)
		return error;
	error = device_add(&pdev->dev);
	if (error)
		__platform_release_resources(pdev, pdev->num_resources);
	return error;
}

static inline void platform_device_del(struct platform_device *pdev)
{
	if (IS_ERR_OR_NULL(pdev))
		return;
	device_del(&pdev->dev);
	__platform_release_resources(pdev, pdev->num_resources);
}

static inline int platform_device_register(struct platform_device *pdev)
{
	device_initialize(&pdev->dev);
	return platform_device_add(pdev);
}

static inline void platform_device_unregister(struct platform_device *pdev)
{
	platform_device_del(pdev);
	platform_device_put(pdev);
}

static inline struct platform_device *platform_device_register_full(const struct platform_device_info *pdevinfo)
{
	struct platform_device *pdev = platform_device_alloc(pdevinfo->name, pdevinfo->id);
	int error;

	if (!pdev)
		return ERR_PTR(-ENOMEM);
	pdev->dev.parent = pdevinfo->parent;
	error = platform_device_add_resources(pdev, pdevinfo->res, pdevinfo->num_res);
	if (!error)
		error = platform_device_add_data(pdev, pdevinfo->data, pdevinfo->size_data);
	if (!error)
		error = platform_device_add(pdev);
	if (!error)
		return pdev;
	platform_device_put(pdev);
	return ERR_PTR(error);
}

static inline struct platform_device *platform_device_register_resndata(struct device *parent, const char *name,
									int id, const struct resource *res,
									unsigned int num, const void *data,
									size_t size)
{
	struct platform_device_info info = {
		.parent = parent, .name = name, .id = id, .res = res,
		.num_res = num, .data = data, .size_data = size,
	};

	return platform_device_register_full(&info);
}

static inline struct platform_device *platform_device_register_simple(const char *name, int id,
								      const struct resource *res, unsigned int num)
{
	return platform_device_register_resndata(NULL, name, id, res, num, NULL, 0);
}

static inline struct platform_device *platform_device_register_data(struct device *parent, const char *name, int id,
								    const void *data, size_t size)
{
	return platform_device_register_resndata(parent, name, id, NULL, 0, data, size);
}

static inline int __platform_driver_register(struct platform_driver *drv, struct module *owner)
{
	drv->driver.owner = owner;
	drv->driver.bus = &platform_bus_type;
	return driver_register(&drv->driver);
}

static inline void platform_driver_unregister(struct platform_driver *drv)
{
	driver_unregister(&drv->driver);
}

static inline int platform_add_devices(struct platform_device **devs, int num)
{
	int i, error = 0;

	for (i = 0; i < num && !error; i++)
		error = platform_device_register(devs[i]);
	if (error)
		for (i--; --i >= 0;)
			platform_device_unregister(devs[i]);
	return error;
}

static inline void platform_unregister_drivers(struct platform_driver *const *drivers, unsigned int count)
{
	while (count--)
		platform_driver_unregister(drivers[count]);
}

#define platform_driver_register(drv) __platform_driver_register(drv, THIS_MODULE)
#define module_platform_driver(__platform_driver) \
	module_driver(__platform_driver, platform_driver_register, platform_driver_unregister)
