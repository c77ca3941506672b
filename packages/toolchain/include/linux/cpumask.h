/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/kernel.h>
#include <linux/threads.h>
#include <linux/bitmap.h>

typedef struct cpumask {
	unsigned long bits[BITS_TO_LONGS(NR_CPUS)];
} cpumask_t;

typedef struct cpumask cpumask_var_t[1];

extern unsigned int nr_cpu_ids;
extern struct cpumask __cpu_possible_mask;
extern struct cpumask __cpu_online_mask;
extern struct cpumask __cpu_present_mask;
extern struct cpumask __cpu_active_mask;
#define cpu_possible_mask ((const struct cpumask *)&__cpu_possible_mask)
#define cpu_online_mask ((const struct cpumask *)&__cpu_online_mask)
#define cpu_present_mask ((const struct cpumask *)&__cpu_present_mask)
#define cpu_active_mask ((const struct cpumask *)&__cpu_active_mask)

#define cpumask_bits(maskp) ((maskp)->bits)
#define nr_cpumask_bits ((unsigned int)NR_CPUS)
#define CPU_BITS_NONE { 0UL }
#define CPU_MASK_NONE { { 0UL } }
#define CPU_MASK_ALL { { (1UL << NR_CPUS) - 1 } }

static inline void cpumask_set_cpu(unsigned int cpu, struct cpumask *dstp)
{
	set_bit(cpu, cpumask_bits(dstp));
}

static inline void cpumask_clear_cpu(int cpu, struct cpumask *dstp)
{
	clear_bit(cpu, cpumask_bits(dstp));
}

static inline bool cpumask_test_cpu(int cpu, const struct cpumask *cpumask)
{
	return test_bit(cpu, cpumask_bits(cpumask));
}

static inline bool cpumask_test_and_set_cpu(int cpu, struct cpumask *cpumask)
{
	return test_and_set_bit(cpu, cpumask_bits(cpumask));
}

static inline bool cpumask_test_and_clear_cpu(int cpu, struct cpumask *cpumask)
{
	return test_and_clear_bit(cpu, cpumask_bits(cpumask));
}

static inline void cpumask_setall(struct cpumask *dstp)
{
	dstp->bits[0] = (1UL << NR_CPUS) - 1;
}

static inline void cpumask_clear(struct cpumask *dstp)
{
	dstp->bits[0] = 0;
}

static inline bool cpumask_and(struct cpumask *dstp, const struct cpumask *a, const struct cpumask *b)
{
	return (dstp->bits[0] = a->bits[0] & b->bits[0]) != 0;
}

static inline void cpumask_or(struct cpumask *dstp, const struct cpumask *a, const struct cpumask *b)
{
	dstp->bits[0] = a->bits[0] | b->bits[0];
}

static inline void cpumask_xor(struct cpumask *dstp, const struct cpumask *a, const struct cpumask *b)
{
	dstp->bits[0] = a->bits[0] ^ b->bits[0];
}

static inline bool cpumask_andnot(struct cpumask *dstp, const struct cpumask *a, const struct cpumask *b)
{
	return (dstp->bits[0] = a->bits[0] & ~b->bits[0]) != 0;
}

static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	return (a->bits[0] & b->bits[0]) != 0;
}

/* Whether all of the first are in the second. */
static inline bool cpumask_subset(const struct cpumask *a, const struct cpumask *b)
{
	return (a->bits[0] & ~b->bits[0]) == 0;
}

static inline void cpumask_copy(struct cpumask *dstp, const struct cpumask *srcp)
{
	dstp->bits[0] = srcp->bits[0];
}

static inline bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return a->bits[0] == b->bits[0];
}

static inline bool cpumask_empty(const struct cpumask *srcp)
{
	return srcp->bits[0] == 0;
}

static inline bool cpumask_full(const struct cpumask *srcp)
{
	return srcp->bits[0] == (1UL << NR_CPUS) - 1;
}

static inline unsigned int cpumask_size(void)
{
	return BITS_TO_LONGS(nr_cpumask_bits) * sizeof(long);
}

static inline unsigned int cpumask_weight(const struct cpumask *srcp)
{
	return hweight_long(srcp->bits[0]);
}

static inline unsigned int cpumask_first(const struct cpumask *srcp)
{
	return srcp->bits[0] ? __ffs(srcp->bits[0]) : NR_CPUS;
}

static inline unsigned int cpumask_next(int n, const struct cpumask *srcp)
{
	return find_next_bit(cpumask_bits(srcp), NR_CPUS, n + 1);
}

static inline unsigned int cpumask_next_zero(int n, const struct cpumask *srcp)
{
	return find_next_zero_bit(cpumask_bits(srcp), NR_CPUS, n + 1);
}

static inline unsigned int cpumask_next_and(int n, const struct cpumask *a, const struct cpumask *b)
{
	return find_next_and_bit(cpumask_bits(a), cpumask_bits(b), NR_CPUS, n + 1);
}

static inline unsigned int cpumask_next_andnot(int n, const struct cpumask *a, const struct cpumask *b)
{
	return find_next_andnot_bit(cpumask_bits(a), cpumask_bits(b), NR_CPUS, n + 1);
}

static inline unsigned int cpumask_last(const struct cpumask *srcp)
{
	return find_last_bit(cpumask_bits(srcp), NR_CPUS);
}

#define cpumask_first_zero(srcp) cpumask_next_zero(-1, srcp)
#define cpumask_first_and(a, b) cpumask_next_and(-1, a, b)
#define cpumask_any_and(a, b) cpumask_first_and(a, b)

static inline unsigned int cpumask_any_but(const struct cpumask *mask, unsigned int cpu)
{
	unsigned int first = cpumask_first(mask);

	return first == cpu ? cpumask_next(first, mask) : first;
}

static inline int cpumask_parse(const char *buf, struct cpumask *dstp)
{
	return bitmap_parse(buf, UINT_MAX, cpumask_bits(dstp), nr_cpumask_bits);
}

static inline int cpulist_parse(const char *buf, struct cpumask *dstp)
{
	return bitmap_parselist(buf, cpumask_bits(dstp), nr_cpumask_bits);
}

#define cpumask_of(cpu) ((const struct cpumask *)&(const struct cpumask){ { 1UL << (cpu) } })
#define cpumask_any(srcp) cpumask_first(srcp)
#define cpumask_pr_args(maskp) nr_cpu_ids, cpumask_bits(maskp)
#define for_each_cpu(cpu, mask) \
	for ((cpu) = -1; (cpu) = cpumask_next((cpu), (mask)), (cpu) < nr_cpu_ids;)
#define for_each_cpu_not(cpu, mask) \
	for ((cpu) = -1; (cpu) = cpumask_next_zero((cpu), (mask)), (cpu) < nr_cpu_ids;)
#define for_each_cpu_and(cpu, mask1, mask2) \
	for ((cpu) = -1; (cpu) = cpumask_next_and((cpu), (mask1), (mask2)), (cpu) < nr_cpu_ids;)
#define for_each_cpu_andnot(cpu, mask1, mask2) \
	for ((cpu) = -1; (cpu) = cpumask_next_andnot((cpu), (mask1), (mask2)), (cpu) < nr_cpu_ids;)
#define for_each_possible_cpu(cpu) for_each_cpu((cpu), cpu_possible_mask)
#define for_each_online_cpu(cpu) for_each_cpu((cpu), cpu_online_mask)
#define for_each_present_cpu(cpu) for_each_cpu((cpu), cpu_present_mask)
#define num_online_cpus() cpumask_weight(cpu_online_mask)
#define num_possible_cpus() cpumask_weight(cpu_possible_mask)
#define num_present_cpus() cpumask_weight(cpu_present_mask)
#define num_active_cpus() cpumask_weight(cpu_active_mask)
#define cpu_online(cpu) cpumask_test_cpu((cpu), cpu_online_mask)
#define cpu_present(cpu) cpumask_test_cpu((cpu), cpu_present_mask)
#define cpu_active(cpu) cpumask_test_cpu((cpu), cpu_active_mask)
#define cpu_possible(cpu) cpumask_test_cpu((cpu), cpu_possible_mask)

static inline bool alloc_cpumask_var(cpumask_var_t *mask, gfp_t flags)
{
	return true;
}

static inline bool zalloc_cpumask_var(cpumask_var_t *mask, gfp_t flags)
{
	cpumask_clear(*mask);
	return true;
}

static inline void free_cpumask_var(cpumask_var_t mask)
{
}
