// SPDX-License-Identifier: MIT
// Pages of a file that has no file system: made by hand, read and written as a file system's would be.
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uio.h>

static struct inode *inode;
static struct address_space *mapping;
static struct file *file;
static char *buffer;

static ssize_t move(bool write, loff_t *pos, void *data, size_t count, int flags)
{
	struct kvec vec[2] = {
		{ .iov_base = data, .iov_len = count / 2 },
		{ .iov_base = (char *)data + count / 2, .iov_len = count - count / 2 },
	};
	struct kiocb iocb = { .ki_filp = file, .ki_pos = *pos, .ki_flags = flags };
	struct iov_iter iter;
	ssize_t done;

	iov_iter_kvec(&iter, write ? ITER_SOURCE : ITER_DEST, vec, 2, count);
	done = write ? generic_file_write_iter(&iocb, &iter) : generic_file_read_iter(&iocb, &iter);
	*pos = iocb.ki_pos;
	return done;
}

static void write_at(loff_t pos, const char *text, int flags)
{
	ssize_t n = move(true, &pos, (void *)text, strlen(text), flags);

	pr_info("write \"%s\": %zd, pos %lld, size %lld, %lu pages\n", text, n, pos, i_size_read(inode),
		mapping->nrpages);
}

static void read_at(loff_t pos, size_t count)
{
	ssize_t n;

	memset(buffer, '?', 64);
	n = move(false, &pos, buffer, count, 0);
	pr_info("read %zu: %zd, pos %lld: %*pE\n", count, n, pos, n > 0 ? (int)min_t(ssize_t, n, 32) : 0, buffer);
}

static void show(pgoff_t index)
{
	struct page *page = find_get_page(mapping, index);

	if (!page) {
		pr_info("page %lu: none, xa_load %d\n", index, !!xa_load(&mapping->i_pages, index));
		return;
	}
	pr_info("page %lu: refs %d%s%s%s%s, index %lu, its mapping %d, in the array %d\n", index, page_count(page),
		PageUptodate(page) ? " uptodate" : "", PageDirty(page) ? " dirty" : "",
		PageReferenced(page) ? " referenced" : "", PageLocked(page) ? " locked" : "", page->index,
		page_mapping(page) == mapping, xa_load(&mapping->i_pages, index) == page);
	put_page(page);
}

static void in_memory(void)
{
	write_at(0, "hello page cache", 0);
	write_at(PAGE_SIZE - 4, "acrossss", 0);
	write_at(0, " end", IOCB_APPEND);
	write_at(10 * PAGE_SIZE, "far", 0);
	write_at(-1, "nowhere", 0);
	write_at(0, "", 0);
	read_at(0, 16);
	read_at(PAGE_SIZE - 4, 20);
	read_at(5 * PAGE_SIZE, 4);
	read_at(10 * PAGE_SIZE + 1, 100);
	read_at(10 * PAGE_SIZE + 3, 100);
	read_at(-5, 3);
	show(0);
	show(1);
	show(5);
	show(10);
	truncate_setsize(inode, 5);
	pr_info("size %lld, %lu pages\n", i_size_read(inode), mapping->nrpages);
	read_at(0, 16);
	write_at(8, "x", 0);
	read_at(0, 16);
}

static void by_hand(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct page *found;
	struct folio *folio;
	void *data;

	pr_info("add: %d\n", add_to_page_cache_lru(page, mapping, 3, GFP_KERNEL));
	found = alloc_page(GFP_KERNEL);
	pr_info("add another: %d, refs %d, locked %d\n", add_to_page_cache_lru(found, mapping, 3, GFP_KERNEL),
		page_count(found), PageLocked(found));
	put_page(found);
	pr_info("trylock: %d\n", trylock_page(page));
	unlock_page(page);
	pr_info("dirty: %d %d\n", set_page_dirty(page), set_page_dirty(page));
	mark_page_accessed(page);
	show(3);
	found = find_lock_page(mapping, 3);
	pr_info("found %d, locked %d\n", found == page, PageLocked(page));
	delete_from_page_cache(page);
	unlock_page(page);
	pr_info("deleted: refs %d, mapping %p\n", page_count(page), page_mapping(page));
	put_page(found);
	put_page(page);

	page = grab_cache_page(mapping, 4);
	pr_info("grabbed: locked %d, uptodate %d, referenced %d\n", PageLocked(page), PageUptodate(page),
		PageReferenced(page));
	unlock_page(page);
	put_page(page);
	pr_info("found or not: %d %d\n", !!find_get_page(mapping, 77), !!filemap_get_folio(mapping, 77));

	pr_info("begin: %d\n", simple_write_begin(file, mapping, 6 * PAGE_SIZE + 10, 5, &page, &data));
	memcpy(page_address(page) + 10, "12345", 5);
	pr_info("end: %d, size %lld\n", simple_write_end(file, mapping, 6 * PAGE_SIZE + 10, 5, 5, page, data),
		i_size_read(inode));
	read_at(6 * PAGE_SIZE + 8, 16);
	folio = filemap_lock_folio(mapping, 6);
	pr_info("folio: pos %lld, size %zu, uptodate %d, inode %d\n", folio_pos(folio), folio_size(folio),
		folio_test_uptodate(folio), folio_inode(folio) == inode);
	folio_unlock(folio);
	folio_put(folio);
	truncate_inode_pages_range(mapping, 6 * PAGE_SIZE + 11, 6 * PAGE_SIZE + 12);
	read_at(6 * PAGE_SIZE + 8, 16);
	pr_info("%lu pages\n", mapping->nrpages);
}

static int my_read_folio(struct file *f, struct folio *folio)
{
	char *data = folio_address(folio);

	pr_info("read_folio %lu, locked %d\n", folio->index, folio_test_locked(folio));
	if (folio->index == 2) {
		folio_unlock(folio);
		return -ENOSPC;
	}
	if (folio->index != 3) {
		memset(data, 'a' + folio->index, PAGE_SIZE);
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	return 0;
}

static int my_write_begin(struct file *f, struct address_space *m, loff_t pos, unsigned int len, struct page **pagep,
			  void **fsdata)
{
	pr_info("write_begin %lld %u\n", pos, len);
	if (pos >= 8 * PAGE_SIZE)
		return -EROFS;
	*fsdata = inode;
	return simple_write_begin(f, m, pos, len, pagep, fsdata);
}

static int my_write_end(struct file *f, struct address_space *m, loff_t pos, unsigned int len, unsigned int copied,
			struct page *page, void *fsdata)
{
	pr_info("write_end %lld %u %u, fsdata %d\n", pos, len, copied, fsdata == inode);
	return simple_write_end(f, m, pos, len, copied, page, NULL);
}

static bool my_dirty_folio(struct address_space *m, struct folio *folio)
{
	pr_info("dirty_folio %lu\n", folio->index);
	return noop_dirty_folio(m, folio);
}

static void my_invalidate_folio(struct folio *folio, size_t offset, size_t len)
{
	pr_info("invalidate_folio %lu %zu %zu\n", folio->index, offset, len);
	folio_clear_private(folio);
}

static void my_free_folio(struct folio *folio)
{
	pr_info("free_folio %lu\n", folio->index);
}

static const struct address_space_operations my_aops = {
	.read_folio = my_read_folio,
	.write_begin = my_write_begin,
	.write_end = my_write_end,
	.dirty_folio = my_dirty_folio,
	.invalidate_folio = my_invalidate_folio,
	.free_folio = my_free_folio,
};

static void of_a_module(void)
{
	struct folio *folio;

	truncate_inode_pages(mapping, 0);
	mapping->a_ops = &my_aops;
	i_size_write(inode, 5 * PAGE_SIZE);
	read_at(PAGE_SIZE - 2, 4);
	read_at(2 * PAGE_SIZE - 1, 4);
	read_at(2 * PAGE_SIZE, 4);
	read_at(3 * PAGE_SIZE, 4);
	write_at(PAGE_SIZE - 2, "WXYZ", 0);
	write_at(8 * PAGE_SIZE - 2, "WXYZ", 0);
	write_at(8 * PAGE_SIZE, "WXYZ", 0);
	read_at(PAGE_SIZE - 4, 8);
	folio = filemap_get_folio(mapping, 1);
	folio_set_private(folio);
	folio_put(folio);
	truncate_setsize(inode, PAGE_SIZE + 100);
	pr_info("%lu pages\n", mapping->nrpages);
}

static struct page *contended;
static DECLARE_COMPLETION(locker_done);

static int inside;

static int locker(void *unused)
{
	lock_page(contended);
	pr_info("one more has the lock, others inside: %d\n", inside++);
	msleep(20);
	inside--;
	unlock_page(contended);
	complete(&locker_done);
	return 0;
}

static void locks(void)
{
	contended = find_get_page(mapping, 0);
	lock_page(contended);
	kthread_run(locker, NULL, "first");
	kthread_run(locker, NULL, "second");
	msleep(50);
	pr_info("unlocking\n");
	unlock_page(contended);
	wait_for_completion(&locker_done);
	wait_for_completion(&locker_done);
	pr_info("locked %d, waiters %d\n", PageLocked(contended), PageWaiters(contended));
	put_page(contended);
}

static int __init pagecache_init(void)
{
	inode = kzalloc(sizeof(*inode), GFP_KERNEL);
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	buffer = kmalloc(4096, GFP_KERNEL);
	if (!inode || !file || !buffer)
		return -ENOMEM;
	mapping = &inode->i_data;
	inode->i_mapping = mapping;
	mapping->host = inode;
	xa_init_flags(&mapping->i_pages, XA_FLAGS_LOCK_IRQ | XA_FLAGS_ACCOUNT);
	mapping_set_gfp_mask(mapping, GFP_HIGHUSER);
	file->f_inode = inode;
	file->f_mapping = mapping;
	in_memory();
	by_hand();
	of_a_module();
	locks();
	return 0;
}

static void __exit pagecache_exit(void)
{
	truncate_inode_pages_final(mapping);
	pr_info("%lu pages, empty %d, exiting %d\n", mapping->nrpages, mapping_empty(mapping), mapping_exiting(mapping));
	kfree(inode);
	kfree(file);
	kfree(buffer);
}

module_init(pagecache_init);
module_exit(pagecache_exit);
MODULE_DESCRIPTION("Pages of files");
MODULE_LICENSE("GPL");
