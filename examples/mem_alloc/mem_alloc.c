// SPDX-License-Identifier: MIT
// Takes 256 bytes from the kernel's heap, writes a string into them, prints it, gives them back.
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define BUFFER_BYTES 256

static int __init mem_alloc_init(void)
{
	char *text;

	printk(KERN_INFO "Initializing memory allocation module\n");

	text = kmalloc(BUFFER_BYTES, GFP_KERNEL);
	if (!text) {
		printk(KERN_ERR "Memory allocation failed\n");
		return -ENOMEM;
	}

	strscpy(text, "Hello from kernel module!", BUFFER_BYTES);
	printk(KERN_INFO "%s\n", text);

	kfree(text);
	return 0;
}

static void __exit mem_alloc_exit(void)
{
	printk(KERN_INFO "Exiting memory allocation module\n");
}

module_init(mem_alloc_init);
module_exit(mem_alloc_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Pagewalk");
MODULE_DESCRIPTION("Allocates and frees 256 bytes of kernel memory");
MODULE_VERSION("1.0");
