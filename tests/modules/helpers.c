// SPDX-License-Identifier: MIT
// Small helpers: sizes for people, escapes, integer mathematics, names of things.
#include <linux/gcd.h>
#include <linux/kallsyms.h>
#include <linux/kfifo.h>
#include <linux/lcm.h>
#include <linux/math.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/string_helpers.h>
#include <linux/utsname.h>

static void sizes(void)
{
	static const u64 of[] = { 0, 1, 999, 1000, 1536, 1024 * 1024, 8192ULL << 20, 1ULL << 40, U64_MAX };
	char text[16];
	int i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		string_get_size(of[i], 1, STRING_UNITS_10, text, sizeof(text));
		pr_cont("%s, ", text);
		string_get_size(of[i], 1, STRING_UNITS_2, text, sizeof(text));
		pr_cont("%s; ", text);
	}
	string_get_size(3907029168ULL, 512, STRING_UNITS_10, text, sizeof(text));
	pr_cont("a disk of %s\n", text);
}

static void escapes(void)
{
	char out[32] = "", *copy;
	int n;

	n = string_unescape("a\\tb\\x41\\101\\q", out, sizeof(out), UNESCAPE_ANY);
	pr_info("unescape: %d '%s'\n", n, out);
	n = string_escape_mem("a\tb\"c\n", 6, out, sizeof(out), ESCAPE_SPACE, NULL);
	out[n] = 0;
	pr_info("escape: %d '%s'\n", n, out);
	n = string_escape_mem("a\tb", 3, out, 2, ESCAPE_ANY, "\t");
	pr_info("escape into two bytes: %d\n", n);
	copy = kstrdup_quotable("a \"quoted\"\ttext", GFP_KERNEL);
	pr_info("quotable: %s\n", copy);
	kfree(copy);
}

static void queue(void)
{
	DEFINE_KFIFO(small, int, 4);
	struct kfifo bytes;
	char out[8] = "";
	int i, got;

	for (i = 0; i < 6; i++)
		pr_cont("%d", kfifo_put(&small, i));
	pr_cont(" len %u avail %u full %d", kfifo_len(&small), kfifo_avail(&small), kfifo_is_full(&small));
	while (kfifo_get(&small, &got))
		pr_cont(" %d", got);
	pr_cont(" empty %d\n", kfifo_is_empty(&small));
	if (kfifo_alloc(&bytes, 5, GFP_KERNEL))
		return;
	pr_info("bytes: size %u in %u", kfifo_size(&bytes), kfifo_in(&bytes, "abcdefghij", 10));
	pr_cont(" out %u", kfifo_out(&bytes, out, 3));
	pr_cont(" in %u out %u '%.8s'\n", kfifo_in(&bytes, "xyz", 3), kfifo_out(&bytes, out, 8), out);
	kfifo_free(&bytes);
}

static int __init helpers_init(void)
{
	char comm[TASK_COMM_LEN], symbol[KSYM_SYMBOL_LEN];
	unsigned long trace[8];
	int n, local;

	sizes();
	escapes();
	queue();
	pr_info("int_sqrt: %lu %lu %u, int_pow: %llu, gcd: %lu, lcm: %lu\n", int_sqrt(99), int_sqrt(ULONG_MAX),
		int_sqrt64(1ULL << 62), int_pow(3, 20), gcd(84, 36), lcm(84, 36));
	pr_info("%s, %s on %s\n", get_task_comm(comm, current), utsname()->sysname, utsname()->machine);
	pr_info("on the stack: %d %d\n", object_is_on_stack(&local), object_is_on_stack(trace - 100000));
	sprint_symbol_no_offset(symbol, (unsigned long)helpers_init + 4);
	pr_info("%s, %s\n", symbol, print_tainted());
	n = stack_trace_save(trace, 8, 0);
	sprint_symbol_no_offset(symbol, trace[0]);
	pr_info("at most 8 frames: %d, of which the first: %s\n", n > 2, symbol);
	return 0;
}
module_init(helpers_init);

static void __exit helpers_exit(void)
{
}
module_exit(helpers_exit);
MODULE_LICENSE("GPL");
