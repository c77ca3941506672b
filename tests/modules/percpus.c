// SPDX-License-Identifier: MIT
// Per-CPU variables, static and allocated, of every CPU and of this one; counters; CPU masks and their walks.
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/smp.h>

struct tally {
	u64 hits;
	int cpu;
};

static DEFINE_PER_CPU(int, plain) = 7;
static DEFINE_PER_CPU(struct tally, tallies);
static DEFINE_PER_CPU_ALIGNED(u64, aligned);

static void variables(void)
{
	int cpu, sum = 0, *p;

	for_each_possible_cpu(cpu) {
		sum += per_cpu(plain, cpu) == 7;
		per_cpu(plain, cpu) = cpu;
		per_cpu_ptr(&tallies, cpu)->cpu = cpu;
	}
	pr_info("each begins with 7: %d, each its own: %d\n", sum == num_possible_cpus(),
		nr_cpu_ids == 1 || per_cpu_ptr(&plain, 0) != per_cpu_ptr(&plain, nr_cpu_ids - 1));
	cpu = get_cpu();
	pr_info("this one: %d %d %d, preemptible %d\n", this_cpu_read(plain) == cpu, __this_cpu_read(tallies.cpu) == cpu,
		smp_processor_id() == cpu, preemptible());
	this_cpu_write(plain, 10);
	this_cpu_add(plain, 5);
	this_cpu_sub(plain, 1);
	this_cpu_inc(plain);
	this_cpu_dec(plain);
	pr_info("14: %d", this_cpu_read(plain));
	this_cpu_and(plain, 12);
	this_cpu_or(plain, 1);
	pr_cont(", 13: %d", raw_cpu_read(plain));
	pr_cont(", returned %d", this_cpu_add_return(plain, 7));
	pr_cont(" %d", this_cpu_inc_return(plain));
	pr_cont(" %d", this_cpu_dec_return(plain));
	pr_cont(", xchg %d", this_cpu_xchg(plain, 1));
	pr_cont(", cmpxchg %d", this_cpu_cmpxchg(plain, 1, 2));
	pr_cont(" %d", this_cpu_cmpxchg(plain, 1, 3));
	pr_cont(", now %d\n", __this_cpu_read(plain));
	put_cpu();
	p = &get_cpu_var(plain);
	++*p;
	put_cpu_var(plain);
	p = get_cpu_ptr(&plain);
	pr_info("through pointers %d, same %d", *p, p == this_cpu_ptr(&plain));
	put_cpu_ptr(&plain);
	pr_cont(", preemptible again %d, aligned %d\n", preemptible(), IS_ALIGNED((unsigned long)this_cpu_ptr(&aligned), 8));
}

static void allocated(void)
{
	struct tally __percpu *t = alloc_percpu(struct tally);
	u8 __percpu *bytes = __alloc_percpu(100, 64);
	u64 sum = 0;
	int cpu, dirty = 0;

	if (!t || !bytes)
		return;
	for_each_possible_cpu(cpu) {
		dirty += per_cpu_ptr(t, cpu)->hits != 0 || memchr_inv(per_cpu_ptr(bytes, cpu), 0, 100) != NULL;
		per_cpu_ptr(t, cpu)->hits = 1;
		memset(per_cpu_ptr(bytes, cpu), cpu + 1, 100);
	}
	this_cpu_add(t->hits, 41);
	this_cpu_inc(t->hits);
	for_each_online_cpu(cpu)
		sum += per_cpu_ptr(t, cpu)->hits;
	for_each_possible_cpu(cpu)
		dirty += memchr_inv(per_cpu_ptr(bytes, cpu), cpu + 1, 100) != NULL;
	pr_info("zeroed and apart: %d, sum less the others %llu, aligned %d\n", !dirty, sum - (num_online_cpus() - 1),
		IS_ALIGNED((unsigned long)this_cpu_ptr(bytes), 64));
	free_percpu(bytes);
	free_percpu(t);
	free_percpu(NULL);
	bytes = __alloc_percpu(SZ_1M, 8);
	pr_info("a megabyte: %d, wrong alignment: %d\n", bytes == NULL, __alloc_percpu(8, 3) == NULL);
	free_percpu(bytes);
}

static void counters(void)
{
	struct percpu_counter c;

	if (percpu_counter_init(&c, 100, GFP_KERNEL))
		return;
	percpu_counter_inc(&c);
	percpu_counter_add(&c, 1000);
	percpu_counter_sub(&c, 500);
	percpu_counter_dec(&c);
	pr_info("counter %lld, positive %lld, compare %d %d %d, initialized %d\n", percpu_counter_sum(&c),
		percpu_counter_sum_positive(&c), percpu_counter_compare(&c, 599), percpu_counter_compare(&c, 600),
		percpu_counter_compare(&c, 601), percpu_counter_initialized(&c));
	percpu_counter_add_batch(&c, -700, 8);
	percpu_counter_sync(&c);
	pr_info("negative: %lld %lld read %lld %lld\n", percpu_counter_sum(&c), percpu_counter_sum_positive(&c),
		percpu_counter_read(&c), percpu_counter_read_positive(&c));
	percpu_counter_set(&c, 5);
	pr_info("set: %lld\n", percpu_counter_sum(&c));
	percpu_counter_destroy(&c);
}

static void masks(void)
{
	cpumask_t a, b, c;
	cpumask_var_t heap;
	int cpu, n = 0;

	cpumask_clear(&a);
	pr_info("empty %d weight %u first %d\n", cpumask_empty(&a), cpumask_weight(&a), cpumask_first(&a) >= nr_cpu_ids);
	cpumask_set_cpu(0, &a);
	pr_info("0: %*pbl, test %d, set again %d", cpumask_pr_args(&a), cpumask_test_cpu(0, &a), cpumask_test_and_set_cpu(0, &a));
	pr_cont(", clear %d\n", cpumask_test_and_clear_cpu(0, &a));
	cpumask_setall(&b);
	pr_info("all: full %d, weight %d, list %d", cpumask_full(&b), cpumask_weight(&b) >= nr_cpu_ids, cpulist_parse("0,0", &c));
	pr_cont(" %*pbl", cpumask_pr_args(&c));
	pr_cont(" mask %d", cpumask_parse("1", &c));
	pr_cont(" %*pbl", cpumask_pr_args(&c));
	pr_cont(" not a list %d\n", cpulist_parse("x", &c));
	cpumask_copy(&a, cpumask_of(0));
	cpumask_clear_cpu(0, &b);
	pr_info("and %d or %d xor %d andnot %d equal %d subset %d intersects %d\n", cpumask_and(&c, &a, &b), (cpumask_or(&c, &a, &b),
		cpumask_full(&c)), (cpumask_xor(&c, &a, &a), cpumask_empty(&c)), cpumask_andnot(&c, &a, &b), cpumask_equal(&a, &c),
		cpumask_subset(&a, cpu_possible_mask), cpumask_intersects(&a, &b));
	for_each_cpu(cpu, &a)
		n++;
	for_each_cpu_and(cpu, &a, cpu_online_mask)
		n += 10;
	for_each_cpu_andnot(cpu, &a, cpu_online_mask)
		n += 100;
	for_each_cpu_not(cpu, cpu_possible_mask)
		n += 1000;
	pr_info("walked %d, next of 0 %d, online %d possible %d present %d, any %d\n", n, cpumask_next(0, &a) >= nr_cpu_ids,
		cpu_online(0), cpu_possible(0), cpu_present(0), cpumask_any_but(&a, 1));
	if (!zalloc_cpumask_var(&heap, GFP_KERNEL))
		return;
	cpumask_copy(heap, cpu_online_mask);
	pr_info("online are the possible ones: %d, size %d\n", cpumask_equal(heap, cpu_possible_mask), cpumask_size() % 8 == 0);
	free_cpumask_var(heap);
}

static void call(void *data)
{
	atomic_inc(data);
	if (!irqs_disabled())
		pr_info("interrupts are on\n");
}

static void calls(void)
{
	atomic_t called = ATOMIC_INIT(0);
	int others;

	on_each_cpu(call, &called, 1);
	pr_info("on each: %d", atomic_read(&called) == num_online_cpus());
	others = atomic_read(&called);
	preempt_disable();
	smp_call_function(call, &called, 1);
	preempt_enable();
	pr_cont(", on the others: %d", atomic_read(&called) - others == num_online_cpus() - 1);
	pr_cont(", on one: %d", smp_call_function_single(0, call, &called, 1));
	pr_cont(", of no such: %d\n", smp_call_function_single(9999, call, &called, 1));
}

static int __init percpus_init(void)
{
	variables();
	allocated();
	counters();
	masks();
	calls();
	return 0;
}
module_init(percpus_init);

static void __exit percpus_exit(void)
{
}
module_exit(percpus_exit);
MODULE_LICENSE("GPL");
