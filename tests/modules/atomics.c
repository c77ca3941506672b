// SPDX-License-Identifier: MIT
// Atomic integers of 32, 64 and long bits: every operation, what it gives back and what it leaves; plain words too.
#include <linux/atomic.h>
#include <linux/module.h>

/* Each line: what the operation gave, and what it left. */
#define gave(a, type, op) \
	({ \
		long long got__ = (op); \
		pr_cont(" " #op " %lld:%lld;", got__, (long long)type##_read(a)); \
	})
#define left(a, type, op) \
	({ \
		op; \
		pr_cont(" " #op " %lld;", (long long)type##_read(a)); \
	})

static void atomic_operations(void)
{
	atomic_t counter = ATOMIC_INIT(0), *a = &counter;
	int expected;

	atomic_set(a, 7);
	gave(a, atomic, atomic_fetch_add(5, a));
	gave(a, atomic, atomic_fetch_sub(2, a));
	gave(a, atomic, atomic_fetch_inc(a));
	gave(a, atomic, atomic_fetch_dec(a));
	left(a, atomic, atomic_add(10, a));
	left(a, atomic, atomic_sub(3, a));
	left(a, atomic, atomic_inc(a));
	left(a, atomic, atomic_dec(a));
	pr_cont("\n");
	gave(a, atomic, atomic_add_return(1, a));
	gave(a, atomic, atomic_sub_return(18, a));
	gave(a, atomic, atomic_inc_return(a));
	gave(a, atomic, atomic_dec_return(a));
	gave(a, atomic, atomic_add_return_relaxed(2, a));
	gave(a, atomic, atomic_fetch_add_acquire(2, a));
	gave(a, atomic, atomic_fetch_sub_release(4, a));
	pr_cont("\n");
	atomic_set(a, 0xf0);
	left(a, atomic, atomic_and(0x3c, a));
	left(a, atomic, atomic_or(0x0f, a));
	left(a, atomic, atomic_xor(0xff, a));
	left(a, atomic, atomic_andnot(0xf0, a));
	gave(a, atomic, atomic_fetch_and(0x5, a));
	gave(a, atomic, atomic_fetch_or(0x30, a));
	gave(a, atomic, atomic_fetch_xor(0x11, a));
	gave(a, atomic, atomic_fetch_andnot(0x20, a));
	pr_cont("\n");
	atomic_set(a, 1);
	gave(a, atomic, atomic_dec_and_test(a));
	gave(a, atomic, atomic_inc_and_test(a));
	gave(a, atomic, atomic_sub_and_test(1, a));
	gave(a, atomic, atomic_dec_and_test(a));
	gave(a, atomic, atomic_inc_and_test(a));
	gave(a, atomic, atomic_add_negative(-1, a));
	gave(a, atomic, atomic_add_negative(1, a));
	pr_cont("\n");
	atomic_set(a, 5);
	gave(a, atomic, atomic_add_unless(a, 2, 5));
	gave(a, atomic, atomic_add_unless(a, 2, 4));
	gave(a, atomic, atomic_fetch_add_unless(a, 1, 7));
	gave(a, atomic, atomic_fetch_add_unless(a, 1, 8));
	gave(a, atomic, atomic_inc_not_zero(a));
	left(a, atomic, atomic_set(a, 0));
	gave(a, atomic, atomic_inc_not_zero(a));
	gave(a, atomic, atomic_inc_unless_negative(a));
	gave(a, atomic, atomic_dec_unless_positive(a));
	pr_cont("\n");
	atomic_set(a, 0);
	gave(a, atomic, atomic_dec_unless_positive(a));
	gave(a, atomic, atomic_inc_unless_negative(a));
	gave(a, atomic, atomic_dec_if_positive(a));
	left(a, atomic, atomic_set(a, 1));
	gave(a, atomic, atomic_dec_if_positive(a));
	pr_cont("\n");
	atomic_set(a, 3);
	gave(a, atomic, atomic_xchg(a, 4));
	gave(a, atomic, atomic_cmpxchg(a, 4, 5));
	gave(a, atomic, atomic_cmpxchg(a, 4, 6));
	gave(a, atomic, atomic_xchg_relaxed(a, 9));
	gave(a, atomic, atomic_cmpxchg_acquire(a, 9, 1));
	gave(a, atomic, atomic_read_acquire(a));
	left(a, atomic, atomic_set_release(a, 2));
	pr_cont("\n");
	expected = 1;
	gave(a, atomic, atomic_try_cmpxchg(a, &expected, 7));
	pr_cont(" saw %lld;", (long long)expected);
	gave(a, atomic, atomic_try_cmpxchg(a, &expected, 7));
	atomic_set(a, INT_MAX);
	gave(a, atomic, atomic_inc_return(a) < 0);
	gave(a, atomic, atomic_fetch_dec(a) < 0);
	pr_cont("\n");
}

static void atomic64_operations(void)
{
	atomic64_t counter = ATOMIC64_INIT(0), *a = &counter;
	s64 expected;

	atomic64_set(a, 7);
	gave(a, atomic64, atomic64_fetch_add(5, a));
	gave(a, atomic64, atomic64_fetch_sub(2, a));
	gave(a, atomic64, atomic64_fetch_inc(a));
	gave(a, atomic64, atomic64_fetch_dec(a));
	left(a, atomic64, atomic64_add(10, a));
	left(a, atomic64, atomic64_sub(3, a));
	left(a, atomic64, atomic64_inc(a));
	left(a, atomic64, atomic64_dec(a));
	pr_cont("\n");
	gave(a, atomic64, atomic64_add_return(1, a));
	gave(a, atomic64, atomic64_sub_return(18, a));
	gave(a, atomic64, atomic64_inc_return(a));
	gave(a, atomic64, atomic64_dec_return(a));
	gave(a, atomic64, atomic64_add_return_relaxed(2, a));
	gave(a, atomic64, atomic64_fetch_add_acquire(2, a));
	gave(a, atomic64, atomic64_fetch_sub_release(4, a));
	pr_cont("\n");
	atomic64_set(a, 0xf0);
	left(a, atomic64, atomic64_and(0x3c, a));
	left(a, atomic64, atomic64_or(0x0f, a));
	left(a, atomic64, atomic64_xor(0xff, a));
	left(a, atomic64, atomic64_andnot(0xf0, a));
	gave(a, atomic64, atomic64_fetch_and(0x5, a));
	gave(a, atomic64, atomic64_fetch_or(0x30, a));
	gave(a, atomic64, atomic64_fetch_xor(0x11, a));
	gave(a, atomic64, atomic64_fetch_andnot(0x20, a));
	pr_cont("\n");
	atomic64_set(a, 1);
	gave(a, atomic64, atomic64_dec_and_test(a));
	gave(a, atomic64, atomic64_inc_and_test(a));
	gave(a, atomic64, atomic64_sub_and_test(1, a));
	gave(a, atomic64, atomic64_dec_and_test(a));
	gave(a, atomic64, atomic64_inc_and_test(a));
	gave(a, atomic64, atomic64_add_negative(-1, a));
	gave(a, atomic64, atomic64_add_negative(1, a));
	pr_cont("\n");
	atomic64_set(a, 5);
	gave(a, atomic64, atomic64_add_unless(a, 2, 5));
	gave(a, atomic64, atomic64_add_unless(a, 2, 4));
	gave(a, atomic64, atomic64_fetch_add_unless(a, 1, 7));
	gave(a, atomic64, atomic64_fetch_add_unless(a, 1, 8));
	gave(a, atomic64, atomic64_inc_not_zero(a));
	left(a, atomic64, atomic64_set(a, 0));
	gave(a, atomic64, atomic64_inc_not_zero(a));
	gave(a, atomic64, atomic64_inc_unless_negative(a));
	gave(a, atomic64, atomic64_dec_unless_positive(a));
	pr_cont("\n");
	atomic64_set(a, 0);
	gave(a, atomic64, atomic64_dec_unless_positive(a));
	gave(a, atomic64, atomic64_inc_unless_negative(a));
	gave(a, atomic64, atomic64_dec_if_positive(a));
	left(a, atomic64, atomic64_set(a, 1));
	gave(a, atomic64, atomic64_dec_if_positive(a));
	pr_cont("\n");
	atomic64_set(a, 3);
	gave(a, atomic64, atomic64_xchg(a, 4));
	gave(a, atomic64, atomic64_cmpxchg(a, 4, 5));
	gave(a, atomic64, atomic64_cmpxchg(a, 4, 6));
	gave(a, atomic64, atomic64_xchg_relaxed(a, 9));
	gave(a, atomic64, atomic64_cmpxchg_acquire(a, 9, 1));
	gave(a, atomic64, atomic64_read_acquire(a));
	left(a, atomic64, atomic64_set_release(a, 2));
	pr_cont("\n");
	expected = 1;
	gave(a, atomic64, atomic64_try_cmpxchg(a, &expected, 7));
	pr_cont(" saw %lld;", (long long)expected);
	gave(a, atomic64, atomic64_try_cmpxchg(a, &expected, 7));
	atomic64_set(a, S64_MAX);
	gave(a, atomic64, atomic64_inc_return(a) < 0);
	gave(a, atomic64, atomic64_fetch_dec(a) < 0);
	pr_cont("\n");
}

static void atomic_long_operations(void)
{
	atomic_long_t counter = ATOMIC_LONG_INIT(0), *a = &counter;
	long expected;

	atomic_long_set(a, 7);
	gave(a, atomic_long, atomic_long_fetch_add(5, a));
	gave(a, atomic_long, atomic_long_fetch_sub(2, a));
	gave(a, atomic_long, atomic_long_fetch_inc(a));
	gave(a, atomic_long, atomic_long_fetch_dec(a));
	left(a, atomic_long, atomic_long_add(10, a));
	left(a, atomic_long, atomic_long_sub(3, a));
	left(a, atomic_long, atomic_long_inc(a));
	left(a, atomic_long, atomic_long_dec(a));
	pr_cont("\n");
	gave(a, atomic_long, atomic_long_add_return(1, a));
	gave(a, atomic_long, atomic_long_sub_return(18, a));
	gave(a, atomic_long, atomic_long_inc_return(a));
	gave(a, atomic_long, atomic_long_dec_return(a));
	gave(a, atomic_long, atomic_long_add_return_relaxed(2, a));
	gave(a, atomic_long, atomic_long_fetch_add_acquire(2, a));
	gave(a, atomic_long, atomic_long_fetch_sub_release(4, a));
	pr_cont("\n");
	atomic_long_set(a, 0xf0);
	left(a, atomic_long, atomic_long_and(0x3c, a));
	left(a, atomic_long, atomic_long_or(0x0f, a));
	left(a, atomic_long, atomic_long_xor(0xff, a));
	left(a, atomic_long, atomic_long_andnot(0xf0, a));
	gave(a, atomic_long, atomic_long_fetch_and(0x5, a));
	gave(a, atomic_long, atomic_long_fetch_or(0x30, a));
	gave(a, atomic_long, atomic_long_fetch_xor(0x11, a));
	gave(a, atomic_long, atomic_long_fetch_andnot(0x20, a));
	pr_cont("\n");
	atomic_long_set(a, 1);
	gave(a, atomic_long, atomic_long_dec_and_test(a));
	gave(a, atomic_long, atomic_long_inc_and_test(a));
	gave(a, atomic_long, atomic_long_sub_and_test(1, a));
	gave(a, atomic_long, atomic_long_dec_and_test(a));
	gave(a, atomic_long, atomic_long_inc_and_test(a));
	gave(a, atomic_long, atomic_long_add_negative(-1, a));
	gave(a, atomic_long, atomic_long_add_negative(1, a));
	pr_cont("\n");
	atomic_long_set(a, 5);
	gave(a, atomic_long, atomic_long_add_unless(a, 2, 5));
	gave(a, atomic_long, atomic_long_add_unless(a, 2, 4));
	gave(a, atomic_long, atomic_long_fetch_add_unless(a, 1, 7));
	gave(a, atomic_long, atomic_long_fetch_add_unless(a, 1, 8));
	gave(a, atomic_long, atomic_long_inc_not_zero(a));
	left(a, atomic_long, atomic_long_set(a, 0));
	gave(a, atomic_long, atomic_long_inc_not_zero(a));
	gave(a, atomic_long, atomic_long_inc_unless_negative(a));
	gave(a, atomic_long, atomic_long_dec_unless_positive(a));
	pr_cont("\n");
	atomic_long_set(a, 0);
	gave(a, atomic_long, atomic_long_dec_unless_positive(a));
	gave(a, atomic_long, atomic_long_inc_unless_negative(a));
	gave(a, atomic_long, atomic_long_dec_if_positive(a));
	left(a, atomic_long, atomic_long_set(a, 1));
	gave(a, atomic_long, atomic_long_dec_if_positive(a));
	pr_cont("\n");
	atomic_long_set(a, 3);
	gave(a, atomic_long, atomic_long_xchg(a, 4));
	gave(a, atomic_long, atomic_long_cmpxchg(a, 4, 5));
	gave(a, atomic_long, atomic_long_cmpxchg(a, 4, 6));
	gave(a, atomic_long, atomic_long_xchg_relaxed(a, 9));
	gave(a, atomic_long, atomic_long_cmpxchg_acquire(a, 9, 1));
	gave(a, atomic_long, atomic_long_read_acquire(a));
	left(a, atomic_long, atomic_long_set_release(a, 2));
	pr_cont("\n");
	expected = 1;
	gave(a, atomic_long, atomic_long_try_cmpxchg(a, &expected, 7));
	pr_cont(" saw %lld;", (long long)expected);
	gave(a, atomic_long, atomic_long_try_cmpxchg(a, &expected, 7));
	atomic_long_set(a, LONG_MAX);
	gave(a, atomic_long, atomic_long_inc_return(a) < 0);
	gave(a, atomic_long, atomic_long_fetch_dec(a) < 0);
	pr_cont("\n");
}

static void words(void)
{
	u8 byte = 1;
	u16 half = 2;
	u32 word = 3;
	u64 wide = 4, seen = 9;
	void *p = NULL;
	int x;

	pr_info("xchg %u", xchg(&byte, 10));
	pr_cont(" %u", xchg(&half, 20));
	pr_cont(" %u", xchg(&word, 30));
	pr_cont(" %llu", xchg(&wide, 40));
	pr_cont(" %d", xchg(&p, &x) == NULL);
	pr_cont(": %u %u %u %llu %d\n", byte, half, word, wide, p == &x);
	pr_info("cmpxchg %u", cmpxchg(&byte, 10, 11));
	pr_cont(" %u", cmpxchg(&half, 21, 22));
	pr_cont(" %u", cmpxchg_relaxed(&word, 30, 31));
	pr_cont(" %llu", cmpxchg64(&wide, 40, 41));
	pr_cont(" %d", cmpxchg(&p, NULL, NULL) == &x);
	pr_cont(" try %d", try_cmpxchg(&wide, &seen, 5));
	pr_cont(" saw %llu", seen);
	pr_cont(" %d", try_cmpxchg(&wide, &seen, 5));
	pr_cont(": %u %u %u %llu %d\n", byte, half, word, wide, p == &x);
	WRITE_ONCE(word, 99);
	smp_store_release(&half, 77);
	smp_mb();
	smp_rmb();
	smp_wmb();
	barrier();
	pr_info("READ_ONCE %u, acquire %u\n", READ_ONCE(word), smp_load_acquire(&half));
}

static int __init atomics_init(void)
{
	atomic_operations();
	atomic64_operations();
	atomic_long_operations();
	words();
	return 0;
}
module_init(atomics_init);

static void __exit atomics_exit(void)
{
}
module_exit(atomics_exit);
MODULE_LICENSE("GPL");
