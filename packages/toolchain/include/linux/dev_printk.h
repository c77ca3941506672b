/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

struct device;

#ifndef dev_fmt
#define dev_fmt(fmt) fmt
#endif

extern __printf(3, 4) __cold void _dev_printk(const char *level, const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_emerg(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_alert(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_crit(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_err(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_warn(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_notice(const struct device *dev, const char *fmt, ...);
extern __printf(2, 3) __cold void _dev_info(const struct device *dev, const char *fmt, ...);
extern __printf(3, 4) int dev_err_probe(const struct device *dev, int err, const char *fmt, ...);

#define dev_printk(level, dev, fmt, ...) _dev_printk(level, dev, fmt, ##__VA_ARGS__)
#define dev_emerg(dev, fmt, ...) _dev_emerg(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_alert(dev, fmt, ...) _dev_alert(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_crit(dev, fmt, ...) _dev_crit(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_err(dev, fmt, ...) _dev_err(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...) _dev_warn(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_notice(dev, fmt, ...) _dev_notice(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_info(dev, fmt, ...) _dev_info(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_dbg(dev, fmt, ...) dynamic_dev_dbg(dev, dev_fmt(fmt), ##__VA_ARGS__)
#define dev_err_once(dev, fmt, ...) __pr_once(dev_err(dev, fmt, ##__VA_ARGS__))
#define dev_warn_once(dev, fmt, ...) __pr_once(dev_warn(dev, fmt, ##__VA_ARGS__))
#define dev_info_once(dev, fmt, ...) __pr_once(dev_info(dev, fmt, ##__VA_ARGS__))
#define dev_err_ratelimited(dev, fmt, ...) __pr_ratelimited(dev_err(dev, fmt, ##__VA_ARGS__))
#define dev_warn_ratelimited(dev, fmt, ...) __pr_ratelimited(dev_warn(dev, fmt, ##__VA_ARGS__))
#define dev_info_ratelimited(dev, fmt, ...) __pr_ratelimited(dev_info(dev, fmt, ##__VA_ARGS__))
#define dev_WARN(dev, format, arg...) WARN(1, "%s: " format, dev_name(dev), ##arg)
