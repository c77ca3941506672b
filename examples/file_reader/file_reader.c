// SPDX-License-Identifier: MIT
/*
 * A file read and written by the kernel itself: insmod file_reader.ko path=/tmp/notes counts lines and adds one.
 * Drivers hardly ever should; what they need belongs into a parameter, a device or a file of /sys. But who sees a file
 * from this side knows what read(2) and write(2) do.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>

static char *path = "/tmp/notes";
module_param(path, charp, 0444);
MODULE_PARM_DESC(path, "the file");

static char buffer[64];

/* kernel_read moves the position on, and returns 0 at the end of the file. */
static ssize_t count_lines(struct file *file)
{
	loff_t position = 0;
	ssize_t length, lines = 0;
	char *newline;

	while ((length = kernel_read(file, buffer, sizeof(buffer), &position)) > 0)
		for (newline = buffer; (newline = memchr(newline, '\n', buffer + length - newline)); newline++)
			lines++;
	return length < 0 ? length : lines;
}

static int add_line(struct file *file, ssize_t lines)
{
	loff_t end = i_size_read(file_inode(file));
	int length = scnprintf(buffer, sizeof(buffer), "line %zd, from the kernel\n", lines + 1);
	ssize_t written = kernel_write(file, buffer, length, &end);

	return written < 0 ? written : 0;
}

static int __init file_reader_init(void)
{
	struct file *file = filp_open(path, O_RDWR | O_CREAT, 0644);
	ssize_t lines;
	int error;

	if (IS_ERR(file)) {
		pr_err("cannot open %s: %pe\n", path, file);
		return PTR_ERR(file);
	}
	lines = count_lines(file);
	error = lines < 0 ? lines : add_line(file, lines);
	if (!error)
		pr_info("%pD had %zd lines, and has %lld bytes now\n", file, lines, i_size_read(file_inode(file)));
	filp_close(file, NULL);
	return error;
}

static void __exit file_reader_exit(void)
{
}

module_init(file_reader_init);
module_exit(file_reader_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Reads and writes a file from within the kernel");
