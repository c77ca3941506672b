// SPDX-License-Identifier: MIT
// Rings: fifos of elements and of records, on the stack, allocated and over a buffer; circular buffers.
#include <linux/circ_buf.h>
#include <linux/kfifo.h>
#include <linux/module.h>
#include <linux/slab.h>

struct point {
	short x, y, z;
};

static DEFINE_SPINLOCK(lock);
static DEFINE_KFIFO(global, struct point, 2);

static void elements(void)
{
	struct point in[3] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } }, out[4] = {};
	int i;

	pr_info("esize %zu size %u recsize %zu initialized %d\n", kfifo_esize(&global), kfifo_size(&global),
		kfifo_recsize(&global), kfifo_initialized(&global) != 0);
	pr_info("peek of none %d, get %d, out %u\n", kfifo_peek(&global, &out[0]), kfifo_get(&global, &out[0]),
		kfifo_out(&global, out, 4));
	pr_info("in %u", kfifo_in(&global, in, 3));
	pr_cont(" len %u avail %u full %d", kfifo_len(&global), kfifo_avail(&global), kfifo_is_full(&global));
	pr_cont(" put %d\n", kfifo_put(&global, in[2]));
	pr_info("peek %d", kfifo_peek(&global, &out[0]));
	pr_cont(": %d %d %d", out[0].x, out[0].y, out[0].z);
	pr_cont(", peek_len %u, out_peek %u", kfifo_peek_len(&global), kfifo_out_peek(&global, out, 4));
	pr_cont(": %d %d\n", out[0].x, out[1].x);
	kfifo_skip(&global);
	pr_info("after skip len %u", kfifo_len(&global));
	for (i = 0; i < 5; i++) {
		kfifo_put(&global, in[i % 3]);
		pr_cont(" %d", kfifo_get(&global, &out[0]));
		pr_cont(":%d", out[0].x);
	}
	pr_cont("\n");
	kfifo_reset_out(&global);
	pr_info("reset out: empty %d", kfifo_is_empty(&global));
	pr_cont(", locked in %u", kfifo_in_spinlocked(&global, in, 1, &lock));
	pr_cont(" out %u", kfifo_out_spinlocked(&global, out, 2, &lock));
	pr_cont(" empty %d\n", kfifo_is_empty_spinlocked(&global, &lock));
	kfifo_reset(&global);
}

static void dynamic(void)
{
	DECLARE_KFIFO_PTR(numbers, u64);
	DECLARE_KFIFO(small, u8, 16);
	struct kfifo over;
	static char buffer[10];
	char text[16] = "";
	u64 number = 0;
	int i;

	INIT_KFIFO(numbers);
	pr_info("before: initialized %d\n", kfifo_initialized(&numbers) != 0);
	pr_info("alloc of 1: %d", kfifo_alloc(&numbers, 1, GFP_KERNEL));
	pr_cont(" of 100: %d", kfifo_alloc(&numbers, 100, GFP_KERNEL));
	pr_cont(" size %u", kfifo_size(&numbers));
	for (i = 0; kfifo_put(&numbers, i * i); i++)
		;
	pr_cont(" took %d", i);
	while (kfifo_get(&numbers, &number))
		;
	pr_cont(" last %llu\n", number);
	kfifo_free(&numbers);
	pr_info("freed: initialized %d\n", kfifo_initialized(&numbers) != 0);
	INIT_KFIFO(small);
	pr_info("of bytes: size %u, in %u", kfifo_size(&small), kfifo_in(&small, "0123456789abcdefgh", 18));
	pr_cont(" out %u", kfifo_out(&small, text, 4));
	pr_cont(" %.4s", text);
	pr_cont(" in %u", kfifo_in(&small, "XY", 2));
	pr_cont(" out %u", kfifo_out(&small, text, 16));
	pr_cont(" %.14s\n", text);
	pr_info("over 10 bytes: %d", kfifo_init(&over, buffer, sizeof(buffer)));
	pr_cont(" size %u", kfifo_size(&over));
	pr_cont(", over 1: %d\n", kfifo_init(&over, buffer, 1));
}

static void records(void)
{
	STRUCT_KFIFO_REC_1(64) one;
	struct kfifo_rec_ptr_2 two;
	char text[64] = "";
	unsigned int n;

	INIT_KFIFO(one);
	pr_info("recsize %zu avail %u\n", kfifo_recsize(&one), kfifo_avail(&one));
	pr_info("in %u", kfifo_in(&one, "first", 5));
	pr_cont(" %u", kfifo_in(&one, "", 0));
	pr_cont(" %u", kfifo_in(&one, "the third", 9));
	pr_cont(" len %u avail %u peek_len %u\n", kfifo_len(&one), kfifo_avail(&one), kfifo_peek_len(&one));
	n = kfifo_out_peek(&one, text, sizeof(text));
	pr_info("peek %u %.5s", n, text);
	n = kfifo_out(&one, text, 3);
	pr_cont(", out %u %.3s: the rest is lost", n, text);
	n = kfifo_out(&one, text, sizeof(text));
	pr_cont(", empty one %u, next %u", n, kfifo_peek_len(&one));
	kfifo_skip(&one);
	pr_cont(", skipped: len %u\n", kfifo_len(&one));
	memset(text, 'x', sizeof(text));
	pr_info("a record of 63: %u", kfifo_in(&one, text, 63));
	pr_cont(" another: %u\n", kfifo_in(&one, text, 1));
	if (kfifo_alloc(&two, 1024, GFP_KERNEL))
		return;
	for (n = 0; kfifo_in(&two, text, 60); n++)
		;
	pr_info("recsize %zu: %u records of 60, len %u avail %u\n", kfifo_recsize(&two), n, kfifo_len(&two), kfifo_avail(&two));
	kfifo_free(&two);
}

static void user(void)
{
	DEFINE_KFIFO(bytes, char, 8);
	unsigned int copied = 99;

	kfifo_in(&bytes, "abc", 3);
	pr_info("to user %d", kfifo_to_user(&bytes, (char __user *)8, 3, &copied));
	pr_cont(" copied %u, len %u\n", copied, kfifo_len(&bytes));
	copied = 99;
	pr_info("from user %d", kfifo_from_user(&bytes, (char __user *)8, 3, &copied));
	pr_cont(" copied %u, len %u\n", copied, kfifo_len(&bytes));
}

static void circular(void)
{
	char buffer[8];
	struct circ_buf ring = { .buf = buffer };
	int i;

	for (i = 0; i < 4; i++) {
		pr_info("head %d tail %d: count %d (to end %d), space %d (to end %d)\n", ring.head, ring.tail,
			CIRC_CNT(ring.head, ring.tail, 8), CIRC_CNT_TO_END(ring.head, ring.tail, 8),
			CIRC_SPACE(ring.head, ring.tail, 8), CIRC_SPACE_TO_END(ring.head, ring.tail, 8));
		ring.head = (ring.head + 5) & 7;
		ring.tail = (ring.tail + 3) & 7;
	}
}

static int __init fifos_init(void)
{
	elements();
	dynamic();
	records();
	user();
	circular();
	return 0;
}
module_init(fifos_init);

static void __exit fifos_exit(void)
{
}
module_exit(fifos_exit);
MODULE_LICENSE("GPL");
