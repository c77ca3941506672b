// SPDX-License-Identifier: MIT
/* Tables of settings: handlers called as the kernel calls them, and tables of tables. */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysctl.h>

static int number = 5, limited = 3, three[3] = { 1, -2, 3 }, timeout = 5 * HZ, delay = HZ / 2;
static unsigned int natural = 7;
static unsigned long big = ~0UL, longs[2] = { 10, 20 }, low = 5, high = 50;
static int flag = 1;
static u8 byte = 200;
static char name[8] = "abc";
static int handled;

static char buffer[64];

/* Reads as a program does: to the end, in pieces of some bytes. */
static void show(struct ctl_table *entry, size_t piece)
{
	loff_t pos = 0;
	size_t done = 0, len;
	int err;

	memset(buffer, 0, sizeof(buffer));
	do {
		len = piece;
		err = entry->proc_handler(entry, 0, buffer + done, &len, &pos);
		done += len;
	} while (!err && len && done < sizeof(buffer) - 1);
	pr_info("%s: %d \"%*pE\" pos %lld\n", entry->procname, err, (int)done, buffer, pos);
}

static void store_at(struct ctl_table *entry, const char *text, loff_t pos)
{
	size_t len = strlen(text);
	int err;

	strscpy(buffer, text, sizeof(buffer));
	err = entry->proc_handler(entry, 1, buffer, &len, &pos);
	pr_info("%s <- \"%*pE\": %d, %zu bytes, pos %lld\n", entry->procname, (int)strlen(text), text, err, len, pos);
}

static void store(struct ctl_table *entry, const char *text)
{
	store_at(entry, text, 0);
	show(entry, sizeof(buffer) - 1);
}

static int own_handler(struct ctl_table *entry, int write, void *buf, size_t *lenp, loff_t *ppos)
{
	int err = proc_dointvec(entry, write, buf, lenp, ppos);

	handled++;
	if (write && !err)
		pr_info("%s is %d now\n", entry->procname, *(int *)entry->data);
	return err;
}

#define ENTRY(n, var, handler, ...) \
	{ .procname = n, .data = &(var), .maxlen = sizeof(var), .mode = 0644, .proc_handler = handler, ##__VA_ARGS__ }

static struct ctl_table table[] = {
	ENTRY("number", number, proc_dointvec),
	ENTRY("limited", limited, proc_dointvec_minmax, .extra1 = SYSCTL_ONE, .extra2 = SYSCTL_ONE_HUNDRED),
	ENTRY("three", three, proc_dointvec),
	ENTRY("natural", natural, proc_douintvec),
	ENTRY("natural_limited", natural, proc_douintvec_minmax, .extra1 = SYSCTL_TWO, .extra2 = SYSCTL_ONE_THOUSAND),
	ENTRY("big", big, proc_doulongvec_minmax),
	ENTRY("longs", longs, proc_doulongvec_minmax, .extra1 = &low, .extra2 = &high),
	ENTRY("flag", flag, proc_dobool),
	ENTRY("byte", byte, proc_dou8vec_minmax, .extra1 = SYSCTL_ONE),
	ENTRY("timeout", timeout, proc_dointvec_jiffies),
	ENTRY("delay", delay, proc_dointvec_ms_jiffies),
	ENTRY("userhz", timeout, proc_dointvec_userhz_jiffies),
	ENTRY("name", name, proc_dostring),
	ENTRY("handled", handled, own_handler),
	{ }
};

enum { NUMBER, LIMITED, THREE, NATURAL, NATURAL_LIMITED, BIG, LONGS, FLAG, BYTE, TIMEOUT, DELAY, USERHZ, NAME, HANDLED };

static void numbers(void)
{
	static const char *const texts[] = { "12\n", "-7", "  0x10  \n", "010", "08", "1 2", "x", "", "\n", "2147483647",
					     "2147483648", "-2147483648", "-2147483649", "9x", "-", "+1" };
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		store(&table[NUMBER], texts[i]);
	store(&table[LIMITED], "100");
	store(&table[LIMITED], "101");
	store(&table[LIMITED], "0");
	store(&table[THREE], "4 5\n");
	store(&table[THREE], "6\t7 8 9");
	store(&table[THREE], "10 x");
	show(&table[THREE], 3);
	store_at(&table[NUMBER], "99", 2);
	show(&table[NUMBER], 63);
}

static void others(void)
{
	store(&table[NATURAL], "4294967295");
	store(&table[NATURAL], "4294967296");
	store(&table[NATURAL], "-1");
	store(&table[NATURAL_LIMITED], "1");
	store(&table[NATURAL_LIMITED], "1000 2");
	show(&table[BIG], 63);
	store(&table[BIG], "0xffffffffffffffff");
	store(&table[BIG], "18446744073709551616");
	store(&table[LONGS], "5 50");
	store(&table[LONGS], "6 51");
	store(&table[FLAG], "7");
	store(&table[FLAG], "0");
	store(&table[BYTE], "255");
	store(&table[BYTE], "256");
	store(&table[BYTE], "0");
	store(&table[TIMEOUT], "30");
	store(&table[USERHZ], "250");
	store(&table[DELAY], "9");
	pr_info("timeout %d, delay %d\n", timeout, delay);
	store(&table[NAME], "a longer name\n");
	show(&table[NAME], 3);
	store(&table[NAME], "b");
	store_at(&table[NAME], "cd", 1);
	store_at(&table[NAME], "far", 6);
	show(&table[NAME], 63);
	store(&table[HANDLED], "40");
}

static struct ctl_table leaves[] = { ENTRY("leaf", number, proc_dointvec), { } };
static struct ctl_table folders[] = {
	{ .procname = "tree", .mode = 0555, .child = leaves },
	ENTRY("beside", number, proc_dointvec),
	{ }
};
static struct ctl_table top[] = { { .procname = "demo", .mode = 0555, .child = folders }, { } };

static int __init sysctls_init(void)
{
	struct ctl_table_header *header = register_sysctl("demo", table);
	struct ctl_table_header *nested, *empty;

	if (!header)
		return -ENOMEM;
	numbers();
	others();
	nested = register_sysctl_table(top);
	pr_info("nested: %s\n", nested ? "yes" : "no");
	empty = register_sysctl_mount_point("demo/empty");
	pr_info("empty: %s\n", empty ? "yes" : "no");
	unregister_sysctl_table(empty);
	unregister_sysctl_table(nested);
	unregister_sysctl_table(header);
	unregister_sysctl_table(NULL);
	pr_info("limits %d %d %d\n", *(int *)SYSCTL_NEG_ONE, *(int *)SYSCTL_INT_MAX, *(int *)SYSCTL_MAXOLDUID);
	return 0;
}

static void __exit sysctls_exit(void)
{
}

module_init(sysctls_init);
module_exit(sysctls_exit);
MODULE_LICENSE("GPL");
