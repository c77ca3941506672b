// What C writes into the trace, and what it finds there: the buffer's text is checked by tests/trace.
#include <linux/kernel.h>
#include <linux/module.h>

static noinline int traced_call(int n)
{
	trace_printk("n=%d %s %pe\n", n, "text", ERR_PTR(-ENOMEM));
	return n + 1;
}

static int __init trace_printk_init(void)
{
	char buffer[16] = "from the stack";

	pr_info("tracing is %s\n", tracing_is_on() ? "on" : "off");
	traced_call(1);
	trace_printk("100%% of a format without arguments\n");
	trace_puts("a constant\n");
	trace_puts(buffer);
	tracing_off();
	pr_info("tracing is %s\n", tracing_is_on() ? "on" : "off");
	traced_call(2);
	tracing_on();
	pr_info("tracing is %s\n", tracing_is_on() ? "on" : "off");
	traced_call(3);
	return 0;
}

static void __exit trace_printk_exit(void)
{
	trace_dump_stack(0);
}

module_init(trace_printk_init);
module_exit(trace_printk_exit);
MODULE_LICENSE("GPL");
