// SPDX-License-Identifier: MIT
// Platform devices and drivers: bound by name and by table, resources, managed memory, put off, unbound.
// then: ls /sys/bus/platform/devices
// then: ls /sys/bus/platform/drivers
// then: ls /sys/devices/platform
// then: ls /sys/bus/platform/drivers/lab-timer
// then: cat /proc/ioports
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/interrupt.h>
#include <linux/delay.h>
#include <linux/slab.h>

struct timer_data {
	const char *kind;
	int *count;
};

static void goodbye(void *data)
{
	msleep(1);
	pr_info("action of %s\n", (char *)data);
}

static irqreturn_t handler(int irq, void *dev)
{
	return IRQ_HANDLED;
}

static int timer_probe(struct platform_device *pdev)
{
	struct timer_data *data = devm_kzalloc(&pdev->dev, sizeof(*data), GFP_KERNEL);
	struct resource *mem = platform_get_resource(pdev, IORESOURCE_IO, 0);
	const struct platform_device_id *id = platform_get_device_id(pdev);
	int irq = platform_get_irq_optional(pdev, 0);

	msleep(5);
	dev_info(&pdev->dev, "probe: driver_data %lu, %pR, irq %d\n", id ? id->driver_data : 0, mem, irq);
	if (irq > 0 && devm_request_irq(&pdev->dev, irq, handler, 0, NULL, data))
		return -EBUSY;
	data->kind = devm_kasprintf(&pdev->dev, GFP_KERNEL, "timer of kind %d", pdev->id);
	platform_set_drvdata(pdev, data);
	return devm_add_action_or_reset(&pdev->dev, goodbye, (void *)data->kind);
}

static int timer_remove(struct platform_device *pdev)
{
	struct timer_data *data = platform_get_drvdata(pdev);

	msleep(5);
	dev_info(&pdev->dev, "remove: %s\n", data->kind);
	return 0;
}

static const struct platform_device_id timer_ids[] = {
	{ "lab-timer-a", 10 },
	{ "lab-timer-b", 20 },
	{ }
};
MODULE_DEVICE_TABLE(platform, timer_ids);

static struct platform_driver timer_driver = {
	.probe = timer_probe,
	.remove = timer_remove,
	.driver = { .name = "lab-timer" },
	.id_table = timer_ids,
};

static int ready;

static int late_probe(struct platform_device *pdev)
{
	dev_info(&pdev->dev, "probe, ready %d\n", ready);
	if (pdev->id == 7)
		return -EINVAL;
	return ready ? 0 : -EPROBE_DEFER;
}

static struct platform_driver late_driver = {
	.probe = late_probe,
	.driver = { .name = "lab-late" },
};

static struct resource ports[] = { DEFINE_RES_IO(0x300, 8), DEFINE_RES_IRQ(5) };
static struct resource overlapping = DEFINE_RES_IO(0x304, 8);
static struct platform_device *a, *b, *late, *bad, *lone;

static int print_name(struct device *dev, void *prefix)
{
	pr_info("%s %s, driver %s\n", (char *)prefix, dev_name(dev), dev->driver ? dev->driver->name : "none");
	return 0;
}

static int __init platform_init(void)
{
	a = platform_device_register_simple("lab-timer-a", 0, ports, ARRAY_SIZE(ports));
	pr_info("a: %d, bound %d\n", PTR_ERR_OR_ZERO(a), a->dev.driver != NULL);
	pr_info("driver: %d, bound %d\n", platform_driver_register(&timer_driver), a->dev.driver == &timer_driver.driver);
	b = platform_device_register_simple("lab-timer-b", PLATFORM_DEVID_AUTO, NULL, 0);
	pr_info("b: %s bound %d\n", dev_name(&b->dev), b->dev.driver != NULL);
	pr_info("twice: %d\n", platform_driver_register(&timer_driver));
	pr_info("overlapping ports: %ld\n",
		PTR_ERR(platform_device_register_simple("lab-timer-a", 1, &overlapping, 1)));

	late = platform_device_register_simple("lab-late", PLATFORM_DEVID_NONE, NULL, 0);
	bad = platform_device_register_simple("lab-late", 7, NULL, 0);
	pr_info("late driver: %d\n", platform_driver_register(&late_driver));
	pr_info("late bound: %d, bad bound %d\n", late->dev.driver != NULL, bad->dev.driver != NULL);
	ready = 1;
	lone = platform_device_register_simple("lab-timer-a", 3, NULL, 0);
	pr_info("late bound: %d\n", late->dev.driver != NULL);
	bus_for_each_dev(&platform_bus_type, NULL, "on the bus:", print_name);
	driver_for_each_device(&timer_driver.driver, NULL, "of the timer:", print_name);
	platform_device_unregister(lone);
	return 0;
}
module_init(platform_init);

static void __exit platform_exit(void)
{
	platform_driver_unregister(&timer_driver);
	pr_info("unbound: %d, data %d\n", b->dev.driver == NULL, platform_get_drvdata(b) == NULL);
	platform_device_unregister(a);
	platform_device_unregister(b);
	platform_driver_unregister(&late_driver);
	platform_device_unregister(late);
	platform_device_unregister(bad);
	pr_info("ports are free: %d\n", request_region(0x300, 8, "x") != NULL);
	release_region(0x300, 8);
}
module_exit(platform_exit);
MODULE_LICENSE("GPL");
