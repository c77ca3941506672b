// SPDX-License-Identifier: MIT
// Every mistake that kernel code can make and survive or not: `insmod mistakes.ko what=NAME` makes one.
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *what = "nothing";
module_param(what, charp, 0);

struct node {
	long value;
	struct node *next;
	char name[8];
};

static const long constants[2] = {1, 2};
static unsigned char code_in_data[16] = {0x0b};
static volatile int zero;
static volatile int sink;
volatile int depth;

#define AT(type, address) (*(volatile type *)(address))

static noinline void *hidden(unsigned long address)
{
	void *p = (void *)address;

	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static noinline void null_read(void) { sink = AT(int, hidden(0)); }
static noinline void null_write(void) { AT(char, hidden(0)) = 1; }
static noinline void null_member(void) { sink = ((struct node *)hidden(0))->next != NULL; }
static noinline void user_read(void) { sink = AT(int, hidden(0x400000)); }
static noinline void user_write(void) { AT(long, hidden(0x7fffffffe000)) = 1; }
static noinline void wild_read(void) { sink = AT(int, hidden(0xffffc90012345678)); }
static noinline void wild_write(void) { AT(short, hidden(0xffffffffc7654320)) = 1; }
static noinline void beyond_memory(void) { sink = AT(int, hidden(0xffff888800000000)); }
static noinline void non_canonical_read(void) { sink = AT(int, hidden(0x1122334455667788)); }
static noinline void non_canonical_write(void) { AT(int, hidden(0x6b6b6b6b6b6b6b6b)) = 1; }
static noinline void error_pointer(void) { sink = AT(int, hidden(-ENOMEM)); }
static noinline void text_write(void) { AT(char, hidden((unsigned long)null_read)) = 0; }
static noinline void rodata_write(void) { AT(long, hidden((unsigned long)constants)) = 3; }
static noinline void straddle(void) { sink = AT(long, hidden(0xffffc90012345ffd)); }

static noinline void call(unsigned long address)
{
	((void (*)(void))hidden(address))();
	sink++;
}

static noinline void null_call(void) { call(0); sink++; }
static noinline void data_call(void) { call((unsigned long)code_in_data); sink++; }
static noinline void middle_call(void) { call((unsigned long)null_read + 1); sink++; }
static noinline void user_call(void) { call(0x400000); sink++; }
static noinline void wild_call(void) { call(0xffffffffc7654320); sink++; }
static noinline void non_canonical_call(void) { call(0x6b6b6b6b6b6b6b6b); sink++; }

static noinline void bug(void) { BUG(); }
static noinline void bug_on(void) { BUG_ON(zero == 0); }
static noinline void warn_on(void) { sink = WARN_ON(zero == 0); }
static noinline void warn(void) { WARN(1, "%s of %d\n", "one", 2); }

static noinline void warn_once(void)
{
	for (int i = 0; i < 3; i++) {
		WARN_ON_ONCE(i >= 0);
		WARN_ONCE(i > 0, "i is %d\n", i);
	}
}

static noinline void dump(void) { dump_stack(); }
static noinline void divide(void) { sink = (sink + 7) / zero; }
static noinline void modulo(void) { sink = (sink + 7UL) % (unsigned long)zero; }
static noinline void divide_overflow(void) { sink = (INT_MIN + zero) / (zero - 1); }
static noinline int recurse(int n)
{
	int below;

	depth = n;
	below = recurse(n + 1);
	sink = below;
	return below + n;
}
static noinline void recursion(void) { sink = recurse(1); }

static noinline int fill(int n)
{
	volatile char frame[2000];

	depth = n;
	frame[n & 1023] = n;
	return fill(n + 1) + frame[7];
}
static noinline void big_frames(void) { sink = fill(1); }

static noinline void one_huge_frame(void)
{
	volatile char frame[20000];

	frame[zero & 16383] = 1;
	sink = frame[(zero + 7) & 16383];
}

static noinline void endless(void)
{
	while (zero == 0)
		;
}

static noinline void endless_calls(void)
{
	while (zero == 0)
		hidden(1);
}

static noinline void page_freed_twice(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
	page = alloc_page(GFP_KERNEL);
	sink = page != NULL;
	if (page)
		__free_page(page);
}

static noinline void give_up(void) { panic("mistakes: gave up at step %d", 3); }

#define MISTAKE(name) { #name, name }
static const struct {
	const char *name;
	void (*run)(void);
} mistakes[] = {
	MISTAKE(null_read), MISTAKE(null_write), MISTAKE(null_member), MISTAKE(null_call),
	MISTAKE(user_read), MISTAKE(user_write), MISTAKE(user_call),
	MISTAKE(wild_read), MISTAKE(wild_write), MISTAKE(wild_call), MISTAKE(beyond_memory), MISTAKE(straddle),
	MISTAKE(non_canonical_read), MISTAKE(non_canonical_write), MISTAKE(non_canonical_call), MISTAKE(error_pointer),
	MISTAKE(text_write), MISTAKE(rodata_write), MISTAKE(data_call), MISTAKE(middle_call),
	MISTAKE(bug), MISTAKE(bug_on), MISTAKE(warn_on), MISTAKE(warn), MISTAKE(warn_once), MISTAKE(dump),
	MISTAKE(divide), MISTAKE(modulo), MISTAKE(divide_overflow),
	MISTAKE(recursion), MISTAKE(big_frames), MISTAKE(one_huge_frame), MISTAKE(endless), MISTAKE(endless_calls),
	MISTAKE(page_freed_twice), MISTAKE(give_up),
};

/* Not __init: a module whose init function died keeps its init memory, and is compared with one that lives. */
static int mistakes_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (strcmp(mistakes[i].name, what) == 0)
			mistakes[i].run();
	return 0;
}

static void __exit mistakes_exit(void)
{
}

module_init(mistakes_init);
module_exit(mistakes_exit);
MODULE_LICENSE("GPL");
