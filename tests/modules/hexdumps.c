// SPDX-License-Identifier: MIT
// Bytes as text: every form of print_hex_dump, lines into a buffer that is too small, hexadecimal to and from bytes.
// insmod: dyndbg=+p
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

static const u8 bytes[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, 'H', 'e', 'l', 'l', 'o', ' ', '~', 0x1f, 0x20, '\\', '%', 0xa0, 'a', 'b', 'c',
			    'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't' };

static void dumps(void)
{
	static const int rows[] = { 16, 32, 7 }, groups[] = { 1, 2, 4, 8, 3 };
	int r, g;

	for (r = 0; r < ARRAY_SIZE(rows); r++)
		for (g = 0; g < ARRAY_SIZE(groups); g++) {
			pr_info("rows of %d, groups of %d\n", rows[r], groups[g]);
			print_hex_dump(KERN_INFO, "  ", DUMP_PREFIX_OFFSET, rows[r], groups[g], bytes, sizeof(bytes), g & 1);
		}
	print_hex_dump(KERN_INFO, "no prefix: ", DUMP_PREFIX_NONE, 16, 1, bytes, 5, true);
	print_hex_dump(KERN_WARNING, "", DUMP_PREFIX_OFFSET, 32, 8, bytes, 32, true);
	print_hex_dump(KERN_INFO, "nothing: ", DUMP_PREFIX_OFFSET, 16, 1, bytes, 0, true);
	print_hex_dump_bytes("bytes: ", DUMP_PREFIX_OFFSET, bytes, 18);
	print_hex_dump_debug("debug: ", DUMP_PREFIX_NONE, 16, 4, bytes, 16, false);
}

static void lines(void)
{
	static const size_t rooms[] = { 0, 1, 2, 3, 4, 10, 24, 25, 60 };
	char line[80];
	int i, n;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		memset(line, '#', sizeof(line));
		line[79] = 0;
		n = hex_dump_to_buffer(bytes, 8, 16, 1, line, rooms[i], false);
		pr_info("room %zu: %d '%s'\n", rooms[i], n, rooms[i] ? line : "");
	}
	n = hex_dump_to_buffer(bytes, 8, 16, 1, line, 30, true);
	pr_info("with text, room 30: %d '%s'\n", n, line);
	n = hex_dump_to_buffer(bytes, 8, 16, 4, line, sizeof(line), true);
	pr_info("groups of 4: %d '%s'\n", n, line);
	n = hex_dump_to_buffer(bytes, 6, 16, 4, line, sizeof(line), true);
	pr_info("6 bytes in groups of 4: %d '%s'\n", n, line);
	n = hex_dump_to_buffer(bytes, 0, 16, 1, line, sizeof(line), true);
	pr_info("of nothing: %d '%s'\n", n, line);
	n = hex_dump_to_buffer(bytes, 33, 99, 1, line, sizeof(line), false);
	pr_info("rows of 99 are rows of 16: %d '%s'\n", n, line);
}

static void digits(void)
{
	char text[32];
	u8 out[4] = {};
	int n;

	*bin2hex(text, bytes, 5) = 0;
	pr_info("%s %c%c %c%c", text, hex_asc_hi(0x5a), hex_asc_lo(0x5a), hex_asc_upper_hi(0x5a), hex_asc_upper_lo(0x5a));
	*hex_byte_pack_upper(hex_byte_pack(text, 0xbe), 0xef) = 0;
	pr_cont(" %s\n", text);
	n = hex2bin(out, "dEaDbeef", 4);
	pr_info("%d %*ph", n, 4, out);
	n = hex2bin(out, "12x4", 2);
	pr_cont(", wrong digit %d %*ph; digits %d %d %d %d %d\n", n, 4, out, hex_to_bin('0'), hex_to_bin('f'), hex_to_bin('F'), hex_to_bin('g'),
		hex_to_bin(0xff));
	pr_info("%*ph|%*phC|%*phD|%*phN|%*ph\n", 4, bytes, 4, bytes, 4, bytes, 4, bytes, 0, bytes);
	pr_info("%6phC %3phN %37ph\n", bytes, bytes, bytes);
	pr_info("%pE|%*pE|%*pEh|%*pEs|%*pEo\n", "a\tb\n", 4, bytes, 4, bytes, 3, "\t x", 4, "\t\"x");
}

static int __init hexdumps_init(void)
{
	dumps();
	lines();
	digits();
	return 0;
}
module_init(hexdumps_init);

static void __exit hexdumps_exit(void)
{
}
module_exit(hexdumps_exit);
MODULE_LICENSE("GPL");
