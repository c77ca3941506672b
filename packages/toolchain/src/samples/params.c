// SPDX-License-Identifier: MIT
/* Module information and parameters of every kind. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#include <linux/init.h>
#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "not 6.1"
#endif
#if !IS_ENABLED(CONFIG_MODULES) || IS_ENABLED(CONFIG_X86) || IS_ENABLED(CONFIG_NO_SUCH_THING)
#error "IS_ENABLED"
#endif

static int count = 3;
module_param(count, int, 0644);
MODULE_PARM_DESC(count, "how many, at \"most\" 100%");
static uint u;
module_param(u, uint, 0);
static long l;
module_param(l, long, 0444);
static ulong ul;
module_param(ul, ulong, 0600);
static unsigned long long ull;
module_param(ull, ullong, 0600);
static bool flag;
module_param(flag, bool, S_IRUGO | S_IWUSR);
static bool inverse;
module_param(inverse, invbool, 0444);
static short sh;
module_param(sh, short, 0);
static ushort ush;
module_param(ush, ushort, 0);
static unsigned char byte;
module_param(byte, byte, 0);
static unsigned int hex;
module_param(hex, hexint, 0);
static char *name = "x";
module_param(name, charp, 0444);
static char text[16];
module_param_string(text, text, sizeof(text), 0644);
static int array[4];
static int array_length;
module_param_array(array, int, &array_length, 0644);
static ushort shorts[2];
module_param_array_named(many, shorts, ushort, NULL, 0);
static int other;
module_param_named(renamed, other, int, 0644);

static int set_twice(const char *val, const struct kernel_param *kp)
{
	int err = param_set_int(val, kp);

	if (!err)
		*(int *)kp->arg *= 2;
	return err;
}

static const struct kernel_param_ops twice_ops = { .set = set_twice, .get = param_get_int };
static int twice;
module_param_cb(twice, &twice_ops, &twice, 0644);

int exported_function(int x)
{
	return x + count;
}
EXPORT_SYMBOL_GPL(exported_function);
int exported_variable = 5;
EXPORT_SYMBOL(exported_variable);

static int __initdata at_init = 1;
static const char banner[] __initconst = "hello";

static int __init params_init(void)
{
	pr_info("%s %d %d %s %d\n", banner, at_init, array_length, THIS_MODULE->name, module_refcount(THIS_MODULE));
	return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
}

static void __exit params_exit(void)
{
	module_put(THIS_MODULE);
}

module_init(params_init);
module_exit(params_exit);

#define WHO "macro <x@y>"
MODULE_LICENSE("GPL");
MODULE_AUTHOR("A \"B\" <c@d>");
MODULE_AUTHOR(WHO);
MODULE_DESCRIPTION("한글 100% \\ back\tslash" " joined");
MODULE_VERSION("1.0");
MODULE_ALIAS("hz:" __stringify(HZ));
MODULE_SOFTDEP("pre: a post: b");
MODULE_INFO(custom, "it's; #1, /* not a comment */ 0x%p\n");
