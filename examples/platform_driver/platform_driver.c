// SPDX-License-Identifier: MIT
/*
 * A device and its driver. A platform device cannot be asked what it is: the driver fits it by its name. Who binds the
 * two is the kernel, whichever comes first; whichever goes first takes them apart. Most computers have no such lamp, so
 * the module brings a device with it; on a real board a device tree would.
 */
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define LAMP_PORTS 0x340
#define LAMP_IRQ 20

struct lamp {
	struct resource *ports;
	bool lit;
};

static void switch_off(void *data)
{
	struct lamp *lamp = data;

	lamp->lit = false;
	pr_info("the lamp is off\n");
}

/* What is taken with devm_ functions is given back by the kernel after remove, last taken first. */
static int lamp_probe(struct platform_device *device)
{
	struct lamp *lamp = devm_kzalloc(&device->dev, sizeof(*lamp), GFP_KERNEL);

	if (!lamp)
		return -ENOMEM;
	lamp->ports = platform_get_resource(device, IORESOURCE_IO, 0);
	if (!lamp->ports)
		return -ENODEV;
	lamp->lit = true;
	platform_set_drvdata(device, lamp);
	dev_info(&device->dev, "probe: %pR, irq %d\n", lamp->ports, platform_get_irq(device, 0));
	return devm_add_action_or_reset(&device->dev, switch_off, lamp);
}

static int lamp_remove(struct platform_device *device)
{
	struct lamp *lamp = platform_get_drvdata(device);

	dev_info(&device->dev, "remove: the lamp is %s\n", lamp->lit ? "on" : "off");
	return 0;
}

static struct platform_driver lamp_driver = {
	.probe = lamp_probe,
	.remove = lamp_remove,
	.driver = { .name = "lamp" },
};

static struct platform_device *lamp_device;

static const struct resource lamp_resources[] = {
	DEFINE_RES_IO(LAMP_PORTS, 8),
	DEFINE_RES_IRQ(LAMP_IRQ),
};

static int __init platform_driver_init(void)
{
	lamp_device = platform_device_register_simple("lamp", 0, lamp_resources, ARRAY_SIZE(lamp_resources));
	if (IS_ERR(lamp_device))
		return PTR_ERR(lamp_device);
	return platform_driver_register(&lamp_driver);
}

static void __exit platform_driver_exit(void)
{
	platform_driver_unregister(&lamp_driver);
	platform_device_unregister(lamp_device);
}

module_init(platform_driver_init);
module_exit(platform_driver_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A platform device and its driver");
