// SPDX-License-Identifier: MIT
/*
 * Two settings in /proc/sys/settings: a number from 0 to 10 and a word. The kernel's handlers turn values into text
 * and back, and refuse what is no number or out of range: nothing of that is left to the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sysctl.h>

static int volume = 5;
static int volume_max = 10;
static char speaker[16] = "left";

/* A handler of our own: the kernel's does the work, then we do what follows from the new value. */
static int volume_handler(struct ctl_table *entry, int write, void *buffer, size_t *length, loff_t *position)
{
	int error = proc_dointvec_minmax(entry, write, buffer, length, position);

	if (write && !error)
		pr_info("the volume is %d now\n", volume);
	return error;
}

static struct ctl_table settings_table[] = {
	{
		.procname = "volume",
		.data = &volume,
		.maxlen = sizeof(volume),
		.mode = 0644,
		.proc_handler = volume_handler,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &volume_max,
	},
	{
		.procname = "speaker",
		.data = speaker,
		.maxlen = sizeof(speaker),
		.mode = 0644,
		.proc_handler = proc_dostring,
	},
	{ } /* the end of the table */
};

static struct ctl_table_header *settings_header;

static int __init settings_init(void)
{
	settings_header = register_sysctl("settings", settings_table);
	return settings_header ? 0 : -ENOMEM;
}

static void __exit settings_exit(void)
{
	unregister_sysctl_table(settings_header);
	pr_info("volume %d on the %s\n", volume, speaker);
}

module_init(settings_init);
module_exit(settings_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Settings below /proc/sys");
