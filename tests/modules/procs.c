// SPDX-License-Identifier: MIT
// Files below /proc: single shows, iterators over lists, tables and numbers, private data, writing, what seq_file prints.
// then: ls /proc/procs
// then: cat /proc/procs/single
// then: cat /proc/procs/list
// then: cat /proc/procs/hlist
// then: cat /proc/procs/squares
// then: cat /proc/procs/long
// then: cat /proc/procs/forms
// then: echo remember me > /proc/procs/note
// then: cat /proc/procs/note
// then: echo too long a text for it > /proc/procs/note
// then: stat /proc/procs/note
// then: stat /proc/procs/alias
// then: cat /proc/procs/broken
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct item {
	const char *name;
	struct list_head node;
	struct hlist_node bucket;
};

static struct item items[] = { { "one" }, { "two" }, { "three" } };
static LIST_HEAD(list);
static HLIST_HEAD(hlist);
static struct proc_dir_entry *folder;
static char note[16];

static int single_show(struct seq_file *m, void *v)
{
	seq_printf(m, "data '%s'\n", (char *)pde_data(file_inode(m->file)));
	return 0;
}

static void *list_start(struct seq_file *m, loff_t *pos)
{
	return seq_list_start_head(&list, *pos);
}

static void *list_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &list, pos);
}

static void nothing_stop(struct seq_file *m, void *v)
{
}

static int list_show(struct seq_file *m, void *v)
{
	if (v == &list)
		seq_puts(m, "a heading\n");
	else
		seq_printf(m, "%s\n", list_entry(v, struct item, node)->name);
	return 0;
}

static const struct seq_operations list_ops = { .start = list_start, .next = list_next, .stop = nothing_stop, .show = list_show };

static void *hlist_start(struct seq_file *m, loff_t *pos)
{
	return seq_hlist_start(&hlist, *pos);
}

static void *hlist_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_hlist_next(v, &hlist, pos);
}

static int hlist_show(struct seq_file *m, void *v)
{
	const char *name = hlist_entry(v, struct item, bucket)->name;

	if (!strcmp(name, "two"))
		return SEQ_SKIP;
	seq_printf(m, "%s\n", name);
	return 0;
}

static const struct seq_operations hlist_ops = { .start = hlist_start, .next = hlist_next, .stop = nothing_stop, .show = hlist_show };

/* Of 1 to 4 after a token; how often the walk has begun is in its private memory. */
static void *squares_start(struct seq_file *m, loff_t *pos)
{
	++*(int *)m->private;
	return *pos == 0 ? SEQ_START_TOKEN : *pos <= 4 ? (void *)(unsigned long)(*pos + 1) : NULL;
}

static void *squares_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return *pos <= 4 ? (void *)(unsigned long)(*pos + 1) : NULL;
}

static int squares_show(struct seq_file *m, void *v)
{
	unsigned long n = (unsigned long)v - 1;

	if (v == SEQ_START_TOKEN)
		seq_printf(m, "walk %d\n", *(int *)m->private);
	else
		seq_printf(m, "%lu\n", n * n);
	return 0;
}

static const struct seq_operations squares_ops = { .start = squares_start, .next = squares_next, .stop = nothing_stop,
						   .show = squares_show };

/* More than a page: the buffer grows, and show is called anew. */
static int long_show(struct seq_file *m, void *v)
{
	static int calls;
	int i;

	calls++;
	for (i = 0; i < 300; i++)
		seq_printf(m, "%15d%c", i, i % 100 == 99 ? '\n' : ' ');
	if (!seq_has_overflowed(m))
		pr_info("shown after %d calls, of %zu bytes\n", calls, m->count);
	return 0;
}

static int forms_show(struct seq_file *m, void *v)
{
	static const char bytes[] = "hex dump of this";

	seq_put_decimal_ull(m, "unsigned ", 42);
	seq_put_decimal_ll(m, " signed ", -42);
	seq_putc(m, '\n');
	seq_write(m, "written\n", 8);
	seq_setwidth(m, 12);
	seq_puts(m, "padded");
	seq_pad(m, '|');
	seq_puts(m, "\n");
	seq_hex_dump(m, "  ", DUMP_PREFIX_OFFSET, 16, 1, bytes, 16, true);
	seq_printf(m, "%s %pe\n", "text", ERR_PTR(-EIO));
	return 0;
}

static ssize_t note_read(struct file *file, char __user *to, size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(to, count, ppos, note, strlen(note));
}

static ssize_t note_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	if (count >= sizeof(note))
		return -ENOSPC;
	memset(note, 0, sizeof(note));
	if (copy_from_user(note, from, count))
		return -EFAULT;
	pr_info("noted %zu bytes\n", count);
	return count;
}

static const struct proc_ops note_ops = { .proc_read = note_read, .proc_write = note_write, .proc_lseek = default_llseek };

static int broken_show(struct seq_file *m, void *v)
{
	seq_puts(m, "lost\n");
	return -EIO;
}

static int __init procs_init(void)
{
	int i;

	for (i = ARRAY_SIZE(items) - 1; i >= 0; i--) {
		list_add(&items[i].node, &list);
		hlist_add_head(&items[i].bucket, &hlist);
	}
	folder = proc_mkdir("procs", NULL);
	proc_create_single_data("single", 0444, folder, single_show, "private");
	proc_create_seq("list", 0444, folder, &list_ops);
	proc_create_seq("hlist", 0444, folder, &hlist_ops);
	proc_create_seq_private("squares", 0444, folder, &squares_ops, sizeof(int), NULL);
	proc_create_single("long", 0444, folder, long_show);
	proc_create_single("forms", 0400, folder, forms_show);
	proc_create_single("broken", 0444, folder, broken_show);
	proc_create("note", 0600, folder, &note_ops);
	proc_symlink("alias", folder, "note");
	pr_info("a folder in a folder %d\n", proc_mkdir("empty", folder) != NULL);
	return 0;
}
module_init(procs_init);

static void __exit procs_exit(void)
{
	remove_proc_entry("single", folder);
	pr_info("subtree %d\n", remove_proc_subtree("procs", NULL));
}
module_exit(procs_exit);
MODULE_LICENSE("GPL");
