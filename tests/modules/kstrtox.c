// SPDX-License-Identifier: MIT
// Numbers from text: every kstrto function with what it refuses, the simple_ ones, options, sizes and words.
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

static const char *const texts[] = {
	"0", "-0", "+7", "-1", "127", "128", "-128", "-129", "255", "256", "32767", "32768", "65535", "65536",
	"2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9223372036854775807",
	"9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
	"18446744073709551616", "", " 1", "1 ", "1\n", "1\n\n", "-", "+", "+-1", "0x", "0x10", "010", "08", "1x", "--1",
};

#define try(fn, type, format, base) \
	({ \
		type value__ = 77; \
		int status__ = fn(texts[i], base, &value__); \
		if (status__) \
			pr_cont(" %d", status__); \
		else \
			pr_cont(" " format, value__); \
	})

static const char *shown(const char *text)
{
	static char out[40];
	char *to = out;

	for (; *text; text++) {
		if (*text == '\n')
			*to++ = '\\';
		*to++ = *text == '\n' ? 'n' : *text;
	}
	*to = 0;
	return out;
}

static void all_widths(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		pr_info("'%s': u8", shown(texts[i]));
		try(kstrtou8, u8, "%u", 10);
		try(kstrtos8, s8, "%d", 10);
		pr_cont(" u16");
		try(kstrtou16, u16, "%u", 10);
		try(kstrtos16, s16, "%d", 10);
		pr_cont(" u32");
		try(kstrtouint, unsigned int, "%u", 10);
		try(kstrtoint, int, "%d", 10);
		pr_cont(" u64");
		try(kstrtoull, unsigned long long, "%llu", 10);
		try(kstrtoll, long long, "%lld", 10);
		pr_cont(" any base");
		try(kstrtol, long, "%ld", 0);
		try(kstrtou32, u32, "%u", 0);
		pr_cont("\n");
	}
}

static void bases(void)
{
	static const struct {
		const char *text;
		unsigned int base;
	} all[] = {
		{ "ff", 16 }, { "0xff", 16 }, { "0XfF", 16 }, { "ff", 0 }, { "0xfg", 0 }, { "777", 8 }, { "0777", 0 }, { "789", 8 },
		{ "1010", 2 }, { "12", 2 }, { "-0b1", 0 }, { "0x", 16 }, { "0xx1", 16 }, { "-0x7f", 16 }, { "z", 16 },
	};
	long value;
	int i, status;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		value = -77;
		status = kstrtol(all[i].text, all[i].base, &value);
		pr_info("'%s' base %u: %d %ld\n", all[i].text, all[i].base, status, value);
	}
}

static void booleans(void)
{
	static const char *const words[] = { "1", "0", "y", "N", "t", "F", "yes", "no", "true", "false", "on", "OFF", "oN", "of", "o",
					     "", "2", "1x", "-", "\n" };
	bool value;
	int i, status;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		value = i & 1;
		status = kstrtobool(words[i], &value);
		pr_cont("'%s' %d%s; ", shown(words[i]), status, status ? "" : value ? " yes" : " no");
	}
	pr_cont("NULL %d\n", kstrtobool(NULL, &value));
}

static void from_user(void)
{
	unsigned long long number = 5;
	bool yes = true;
	u8 byte = 5;

	pr_info("from user: %d", kstrtoull_from_user((char __user *)8, 3, 10, &number));
	pr_cont(" %d", kstrtou8_from_user((char __user *)8, 3, 10, &byte));
	pr_cont(" %d", kstrtobool_from_user((char __user *)8, 3, &yes));
	pr_cont(": %llu %u %d\n", number, byte, yes);
}

static void simple(void)
{
	static const char *const all[] = { "42rest", "0x1fg", "077", "089", "-9", "+3", "", "x", "18446744073709551617", "0x" };
	char *end;
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		pr_info("'%s': %lu", all[i], simple_strtoul(all[i], &end, 0));
		pr_cont(" '%s' %ld", end, simple_strtol(all[i], &end, 0));
		pr_cont(" '%s' %llu %lld\n", end, simple_strtoull(all[i], NULL, 16), simple_strtoll(all[i], NULL, 10));
	}
}

static void options(void)
{
	char text[] = "5,-3,7-9,x", list[] = "3,1,2-4,9", args[] = "quiet  n=5 name=\"two words\" last=", *p = text, *param, *value,
	     *end;
	int number, n, ints[8], i;

	do {
		number = -99;
		n = get_option(&p, &number);
		pr_cont("%d:%d ", n, number);
	} while (n == 1 || n == 2);
	p = text + 5;
	n = get_option(&p, &number);
	pr_cont("range %d:%d '%s'\n", n, number, p);
	end = get_options(list, ARRAY_SIZE(ints), ints);
	pr_info("options %d:", ints[0]);
	for (i = 1; i <= ints[0]; i++)
		pr_cont(" %d", ints[i]);
	pr_cont(" '%s'", end);
	end = get_options(list, 3, ints);
	pr_cont(", of room for two %d '%s'\n", ints[0], end);
	pr_info("memparse %llu %llu %llu %llu %llu", memparse("4k", &end), memparse("0x10M", NULL), memparse("1g", NULL),
		memparse("2T", NULL), memparse("1e", NULL));
	pr_cont(" '%s'", end);
	pr_cont(" %llu", memparse("12q", &end));
	pr_cont(" '%s'\n", end);
	pr_info("option str %d %d %d\n", parse_option_str("a,bc,d", "bc"), parse_option_str("a,bcd", "bc"),
		parse_option_str("", "a"));
	p = args;
	while (*p) {
		p = next_arg(p, &param, &value);
		pr_info("[%s] = [%s]\n", param, value ? value : "none");
	}
	pr_info("num_to_str %d", num_to_str(text, sizeof(text), 1234567, 0));
	pr_cont(" %.7s, into 3: %d", text, num_to_str(text, 3, 1234, 0));
	n = num_to_str(text, sizeof(text), 42, 6);
	pr_cont(", width 6: '%.*s'\n", n, text);
}

static int __init kstrtox_init(void)
{
	all_widths();
	bases();
	booleans();
	from_user();
	simple();
	options();
	return 0;
}
module_init(kstrtox_init);

static void __exit kstrtox_exit(void)
{
}
module_exit(kstrtox_exit);
MODULE_LICENSE("GPL");
