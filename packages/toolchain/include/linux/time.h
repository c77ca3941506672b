/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/time64.h>
#include <linux/time32.h>

extern struct timezone {
	int tz_minuteswest;
	int tz_dsttime;
} sys_tz;

struct tm {
	int tm_sec;
	int tm_min;
	int tm_hour;
	int tm_mday;
	int tm_mon;
	/* years since 1900, unlike in user space a long */
	long tm_year;
	int tm_wday;
	int tm_yday;
};

extern void time64_to_tm(time64_t totalsecs, int offset, struct tm *result);
extern time64_t mktime64(const unsigned int year, const unsigned int mon, const unsigned int day,
			 const unsigned int hour, const unsigned int min, const unsigned int sec);
extern int get_timespec64(struct timespec64 *ts, const void __user *uts);
extern int put_timespec64(const struct timespec64 *ts, void __user *uts);
