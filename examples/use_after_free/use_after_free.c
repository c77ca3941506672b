// SPDX-License-Identifier: MIT
/*
 * A mistake: an object is written after kfree. Nothing happens at once; with slub_debug=FZPU the allocator finds the
 * changed bytes when it looks at the object again, and says who allocated and who freed it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>

static int __init use_after_free_init(void)
{
	char *note = kmalloc(64, GFP_KERNEL);

	if (!note)
		return -ENOMEM;
	kfree(note);
	note[8] = '!';
	pr_info("written after kfree\n");
	kfree(kmalloc(64, GFP_KERNEL));
	return 0;
}

static void __exit use_after_free_exit(void)
{
}

module_init(use_after_free_init);
module_exit(use_after_free_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A write to an object that has been freed");
