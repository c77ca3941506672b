// SPDX-License-Identifier: MIT
// The string functions and the conversions from text.
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static int __init strings_init(void)
{
	char a[32] = "hello", b[8], *copy, *cursor, *word;
	char **argv;
	int i, n, argc;
	long l;
	u8 byte;
	bool yes;
	static const char *const colours[] = { "red", "green", "blue", NULL };

	pr_info("%zu %zu\n", strlen(a), strnlen(a, 3));
	pr_info("%d %d %d\n", strcmp("a", "b"), strncmp("abc", "abd", 2), strcasecmp("ABC", "abc"));
	pr_info("%zd %s\n", strscpy(b, "much too long", sizeof(b)), b);
	pr_info("%zu %s\n", strlcpy(b, "much too long", sizeof(b)), b);
	strcat(a, ", ");
	strncat(a, "world!", 5);
	pr_info("%s %zu %s\n", a, strlcat(b, "x", sizeof(b)), b);
	pr_info("%s %s %s %s\n", strchr(a, 'w'), strrchr(a, 'l'), strstr(a, "lo"), strpbrk(a, "ow"));
	pr_info("%zu %zu %d\n", strspn(a, "hel"), strcspn(a, ","), strchr(a, 'z') == NULL);
	pr_info("[%s] [%s]\n", strim(strcpy(a, "  both ends \t")), skip_spaces("  left"));
	pr_info("%d %d\n", match_string(colours, -1, "blue"), match_string(colours, -1, "black"));
	pr_info("%d %d\n", sysfs_streq("on\n", "on"), sysfs_streq("on", "off"));
	memset(a, 'x', 10);
	a[4] = 'y';
	pr_info("%td %td %d\n", (char *)memchr(a, 'y', 10) - a, (char *)memchr_inv(a, 'x', 10) - a, memcmp(a, a + 5, 4));

	copy = cursor = kstrdup("a,b,,c", GFP_KERNEL);
	while ((word = strsep(&cursor, ",")) != NULL)
		pr_info("word [%s]\n", word);
	kfree(copy);
	argv = argv_split(GFP_KERNEL, " one  two ", &argc);
	for (i = 0; i < argc; i++)
		pr_info("argv[%d] = %s\n", i, argv[i]);
	argv_free(argv);
	copy = kasprintf(GFP_KERNEL, "%s-%d", "made", 1);
	pr_info("%s\n", copy);
	kfree(copy);

	pr_info("%d %ld\n", kstrtol("-0x20\n", 0, &l), l);
	pr_info("%d %d\n", kstrtoint("12x", 10, &n), kstrtou8("256", 10, &byte));
	pr_info("%d %d\n", kstrtobool("off", &yes), yes);
	pr_info("%lu %ld\n", simple_strtoul("077rest", NULL, 0), simple_strtol("-5", NULL, 10));
	pr_info("%d", sscanf("7 apples 0x1f", "%d %31s %i", &n, a, &i));
	pr_cont(": %d %s %d\n", n, a, i);
	return 0;
}
module_init(strings_init);

static void __exit strings_exit(void)
{
}
module_exit(strings_exit);
MODULE_LICENSE("GPL");
