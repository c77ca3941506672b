// SPDX-License-Identifier: MIT
// Copies to and from user space, where nothing is mapped: every one fails, and says by how much.
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static int __init usercopy_init(void)
{
	char buffer[16] = "unchanged";
	void __user *nowhere = (void __user *)0x400000;
	char *copy;
	int value = 5;

	pr_info("access_ok: %d %d %d %d\n", access_ok(nowhere, 16), access_ok(nowhere, -1),
		access_ok((void __user *)buffer, 16), access_ok((void __user *)(TASK_SIZE_MAX - 16), 17));
	pr_info("copy_to_user: %lu\n", copy_to_user(nowhere, buffer, 9));
	pr_info("copy_from_user: %lu, leaves '%s'\n", copy_from_user(buffer, nowhere, 4), buffer);
	pr_info("of which the zeroed ones: %*ph\n", 6, buffer);
	pr_info("from a kernel address: %lu\n", copy_from_user(buffer, (void __user *)&value, 4));
	pr_info("nothing at all: %lu\n", copy_from_user(buffer, nowhere, 0));
	pr_info("get_user: %d, %d; put_user: %d\n", get_user(value, (int __user *)nowhere), value,
		put_user(value, (int __user *)nowhere));
	pr_info("clear_user: %lu\n", clear_user(nowhere, 100));
	pr_info("strncpy_from_user: %ld, strnlen_user: %ld\n", strncpy_from_user(buffer, nowhere, 16),
		strnlen_user(nowhere, 16));
	copy = memdup_user(nowhere, 10);
	pr_info("memdup_user: %ld\n", IS_ERR(copy) ? PTR_ERR(copy) : 0);
	copy = strndup_user(nowhere, 10);
	pr_info("strndup_user: %ld\n", IS_ERR(copy) ? PTR_ERR(copy) : 0);
	value = 77;
	pr_info("copy_from_kernel_nofault: %ld\n", copy_from_kernel_nofault(buffer, &value, 4));
	pr_info("got %d\n", *(int *)buffer);
	pr_info("from nowhere: %ld, from NULL: %ld\n", copy_from_kernel_nofault(buffer, (void *)0xffffa00000000000, 4),
		copy_from_kernel_nofault(buffer, NULL, 4));
	pr_info("strncpy_from_kernel_nofault: %ld '%s'\n", strncpy_from_kernel_nofault(buffer, "a string", 16), buffer);
	return 0;
}
module_init(usercopy_init);

static void __exit usercopy_exit(void)
{
}
module_exit(usercopy_exit);
MODULE_LICENSE("GPL");
