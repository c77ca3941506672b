// SPDX-License-Identifier: MIT
// String functions at their edges: bounds, padding, searches, tokens, copies, tables of words, escapes.
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

static void bounds(void)
{
	char a[8], b[8];
	ssize_t n;

	memset(a, '#', sizeof(a));
	n = strscpy(a, "abc", sizeof(a));
	pr_info("strscpy %zd '%s' and then %c;", n, a, a[5]);
	n = strscpy_pad(a, "de", sizeof(a));
	pr_cont(" padded %zd %*ph;", n, 8, a);
	n = strscpy(a, "1234567", sizeof(a));
	pr_cont(" exact %zd %s;", n, a);
	n = strscpy_pad(b, "12345678", sizeof(b));
	pr_cont(" one more %zd '%s';", n, b);
	n = strscpy(b, "x", 0);
	pr_cont(" of 0 bytes %zd '%s';", n, b);
	n = strscpy(b, "x", 1);
	pr_cont(" of 1 %zd '%s'\n", n, b);
	n = strlcpy(a, "longer than that", sizeof(a));
	pr_info("strlcpy %zd '%s'", n, a);
	n = strlcpy(a, "abc", 0);
	strncpy(a, "xy", 5);
	pr_cont(" of 0 %zd; strncpy %*ph", n, 8, a);
	n = stpcpy(a, "four") - a;
	strcpy(b, "12");
	pr_cont("; stpcpy %zd %s;", n, a);
	n = strlcat(b, "3456789", sizeof(b));
	pr_cont(" strlcat %zd '%s'", n, b);
	b[2] = 0;
	pr_cont(" strncat '%s'", strncat(b, "abcdef", 3));
	n = snprintf(a, sizeof(a), "%d", 123456789);
	pr_cont("; snprintf %zd '%s' %d", n, a, snprintf(NULL, 0, "%5d", 1));
	n = scnprintf(b, sizeof(b), "%d", 987654321);
	pr_cont("; scnprintf %zd '%s' %d\n", n, b, scnprintf(a, 0, "x"));
}

static void comparing(void)
{
	pr_info("strcmp %d %d %d, strncmp %d %d, strcasecmp %d %d, strncasecmp %d\n", strcmp("a", "a") == 0, strcmp("a", "b") < 0,
		strcmp("b", "a") > 0, strncmp("abX", "abY", 2), strncmp("a", "b", 0), strcasecmp("aBc", "AbC"),
		strcasecmp("a", "B") < 0, strncasecmp("ABx", "aby", 2));
	pr_info("memcmp %d %d, bcmp %d, high bytes %d\n", memcmp("a\0b", "a\0c", 3) < 0, memcmp("x", "y", 0), bcmp("ab", "ac", 2) != 0,
		strcmp("\xff", "a") > 0);
	pr_info("prefix %zu %zu %zu, starts %d, streq %d %d %d %d\n", str_has_prefix("prefixed", "prefix"), str_has_prefix("pre", "prefix"),
		str_has_prefix("x", ""), strstarts("ab", "a"), sysfs_streq("a", "a\n"), sysfs_streq("a\n", "a\n"), sysfs_streq("a\n\n", "a"),
		sysfs_streq("", "\n"));
}

static void searching(void)
{
	const char *text = "to be or not to be";
	char bytes[16] = { 1, 1, 1, 1, 1, 1, 1, 2, 1 };

	pr_info("%td %td %td %td %d %td %td\n", strchr(text, 'b') - text, strrchr(text, 'b') - text, strnchr(text, 10, 'n') - text,
		strchr(text, 0) - text, strnchr(text, 5, 'n') == NULL, strchrnul(text, 'q') - text, strnchrnul(text, 4, 'q') - text);
	pr_info("%td %d %td %d %td\n", strstr(text, "or") - text, strstr(text, "xx") == NULL, strstr(text, "") - text,
		strnstr(text, "not", 10) == NULL, strnstr(text, "not", 12) - text);
	pr_info("%zu %zu %zu %td %d\n", strspn(text, "to "), strcspn(text, "rn"), strspn(text, ""), strpbrk(text, "nr") - text,
		strpbrk(text, "xyz") == NULL);
	pr_info("%td %td %d %td %d\n", (char *)memchr(text, 'e', 10) - text, (char *)memchr_inv(bytes, 1, 9) - bytes,
		memchr_inv(bytes + 9, 0, 7) == NULL, (char *)memscan(bytes, 2, 9) - bytes,
		(char *)memscan(bytes, 7, 9) == bytes + 9);
	pr_info("%s %s %s\n", kbasename("/a/b/c.txt"), kbasename("plain"), kbasename("dir/"));
}

static void tokens(void)
{
	static const char *const colours[] = { "red", "green", "blue", NULL, "black" };
	char text[] = "a=1,,b=2;c", spaces[] = " \t in the middle \n ", only[] = "   ", *p = text, *word, **argv;
	int n, i;

	while ((word = strsep(&p, ",;")))
		pr_cont("[%s]", word);
	pr_cont(" %d\n", p == NULL);
	pr_info("[%s] [%s] [%s]\n", strim(spaces), strstrip(only), skip_spaces("  x "));
	pr_info("match %d %d %d, sysfs %d %d\n", match_string(colours, 3, "blue"), match_string(colours, 5, "black"),
		match_string(colours, 5, "gre"), sysfs_match_string(colours, "green\n"), __sysfs_match_string(colours, -1, "pink"));
	argv = argv_split(GFP_KERNEL, "  copy   \"a b\"  c ", &n);
	if (!argv)
		return;
	for (i = 0; i <= n; i++)
		pr_cont("%s|", argv[i] ? argv[i] : "NULL");
	pr_cont(" %d\n", n);
	argv_free(argv);
	argv = argv_split(GFP_KERNEL, "   ", &n);
	pr_info("nothing: %d %d\n", n, argv[0] == NULL);
	argv_free(argv);
}

static void copies(void)
{
	const char *constant = kstrdup_const(".rodata", GFP_KERNEL);
	char *a = kstrdup("whole", GFP_KERNEL), *b = kstrndup("part of it", 4, GFP_KERNEL), *c = kmemdup("x\0y", 4, GFP_KERNEL),
	     *d = kmemdup_nul("not ended", 3, GFP_KERNEL), *e = kasprintf(GFP_KERNEL, "%s/%03d", a, 7);

	pr_info("%s %s %*ph %s %s %s\n", a, b, 4, c, d, e, constant);
	pr_info("of NULL: %d %d\n", kstrdup(NULL, GFP_KERNEL) == NULL, kstrndup(NULL, 3, GFP_KERNEL) == NULL);
	kfree_const(constant);
	kfree(a);
	kfree(b);
	kfree(c);
	kfree(d);
	kfree(e);
	pr_info("from user: %ld %ld %ld %ld\n", PTR_ERR(memdup_user((void __user *)8, 4)), PTR_ERR(memdup_user_nul((void __user *)8, 4)),
		PTR_ERR(vmemdup_user((void __user *)8, 4)), PTR_ERR(strndup_user((char __user *)8, 4)));
}

static void memory(void)
{
	char text[] = "0123456789";
	u16 words[3] = {};
	u32 longs[3] = {};
	u64 quads[2] = {};
	struct {
		int a, b, c;
	} three = { 1, 2, 3 };

	memmove(text + 2, text, 5);
	pr_info("%s", text);
	memmove(text, text + 3, 5);
	pr_cont(" %s", text);
	memset16(words, 0xbeef, 2);
	memset32(longs, 0xdeadbeef, 2);
	memset64(quads, 0x0123456789abcdefULL, 1);
	pr_cont(" %x %x %x %x %x %x %llx %llx", words[0], words[1], words[2], longs[0], longs[1], longs[2], quads[0], quads[1]);
	memset_after(&three, 0, a);
	pr_cont(" %d %d %d", three.a, three.b, three.c);
	memzero_explicit(text, sizeof(text));
	pr_cont(" %d %d\n", mem_is_zero(text, sizeof(text)), mem_is_zero(words, sizeof(words)));
	strcpy(text, "a-b-c");
	strreplace(text, '-', '+');
	pr_info("%s %d %d %c %c\n", text, isalpha('x') != 0, isspace(0xa0) != 0, toupper('q'), tolower('Q'));
	pr_info("ctype:%s%s%s%s%s%s%s\n", isdigit('7') ? " digit" : "", isxdigit('g') ? " hex" : "", ispunct('!') ? " punct" : "",
		iscntrl('\t') ? " control" : "", isprint(' ') ? " print" : "", isgraph(' ') ? " graph" : "", isalnum('_') ? " alnum" : "");
}

static void escapes(void)
{
	char out[64], text[] = "a\\n\\x41\\101\\e\\\\z", upper[8];
	int n;

	n = string_unescape(text, out, sizeof(out), UNESCAPE_SPACE | UNESCAPE_HEX);
	pr_info("spaces and hex: %d %*pE\n", n, n, out);
	n = string_escape_mem("\t\"\\\0\x80z", 6, out, sizeof(out), ESCAPE_ANY, NULL);
	pr_info("any: %d %.*s\n", n, n, out);
	n = string_escape_mem("\t\"\\\0\x80z", 6, out, sizeof(out), ESCAPE_HEX, NULL);
	pr_info("hex: %d %.*s\n", n, n, out);
	n = string_escape_mem("\t\"\\\0\x80z", 6, out, sizeof(out), ESCAPE_ANY_NP, NULL);
	pr_info("not printable: %d %.*s\n", n, n, out);
	n = string_escape_mem("abc", 3, out, sizeof(out), ESCAPE_OCTAL, "b");
	pr_info("only b: %d %.*s\n", n, n, out);
	string_upper(upper, "MiXed7");
	pr_info("%s", upper);
	string_lower(upper, "MiXed7");
	pr_cont(" %s %s %s %s %s\n", upper, str_yes_no(true), str_on_off(false), str_enable_disable(true), str_enabled_disabled(false));
}

static int __init texts_init(void)
{
	bounds();
	comparing();
	searching();
	tokens();
	copies();
	memory();
	escapes();
	return 0;
}
module_init(texts_init);

static void __exit texts_exit(void)
{
}
module_exit(texts_exit);
MODULE_LICENSE("GPL");
