// SPDX-License-Identifier: MIT
// Times as numbers: jiffies and their conversions, comparisons across the overflow, ktime and timespec arithmetic.
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/time64.h>
#include <linux/timer.h>

static void conversions(void)
{
	static const unsigned int of[] = { 0, 1, 3, 4, 5, 999, 1000, 60000, INT_MAX, UINT_MAX };
	struct timespec64 ts;
	int i;

	pr_info("HZ %d, a tick of %lu ns, USER_HZ %d\n", HZ, (unsigned long)TICK_NSEC, USER_HZ);
	for (i = 0; i < ARRAY_SIZE(of); i++)
		pr_info("%u: ms %lu us %lu; as jiffies %u ms %u us %llu ns, clock_t %lu %lu\n", of[i], msecs_to_jiffies(of[i]),
			usecs_to_jiffies(of[i]), jiffies_to_msecs(of[i]), jiffies_to_usecs(of[i]), jiffies_to_nsecs(of[i]),
			(unsigned long)jiffies_to_clock_t(of[i]), clock_t_to_jiffies(of[i]));
	pr_info("nsecs %lu %llu, back %llu ns %llu ms\n", nsecs_to_jiffies(1000000001), nsecs_to_jiffies64(3999999), jiffies64_to_nsecs(3),
		jiffies64_to_msecs(3));
	jiffies_to_timespec64(HZ + 1, &ts);
	pr_info("timespec %lld.%09ld", (long long)ts.tv_sec, ts.tv_nsec);
	ts.tv_nsec = 1;
	pr_cont(" and %lu\n", timespec64_to_jiffies(&ts));
}

static void comparisons(void)
{
	unsigned long high = ULONG_MAX - 2, low = 3, now = jiffies;

	pr_info("across: after %d before %d eq %d %d; equal %d %d %d %d\n", time_after(low, high), time_before(low, high),
		time_after_eq(low, high), time_before_eq(high, low), time_after(low, low), time_after_eq(low, low), time_before(low, low),
		time_before_eq(low, low));
	pr_info("in range %d %d %d, open %d %d\n", time_in_range(ULONG_MAX, high, low), time_in_range(low, high, low),
		time_in_range(4UL, high, low), time_in_range_open(low, high, low), time_in_range_open(high, high, low));
	pr_info("now: %d %d %d %d, 64: %d %d\n", time_is_before_jiffies(now - 1), time_is_after_jiffies(now + HZ), time_is_before_eq_jiffies(now),
		time_is_after_eq_jiffies(now + HZ), time_after64(get_jiffies_64() + 1, get_jiffies_64()),
		time_before64(get_jiffies_64() + 1, get_jiffies_64()));
	pr_info("runs: %d, starts below the overflow of 32 bits: %d\n", time_after(jiffies, INITIAL_JIFFIES - 1), (u32)INITIAL_JIFFIES > INT_MAX);
}

static void rounded(void)
{
	unsigned long now = jiffies, soon = now + 10 * HZ + HZ / 8, later = now + 10 * HZ + HZ / 2;

	pr_info("round %lu %lu, up %lu %lu\n", round_jiffies(soon) % HZ, round_jiffies(later) % HZ, round_jiffies_up(soon) % HZ,
		round_jiffies_up(later) % HZ);
	pr_info("not back: %d; relative %d; of CPU 2, 6 ticks before: %lu\n", round_jiffies_up(soon) >= soon,
		(now + round_jiffies_relative(10 * HZ)) % HZ == 0, __round_jiffies(later, 2) % HZ);
}

static void ktimes(void)
{
	ktime_t a = ktime_set(1, 500000000), b = ms_to_ktime(250), c = ktime_set(KTIME_SEC_MAX, 7);
	struct timespec64 ts = ktime_to_timespec64(-1);

	pr_info("%lld + %lld = %lld, - %lld; max %d\n", a, b, ktime_add(a, b), ktime_sub(b, a), c == KTIME_MAX);
	pr_info("ns %lld us %lld ms %lld; of a negative: us %lld ms %lld\n", ktime_to_ns(a), ktime_to_us(a), ktime_to_ms(a), ktime_to_us(-1500),
		ktime_to_ms(-1500000));
	pr_info("add %lld %lld %lld, sub %lld %lld, delta %lld %lld, div %lld %lld\n", ktime_add_ns(a, 5), ktime_add_us(a, 5), ktime_add_ms(a, 5),
		ktime_sub_ns(a, 5), ktime_sub_us(a, 5), ktime_us_delta(a, b), ktime_ms_delta(b, a), ktime_divns(a, 7), ktime_divns(-10, 3));
	pr_info("compare %d %d %d, after %d, before %d; safe %d %lld\n", ktime_compare(a, b), ktime_compare(b, a), ktime_compare(a, a),
		ktime_after(a, b), ktime_before(a, b), ktime_add_safe(KTIME_MAX, 1) == KTIME_MAX, ktime_add_safe(1, 2));
	pr_info("timespec of -1: %lld %ld and back %lld; us %lld\n", (long long)ts.tv_sec, ts.tv_nsec, timespec64_to_ktime(ts), us_to_ktime(9));
}

static void timespecs(void)
{
	struct timespec64 a = { 5, 600000000 }, b = { 2, 700000000 }, c;
	struct tm tm;
	time64_t t;

	c = timespec64_add(a, b);
	pr_info("%lld.%09ld", (long long)c.tv_sec, c.tv_nsec);
	c = timespec64_sub(b, a);
	pr_cont(" %lld.%09ld", (long long)c.tv_sec, c.tv_nsec);
	c = timespec64_add_safe(a, b);
	pr_cont(" %lld.%09ld", (long long)c.tv_sec, c.tv_nsec);
	c = ns_to_timespec64(-1500000000);
	pr_cont(" %lld.%09ld %lld", (long long)c.tv_sec, c.tv_nsec, timespec64_to_ns(&c));
	timespec64_add_ns(&c, 3600000000ULL);
	pr_cont(" %lld.%09ld", (long long)c.tv_sec, c.tv_nsec);
	set_normalized_timespec64(&c, 1, -1);
	pr_cont(" %lld.%09ld\n", (long long)c.tv_sec, c.tv_nsec);
	pr_info("equal %d %d, compare %d %d, valid %d", timespec64_equal(&a, &a), timespec64_equal(&a, &b), timespec64_compare(&a, &b) > 0,
		timespec64_compare(&b, &a) < 0, timespec64_valid(&a));
	b.tv_nsec = NSEC_PER_SEC;
	pr_cont(" %d", timespec64_valid(&b));
	b.tv_nsec = 0;
	b.tv_sec = -1;
	pr_cont(" %d\n", timespec64_valid(&b));
	t = mktime64(2022, 12, 11, 22, 59, 59);
	time64_to_tm(t, 0, &tm);
	pr_info("%lld: %ld-%02d-%02d %02d:%02d:%02d weekday %d day %d\n", (long long)t, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday);
	time64_to_tm(-1, 3600, &tm);
	pr_info("%ld-%02d-%02d %02d:%02d:%02d weekday %d\n", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		tm.tm_wday);
	t = mktime64(2000, 2, 29, 0, 0, 0);
	pr_info("%lld %ptT %ptTd %ptTt %ptTr\n", (long long)t, &t, &t, &t, &t);
}

static int __init ticks_init(void)
{
	conversions();
	comparisons();
	rounded();
	ktimes();
	timespecs();
	return 0;
}
module_init(ticks_init);

static void __exit ticks_exit(void)
{
}
module_exit(ticks_exit);
MODULE_LICENSE("GPL");
