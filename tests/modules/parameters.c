// SPDX-License-Identifier: MIT
// Module parameters of every kind.
// insmod: b=255 i=-7 ul=0x10 yes no=0 s="two words" a=1,2,3 name=short cb=9 nosuch=1 dashed-name=4
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned char b;
module_param(b, byte, 0644);
static int i = 1;
module_param(i, int, 0644);
static unsigned long ul;
module_param(ul, ulong, 0444);
static bool yes, no = true;
module_param(yes, bool, 0644);
module_param(no, bool, 0644);
static char *s = "unset", *t = "default";
module_param(s, charp, 0444);
module_param(t, charp, 0444);
static int a[4], nr_a;
module_param_array(a, int, &nr_a, 0644);
static char name[8];
module_param_string(name, name, sizeof(name), 0644);
static int inner;
module_param_named(dashed_name, inner, int, 0);

static int cb_set(const char *value, const struct kernel_param *kp)
{
	pr_info("%s set to %s\n", kp->name, value);
	return param_set_int(value, kp);
}
static const struct kernel_param_ops cb_ops = { .set = cb_set, .get = param_get_int };
static int cb;
module_param_cb(cb, &cb_ops, &cb, 0644);

static int __init parameters_init(void)
{
	pr_info("b=%d i=%d ul=%lu yes=%d no=%d\n", b, i, ul, yes, no);
	pr_info("s=%s t=%s name=%s\n", s, t, name);
	pr_info("a=%d,%d,%d,%d of %d\n", a[0], a[1], a[2], a[3], nr_a);
	pr_info("cb=%d dashed_name=%d\n", cb, inner);
	return 0;
}
module_init(parameters_init);

static void __exit parameters_exit(void)
{
}
module_exit(parameters_exit);
MODULE_LICENSE("GPL");
