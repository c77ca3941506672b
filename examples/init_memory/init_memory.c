// SPDX-License-Identifier: MIT
/*
 * A mistake on purpose: __init code is called after init, when its memory has been given back. make warns:
 *
 *     section mismatch in reference: greet_later (section: .text) -> greet (section: .init.text)
 *
 * and 10 ms after insmod, dmesg shows how the kernel meets it:
 *
 *     BUG: unable to handle page fault for address: ffffffffc000405e    where the function was
 *     #PF: supervisor instruction fetch in kernel mode                  the kernel wanted to run what is there
 *     #PF: error_code(0x0010) - not-present page                        but no page is there any more
 *     RIP: 0010:0xffffffffc000405e                                      and no name, as the symbol is gone, too
 *     Call Trace:
 *      greet_later+0x1d/0x26 [init_memory]                              so look at who called it
 *
 * The thread dies of it; in a timer or an interrupt handler it would have been the whole machine.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>

static struct task_struct *greeter;

/* Without __init this module would be right. */
static noinline void __init greet(void)
{
	pr_info("good morning\n");
}

static int greet_later(void *unused)
{
	msleep(10);
	pr_info("once more\n");
	greet();
	return 0;
}

static int __init init_memory_init(void)
{
	greet();
	greeter = kthread_run(greet_later, NULL, "greeter");
	return PTR_ERR_OR_ZERO(greeter);
}

static void __exit init_memory_exit(void)
{
}

module_init(init_memory_init);
module_exit(init_memory_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Calls __init code after init");
