// SPDX-License-Identifier: MIT
/*
 * The trace: what the kernel does, one line an event, and what the module says itself, between them. Before insmod:
 *
 *     cd /sys/kernel/tracing
 *     echo 'comm == "insmod" && bytes_req > 100' > events/kmem/kmalloc/filter
 *     echo kmem:kmalloc > set_event
 *
 * and after it: cat /sys/kernel/tracing/trace. The file format beside the filter names what can be asked for.
 */
#include <linux/module.h>
#include <linux/slab.h>

#define NR_SIZES 4

static const size_t sizes[NR_SIZES] = { 16, 200, 64, 3000 };

/* trace_printk writes into the trace, not into the log: cheap enough for places that run a thousand times a second. */
static noinline void take_and_give_back(size_t size)
{
	void *object = kmalloc(size, GFP_KERNEL);

	trace_printk("asked for %zu, got %zu\n", size, ksize(object));
	kfree(object);
}

static int __init tracing_init(void)
{
	int i;

	for (i = 0; i < NR_SIZES; i++)
		take_and_give_back(sizes[i]);
	return 0;
}

static void __exit tracing_exit(void)
{
}

module_init(tracing_init);
module_exit(tracing_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Writes into the trace, beside the kernel's own events");
