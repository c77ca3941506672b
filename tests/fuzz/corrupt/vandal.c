// SPDX-License-Identifier: MIT
/* Stores words wherever its parameters say, and takes no care what lies there. */
#include <linux/module.h>

#define MAX 64
static unsigned long at[MAX], value[MAX];
static unsigned int nr, nr_values;
module_param_array(at, ulong, &nr, 0);
module_param_array(value, ulong, &nr_values, 0);

static int __init vandal_init(void)
{
	unsigned int i;

	for (i = 0; i < nr && i < MAX; i++)
		*(volatile unsigned long *)at[i] = value[i];
	return 0;
}

static void __exit vandal_exit(void)
{
}

module_init(vandal_init);
module_exit(vandal_exit);
MODULE_LICENSE("GPL");
