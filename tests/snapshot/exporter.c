// SPDX-License-Identifier: MIT
/* Offers a counter to other modules, with a pointer to a function of its own inside. */
#include <linux/module.h>

struct counter {
	int value;
	int (*step)(int);
};

static int three(int value)
{
	return value + 3;
}

static int initial;
module_param(initial, int, 0644);
static char *label = "counter";
module_param(label, charp, 0444);

static struct counter counter = { .step = three };

int count_up(void)
{
	counter.value = counter.step(counter.value);
	return counter.value;
}
EXPORT_SYMBOL(count_up);

static int __init exporter_init(void)
{
	counter.value = initial;
	pr_info("%s starts at %d\n", label, initial);
	return 0;
}

static void __exit exporter_exit(void)
{
	pr_info("%s ends at %d\n", label, counter.value);
}

module_init(exporter_init);
module_exit(exporter_exit);
MODULE_LICENSE("GPL");
