// SPDX-License-Identifier: MIT
/* A module with settings below /proc/sys/demo; `mistake` chooses what it does wrong. */
#include <linux/completion.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysctl.h>

static int mistake;
module_param(mistake, int, 0);

static int level = 2, secret = 42, none, array[2] = { 1, 2 };
static char name[16] = "first";
static char long_text[6000];

static int counted_handler(struct ctl_table *entry, int write, void *buffer, size_t *lenp, loff_t *ppos)
{
	int err;

	pr_info("%s %zu at %lld%s\n", write ? "write" : "read", *lenp, *ppos,
		write && *lenp < 40 ? (char *)buffer : "");
	if (mistake == 1)
		*(int *)8 = 0;
	if (mistake == 2)
		return -EPERM;
	err = proc_dointvec_minmax(entry, write, buffer, lenp, ppos);
	return err;
}

#define ENTRY(n, var, m, handler, ...) \
	{ .procname = n, .data = &(var), .maxlen = sizeof(var), .mode = m, .proc_handler = handler, ##__VA_ARGS__ }

static struct ctl_table table[] = {
	ENTRY("level", level, 0644, proc_dointvec_minmax, .extra1 = SYSCTL_ZERO, .extra2 = SYSCTL_FOUR),
	ENTRY("name", name, 0644, proc_dostring),
	ENTRY("secret", secret, 0444, proc_dointvec),
	ENTRY("hidden", secret, 0200, proc_dointvec),
	ENTRY("counted", none, 0644, counted_handler, .extra1 = SYSCTL_ZERO),
	ENTRY("long", long_text, 0644, proc_dostring),
	{ }
};
static struct ctl_table_header *header;

#define TRY(path, ...) \
	({ \
		static struct ctl_table wrong[] = { __VA_ARGS__, { } }; \
		struct ctl_table_header *got = register_sysctl(path, wrong); \
		pr_info("%s\n", got ? "registered" : "refused"); \
		unregister_sysctl_table(got); \
	})

static void try_mistakes(void)
{
	static struct ctl_table knot[2] = { { .procname = "knot" } };
	struct ctl_table_header *empty;

	TRY("demo", { .procname = "nothing" });
	TRY("demo", { .procname = "folder", .child = knot });
	TRY("demo/", { .procname = "mode", .mode = 01755, .proc_handler = counted_handler });
	TRY("demo", ENTRY("array", array, 0644, proc_douintvec));
	TRY("demo", { .procname = "bare", .proc_handler = proc_dointvec });
	TRY("demo", ENTRY("level", none, 0644, proc_dointvec));
	TRY("demo/level", ENTRY("below", none, 0644, proc_dointvec));
	TRY("kernel", ENTRY("panic", none, 0644, proc_dointvec));
	TRY("kernel/random", ENTRY("mine", none, 0644, proc_dointvec));
	empty = register_sysctl_mount_point("demo/empty");
	TRY("demo/empty", ENTRY("in", none, 0644, proc_dointvec));
	unregister_sysctl_table(empty);
	pr_info("%s\n", register_sysctl_mount_point("demo") ? "registered" : "refused");
	knot[0].child = knot;
	pr_info("%s\n", register_sysctl_table(knot) ? "registered" : "refused");
}

static void show_pointers(struct tasklet_struct *unused)
{
	pr_info("pointer %pK %10pK|\n", &level, &level);
}
static DECLARE_TASKLET(tasklet, show_pointers);

static DECLARE_COMPLETION(never);

static void show_formats(void)
{
	unsigned long flags[] = { 0x73, 0, 1UL << 37, 0x80000001, 0x800 };
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		pr_info("flags %pGv|\n", &flags[i]);
	pr_info("call %pB\n", (void *)show_pointers + 8);
	pr_info("call %pB\n", (void *)16);
}

static int __init demo_init(void)
{
	memset(long_text, 'x', sizeof(long_text) - 1);
	header = register_sysctl("demo", table);
	if (!header)
		return -ENOMEM;
	if (mistake == 3)
		try_mistakes();
	if (mistake == 7)
		while (mistake)
			barrier();
	if (mistake == 8)
		wait_for_completion(&never);
	if (mistake == 9)
		WARN(1, "once too often\n");
	if (mistake == 10)
		show_formats();
	if (mistake == 6) {
		show_pointers(NULL);
		tasklet_schedule(&tasklet);
	}
	return 0;
}

static void __exit demo_exit(void)
{
	if (mistake == 4)
		return;
	unregister_sysctl_table(header);
	if (mistake == 5)
		unregister_sysctl_table(header);
}

module_init(demo_init);
module_exit(demo_exit);
MODULE_LICENSE("GPL");
