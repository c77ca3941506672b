// SPDX-License-Identifier: MIT
// Kobjects, ksets and their files below /sys: attributes of every kind, groups, links, binary files, reference counts.
// then: ls /sys/kernel/kobjects
// then: cat /sys/kernel/kobjects/number
// then: echo 42 > /sys/kernel/kobjects/number
// then: cat /sys/kernel/kobjects/number
// then: echo x > /sys/kernel/kobjects/number
// then: stat /sys/kernel/kobjects/number
// then: cat /sys/kernel/kobjects/secret
// then: echo open sesame > /sys/kernel/kobjects/secret
// then: echo 1 > /sys/kernel/kobjects/constant
// then: cat /sys/kernel/kobjects/constant
// then: ls /sys/kernel/kobjects/group
// then: cat /sys/kernel/kobjects/group/first
// then: ls /sys/kernel/kobjects/set
// then: cat /sys/kernel/kobjects/set/thing0/weight
// then: echo 7 > /sys/kernel/kobjects/set/thing1/weight
// then: cat /sys/kernel/kobjects/set/thing1/weight
// then: stat /sys/kernel/kobjects/blob
// then: stat /sys/kernel/kobjects/link
// then: cat /sys/kernel/kobjects/link/weight
// then: cat /sys/kernel/kobjects/nosuch
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static int number = 5;

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", number);
}

static ssize_t number_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	int status = kstrtoint(buf, 10, &number);

	pr_info("store of %zu bytes into %s: %d\n", count, attr->attr.name, status);
	return status ?: count;
}

static ssize_t secret_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	pr_info("the secret is '%.*s'\n", (int)count - 1, buf);
	return count;
}

static ssize_t constant_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int n = sysfs_emit(buf, "%s of %s", attr->attr.name, kobject_name(kobj));

	return n + sysfs_emit_at(buf, n, ", in two parts\n");
}

static ssize_t first_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sprintf(buf, "first of a group\n");
}

static struct kobj_attribute number_attribute = __ATTR_RW(number);
static struct kobj_attribute secret_attribute = __ATTR_WO(secret);
static struct kobj_attribute constant_attribute = __ATTR_RO(constant);
static struct kobj_attribute first_attribute = __ATTR_RO(first);
static struct kobj_attribute second_attribute = __ATTR(second, 0444, first_show, NULL);

static const struct attribute *const plain[] = { &number_attribute.attr, &secret_attribute.attr, &constant_attribute.attr, NULL };
static struct attribute *grouped[] = { &first_attribute.attr, &second_attribute.attr, NULL };

static umode_t visible(struct kobject *kobj, struct attribute *attr, int n)
{
	return n == 0 ? attr->mode : 0;
}

static const struct attribute_group group = { .name = "group", .attrs = grouped, .is_visible = visible };

static ssize_t blob_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *buf, loff_t off, size_t count)
{
	return memory_read_from_buffer(buf, count, &off, "bytes of a blob\n", attr->size);
}

static struct bin_attribute blob = { .attr = { .name = "blob", .mode = 0444 }, .size = 16, .read = blob_read };

struct thing {
	struct kobject kobj;
	int weight;
};

static ssize_t thing_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s weighs %d\n", kobject_name(kobj), container_of(kobj, struct thing, kobj)->weight);
}

static ssize_t thing_store(struct kobject *kobj, struct attribute *attr, const char *buf, size_t count)
{
	return kstrtoint(buf, 0, &container_of(kobj, struct thing, kobj)->weight) ?: count;
}

static void thing_release(struct kobject *kobj)
{
	pr_info("release of %s\n", kobject_name(kobj));
	kfree(container_of(kobj, struct thing, kobj));
}

static struct attribute weight = { .name = "weight", .mode = 0644 };
static struct attribute *thing_attrs[] = { &weight, NULL };
ATTRIBUTE_GROUPS(thing);
static const struct sysfs_ops thing_ops = { .show = thing_show, .store = thing_store };
static struct kobj_type thing_type = { .release = thing_release, .sysfs_ops = &thing_ops, .default_groups = thing_groups };

static struct kobject *top;
static struct kset *set;
static struct thing *things[2];

static int __init kobjects_init(void)
{
	char *path;
	int i;

	top = kobject_create_and_add("kobjects", kernel_kobj);
	if (!top)
		return -ENOMEM;
	pr_info("files %d", sysfs_create_files(top, plain));
	pr_cont(" group %d", sysfs_create_group(top, &group));
	pr_cont(" blob %d\n", sysfs_create_bin_file(top, &blob));
	set = kset_create_and_add("set", NULL, top);
	for (i = 0; i < 2; i++) {
		things[i] = kzalloc(sizeof(struct thing), GFP_KERNEL);
		things[i]->weight = 10 * i;
		things[i]->kobj.kset = set;
		pr_info("thing %d: %d\n", i, kobject_init_and_add(&things[i]->kobj, &thing_type, NULL, "thing%d", i));
	}
	pr_info("link %d\n", sysfs_create_link(top, &things[0]->kobj, "link"));
	path = kobject_get_path(&things[1]->kobj, GFP_KERNEL);
	pr_info("at %s, uevent %d\n", path, kobject_uevent(&things[1]->kobj, KOBJ_ADD));
	kfree(path);
	pr_info("count %u", kref_read(&things[0]->kobj.kref));
	kobject_get(&things[0]->kobj);
	pr_cont(" %u", kref_read(&things[0]->kobj.kref));
	kobject_put(&things[0]->kobj);
	pr_cont(" %u, of NULL %d\n", kref_read(&things[0]->kobj.kref), kobject_get(NULL) == NULL);
	pr_info("found %d, rename %d, named %s\n", kset_find_obj(set, "thing1") == &things[1]->kobj, kobject_rename(&things[1]->kobj, "other"),
		kobject_name(&things[1]->kobj));
	kobject_put(&things[1]->kobj);
	pr_info("and back %d\n", kobject_rename(&things[1]->kobj, "thing1"));
	return 0;
}
module_init(kobjects_init);

static void __exit kobjects_exit(void)
{
	sysfs_remove_link(top, "link");
	kobject_del(&things[0]->kobj);
	kobject_put(&things[0]->kobj);
	kobject_put(&things[1]->kobj);
	kset_unregister(set);
	sysfs_remove_bin_file(top, &blob);
	sysfs_remove_group(top, &group);
	sysfs_remove_files(top, plain);
	kobject_put(top);
	pr_info("all gone\n");
}
module_exit(kobjects_exit);
MODULE_LICENSE("GPL");
