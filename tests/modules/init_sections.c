// SPDX-License-Identifier: MIT
/* What lies in .init.* and .data..ro_after_init: there while init runs, gone or read-only afterwards. */
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>

static int shared = 10;
static int limit __ro_after_init;
static int *limit_at __ro_after_init = &limit;
static int (*survivor)(int) __ro_after_init;

static int factor __initdata = 3;
static const char greeting[] __initconst = "good morning";
static int *shared_at __initdata = &shared;
static char scratch[6000] __initdata;

static int start = 5;
module_param(start, int, 0444);
static char label[16] __initdata = "none";
module_param_string(label, label, sizeof(label), 0);

static noinline int plain(int n)
{
	return n + shared;
}

static noinline int __init scaled(int n)
{
	return n * factor;
}

/* In .init.data, with addresses of functions that stay and of functions that go. */
static int (*steps[])(int) __initdata = { plain, scaled, plain };

static noinline int __init once(int n)
{
	scratch[n] = 'x';
	return scratch[n] + scratch[n + 1];
}

static void describe(const char *when, const void *address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, (unsigned long)address);
	pr_info("%s: %s\n", when, strncmp(name, "0x", 2) ? name : "no name");
}

static const void *init_text, *init_data;

static void parts(const char *when)
{
	struct module *m = THIS_MODULE;

	pr_info("%s: core %u bytes, of them %u text, %u read-only, %u after init; init %u bytes\n", when,
		m->core_layout.size, m->core_layout.text_size, m->core_layout.ro_size,
		m->core_layout.ro_after_init_size, m->init_layout.size);
	pr_info("%s: the init function is %s, %s\n", when,
		within_module_init((unsigned long)init_text, m) ? "in init" : "not in init",
		within_module_core((unsigned long)init_text, m) ? "in core" : "not in core");
}

static int __init init_sections_init(void)
{
	int i, n = start;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		n = steps[i](n);
	*shared_at += 1;
	limit = n;
	survivor = plain;
	init_text = scaled;
	init_data = &factor;
	pr_info("%s, %s: %d, %d, %d\n", greeting, label, n, once(90 * n), shared);
	parts("during init");
	describe("during init", init_text);
	describe("during init", init_data);
	return 0;
}

static void __exit init_sections_exit(void)
{
	pr_info("later: limit %d, at its place %d, survivor %d\n", limit, *limit_at, survivor(1));
	parts("later");
	describe("later", init_text);
	describe("later", init_data);
	describe("later", plain);
}

module_init(init_sections_init);
module_exit(init_sections_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("init and ro_after_init sections");
