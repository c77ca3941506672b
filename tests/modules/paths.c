// SPDX-License-Identifier: MIT
// The kernel as a user of files: opening, reading, writing, names, folders, paths, descriptors.
// then: cat /box/note
// then: ls /box
#include <linux/anon_inodes.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

static char buffer[256], other[64];

static void make_folder(const char *name)
{
	struct path path;
	struct dentry *dentry = kern_path_create(AT_FDCWD, name, &path, LOOKUP_DIRECTORY);

	if (IS_ERR(dentry)) {
		pr_info("mkdir %s: %ld\n", name, PTR_ERR(dentry));
		return;
	}
	pr_info("mkdir %s: %d, in %pd, now %pd4\n", name,
		vfs_mkdir(&init_user_ns, d_inode(path.dentry), dentry, 0755), path.dentry, dentry);
	done_path_create(&path, dentry);
}

static void write_file(const char *name, int flags, const char *text)
{
	struct file *file = filp_open(name, flags, 0644);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file)) {
		pr_info("open %s: %ld\n", name, PTR_ERR(file));
		return;
	}
	n = kernel_write(file, text, strlen(text), &pos);
	pr_info("write %pD2: %zd, pos %lld, size %lld, count %ld\n", file, n, pos, i_size_read(file_inode(file)),
		file_count(file));
	filp_close(file, NULL);
}

static void read_file(const char *name, loff_t pos)
{
	struct file *file = filp_open(name, O_RDONLY, 0);
	loff_t from = pos;
	ssize_t n;

	if (IS_ERR(file)) {
		pr_info("open %s: %ld\n", name, PTR_ERR(file));
		return;
	}
	memset(buffer, 0, sizeof(buffer));
	n = kernel_read(file, buffer, sizeof(buffer) - 1, &pos);
	strreplace(buffer, '\n', '|');
	pr_info("read %s from %lld: %zd, pos %lld: %.48s\n", name, from, n, pos, buffer);
	filp_close(file, NULL);
}

struct lister {
	struct dir_context ctx;
	int count, most;
};

static bool list_one(struct dir_context *ctx, const char *name, int namelen, loff_t offset, u64 ino, unsigned int type)
{
	struct lister *lister = container_of(ctx, struct lister, ctx);

	if (lister->count == lister->most)
		return false;
	lister->count++;
	pr_info("  %lld %.*s type %u\n", offset, namelen, name, type);
	return true;
}

static void list(const char *name, int most)
{
	struct lister lister = { .ctx.actor = list_one, .most = most };
	struct file *file = filp_open(name, O_RDONLY | O_DIRECTORY, 0);
	int error;

	if (IS_ERR(file)) {
		pr_info("list %s: %ld\n", name, PTR_ERR(file));
		return;
	}
	error = iterate_dir(file, &lister.ctx);
	pr_info("listed %pD: %d, %d entries, pos %lld, file at %lld\n", file, error, lister.count, lister.ctx.pos,
		file->f_pos);
	lister.most = 100;
	iterate_dir(file, &lister.ctx);
	fput(file);
}

static void show_path(const char *name, unsigned int flags)
{
	struct path path;
	struct kstatfs fs;
	struct kstat stat;
	char *text;
	int error = kern_path(name, flags, &path);

	if (error) {
		pr_info("path %s: %d\n", name, error);
		return;
	}
	text = d_path(&path, buffer, sizeof(buffer));
	error = vfs_getattr(&path, &stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	pr_info("path %s: %s, in its tree %s, %o, links %u, size %lld: %d\n", name, IS_ERR(text) ? "too long" : text,
		dentry_path_raw(path.dentry, other, sizeof(other)), stat.mode, stat.nlink, stat.size, error);
	if (!vfs_statfs(&path, &fs))
		pr_info("  magic %lx, type %s, %pd2\n", fs.f_type, path.dentry->d_sb->s_type->name, path.dentry);
	if (IS_ERR(d_path(&path, buffer, 1)))
		pr_info("  no room: %ld\n", PTR_ERR(d_path(&path, buffer, 1)));
	path_put(&path);
}

static void rename_and_remove(void)
{
	struct renamedata rd = { .old_mnt_userns = &init_user_ns, .new_mnt_userns = &init_user_ns };
	struct dentry *one, *two;
	struct path path;

	if (kern_path("/box", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path))
		return;
	inode_lock(d_inode(path.dentry));
	one = lookup_one_len("one", path.dentry, 3);
	two = lookup_one_len("two", path.dentry, 3);
	pr_info("one positive %d, two positive %d, count of /box %u\n", d_is_positive(one), d_is_positive(two),
		d_count(path.dentry));
	rd.old_dir = rd.new_dir = d_inode(path.dentry);
	rd.old_dentry = one;
	rd.new_dentry = two;
	pr_info("rename: %d, now %pd, unhashed %d\n", vfs_rename(&rd), one, d_unhashed(two));
	pr_info("unlink of nothing: %d\n", vfs_unlink(&init_user_ns, d_inode(path.dentry), two, NULL));
	pr_info("rmdir of a file: %d\n", vfs_rmdir(&init_user_ns, d_inode(path.dentry), one));
	pr_info("the other is still %pd\n", two);
	dput(two);
	two = lookup_one_len("link", path.dentry, 4);
	pr_info("symlink: %d\n", vfs_symlink(&init_user_ns, d_inode(path.dentry), two, "two"));
	pr_info("a symlink: %d\n", d_is_symlink(two));
	dput(two);
	two = lookup_one_len("a/b", path.dentry, 3);
	pr_info("lookup with a slash: %ld, of nothing %ld\n", PTR_ERR(two),
		PTR_ERR(lookup_positive_unlocked("zero", path.dentry, 4)));
	pr_info("unlink: %d\n", vfs_unlink(&init_user_ns, d_inode(path.dentry), one, NULL));
	show_path("/box/two", 0);
	show_path("/box/link", 0);
	show_path("/box/link", LOOKUP_FOLLOW);
	dput(one);
	inode_unlock(d_inode(path.dentry));
	path_put(&path);
}

static void attributes(void)
{
	struct iattr attr = { .ia_valid = ATTR_MODE | ATTR_SIZE, .ia_mode = S_IFREG | 0600, .ia_size = 4 };
	struct path path;
	int error = kern_path("/box/note", LOOKUP_FOLLOW, &path);

	if (error)
		return;
	error = notify_change(&init_user_ns, path.dentry, &attr, NULL);
	pr_info("notify_change: %d, mode %o, size %lld\n", error, d_inode(path.dentry)->i_mode,
		i_size_read(d_inode(path.dentry)));
	pr_info("vfs_truncate: %ld\n", vfs_truncate(&path, 2));
	pr_info("lookup below a file: %d\n", kern_path("/box/note/x", 0, &path));
	path_put(&path);
}

static ssize_t anon_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return 0;
}
static const struct file_operations anon_fops = { .owner = THIS_MODULE, .read_iter = anon_read_iter };

static void anonymous(void)
{
	struct file *file = anon_inode_getfile("[paths]", &anon_fops, NULL, O_RDWR);
	loff_t pos = 0;

	if (IS_ERR(file))
		return;
	pr_info("anonymous: %s, %pD, modes %x\n", file_path(file, buffer, sizeof(buffer)), file,
		file->f_mode & (FMODE_READ | FMODE_WRITE | FMODE_CAN_READ | FMODE_CAN_WRITE));
	pr_info("read %zd, write %zd\n", kernel_read(file, buffer, 8, &pos), kernel_write(file, buffer, 8, &pos));
	fput(file);
}

static void errors(void)
{
	struct file *file;
	loff_t pos = 0;

	read_file("/nothing", 0);
	write_file("/box", O_WRONLY, "x");
	write_file("/box/note", O_CREAT | O_EXCL | O_WRONLY, "x");
	write_file("/box/none/note", O_CREAT | O_WRONLY, "x");
	write_file("/proc/new", O_CREAT | O_WRONLY, "x");
	read_file("", 0);
	list("/box/note", 5);
	make_folder("/box");
	make_folder("/none/box");
	show_path("/box/note/", LOOKUP_FOLLOW);
	file = filp_open("/box/note", O_WRONLY | O_APPEND, 0);
	pr_info("appended %zd\n", kernel_write(file, "++", 2, &pos));
	pr_info("read of a file for writing: %zd\n", kernel_read(file, buffer, 8, &pos));
	pr_info("seek: %lld %lld %lld\n", vfs_llseek(file, 1, SEEK_SET), vfs_llseek(file, 0, SEEK_END),
		vfs_llseek(file, -9, SEEK_SET));
	pr_info("fsync: %d\n", vfs_fsync(file, 0));
	filp_close(file, NULL);
	file = filp_open("/box", O_RDONLY, 0);
	pr_info("read of a folder: %zd\n", kernel_read(file, buffer, 8, &pos));
	fput(file);
}

static int show(struct seq_file *m, void *v)
{
	struct path path;

	seq_file_path(m, (struct file *)m->file, " \n");
	seq_putc(m, ' ');
	if (!kern_path("/box/a b", LOOKUP_FOLLOW, &path)) {
		seq_path(m, &path, " \t\n\\");
		seq_putc(m, ' ');
		seq_dentry(m, path.dentry, "b");
		path_put(&path);
	}
	seq_escape_mem(m, " a\nb", 4, ESCAPE_OCTAL, "\n");
	seq_putc(m, '\n');
	return 0;
}

static void names(void)
{
	struct path root, path;

	pr_info("%pd %pd2 %pd\n", NULL, NULL, ERR_PTR(-2));
	if (kern_path("/proc/sys/kernel", LOOKUP_FOLLOW, &path))
		return;
	pr_info("%pd %pd2 %pd3 %pd4 |%12pd|%-12pd|\n", path.dentry, path.dentry, path.dentry, path.dentry,
		path.dentry, path.dentry);
	if (!kern_path("/", LOOKUP_FOLLOW, &root)) {
		pr_info("root %pd %pd3, a mount %d, below it %d\n", root.dentry, root.dentry,
			root.mnt == path.mnt, is_subdir(path.dentry, root.dentry));
		path_put(&root);
	}
	strcpy(buffer + 100, "a b\tc");
	pr_info("mangled to %zd\n", mangle_path(buffer, buffer + 100, " \t") - buffer);
	path_put(&path);
}

static int __init paths_init(void)
{
	make_folder("/box");
	write_file("/box/note", O_CREAT | O_WRONLY | O_TRUNC, "some words of the kernel\n");
	write_file("/box/one", O_CREAT | O_RDWR, "1");
	write_file("/box/a b", O_CREAT | O_RDWR, "");
	read_file("/box/note", 0);
	read_file("/box/note", 5);
	read_file("/box/note", 500);
	read_file("/proc/version", 0);
	read_file("/proc/version", 6);
	read_file("/sys/module/paths/refcnt", 0);
	list("/box", 3);
	show_path("/box/note", LOOKUP_FOLLOW);
	show_path("/proc/self/../version", LOOKUP_FOLLOW);
	show_path("/dev", LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
	rename_and_remove();
	attributes();
	errors();
	names();
	anonymous();
	if (!proc_create_single("paths", 0444, NULL, show))
		return -ENOMEM;
	read_file("/proc/paths", 0);
	read_file("/proc/paths", 12);
	return 0;
}

static void __exit paths_exit(void)
{
	static const char *const left[] = { "note", "a b", "link" };
	struct dentry *dentry;
	struct path path;
	int i;

	remove_proc_entry("paths", NULL);
	if (kern_path("/box", LOOKUP_FOLLOW, &path))
		return;
	for (i = 0; i < ARRAY_SIZE(left); i++) {
		dentry = lookup_one_len(left[i], path.dentry, strlen(left[i]));
		pr_info("unlink %pd2: %d\n", dentry, vfs_unlink(&init_user_ns, d_inode(path.dentry), dentry, NULL));
		dput(dentry);
	}
	pr_info("rmdir: %d\n", vfs_rmdir(&init_user_ns, d_inode(path.dentry->d_parent), path.dentry));
	pr_info("gone: %s\n", d_path(&path, buffer, sizeof(buffer)));
	path_put(&path);
}

module_init(paths_init);
module_exit(paths_exit);
MODULE_LICENSE("GPL");
