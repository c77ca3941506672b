// SPDX-License-Identifier: MIT
// The virtual clock as C reads it, and waits that do not let go of the CPU.
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/time.h>

static int __init clocks_init(void)
{
	ktime_t start = ktime_get(), end;
	unsigned long before = jiffies;
	struct timespec64 ts, up;
	struct tm tm;
	u64 tick = 1000000000 / HZ, now;

	mdelay(10);
	end = ktime_get();
	pr_info("mdelay(10): %lld ms, ticks in time: %d\n", ktime_ms_delta(end, start),
		time_after_eq(jiffies, before + 2));
	start = ktime_get();
	udelay(250);
	end = ktime_get();
	pr_info("udelay(250): %lld us and a little\n", ktime_us_delta(end, start) / 10 * 10);
	start = ktime_get();
	ndelay(300);
	pr_info("ndelay(300): at least %d\n", ktime_to_ns(ktime_sub(ktime_get(), start)) >= 300);
	now = ktime_get_ns();
	pr_info("clocks agree: %d %d\n", ktime_get_boottime_ns() - now < tick, ktime_get_raw_ns() - now < tick);
	pr_info("monotonic: %d\n", ktime_compare(end, ktime_get()) <= 0);

	ktime_get_real_ts64(&ts);
	ktime_get_boottime_ts64(&up);
	time64_to_tm(ts.tv_sec - up.tv_sec, 0, &tm);
	pr_info("powered on at %04ld-%02d-%02d %02d:%02d:%02d, day %d of the week, %d of the year\n",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday,
		tm.tm_yday);
	pr_info("mktime64: %lld, real seconds agree: %d\n", mktime64(2000, 2, 29, 12, 0, 0),
		ktime_get_real_seconds() == ts.tv_sec);
	time64_to_tm(mktime64(2000, 2, 29, 12, 0, 0), 3600, &tm);
	pr_info("and back: %d/%d %d:%02d, day %d\n", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_yday);
	time64_to_tm(-1, 0, &tm);
	pr_info("before 1970: %ld-%d-%d %d:%d:%d\n", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	pr_info("real time in ns: %lld s\n", ktime_divns(ktime_get_real(), NSEC_PER_SEC) - ts.tv_sec);
	pr_info("ktime_add_safe: %d\n", ktime_add_safe(KTIME_MAX, 1) == KTIME_MAX);
	pr_info("jiffies: %u ms, %lu, %d\n", jiffies_to_msecs(3), msecs_to_jiffies(9), get_jiffies_64() == jiffies_64);
	return 0;
}
module_init(clocks_init);

static void __exit clocks_exit(void)
{
}
module_exit(clocks_exit);
MODULE_LICENSE("GPL");
