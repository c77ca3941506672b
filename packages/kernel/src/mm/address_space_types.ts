// SPDX-License-Identifier: MIT
/** How a file system reads and writes the pages of its files: `struct address_space_operations`, in the order of Linux 6.1. */

import { fn, struct } from '../lib/struct.js';

const IO = 'struct file *file, struct address_space *mapping, loff_t pos, unsigned int len';

export const AddressSpaceOperations = struct('address_space_operations', {
  writepage: fn('int', 'struct page *page, struct writeback_control *wbc'),
  read_folio: fn('int', 'struct file *file, struct folio *folio'),
  writepages: fn('int', 'struct address_space *mapping, struct writeback_control *wbc'),
  dirty_folio: fn('bool', 'struct address_space *mapping, struct folio *folio'),
  readahead: fn('void', 'struct readahead_control *rac'),
  write_begin: fn('int', `${IO}, struct page **pagep, void **fsdata`),
  write_end: fn('int', `${IO}, unsigned int copied, struct page *page, void *fsdata`),
  bmap: fn('sector_t', 'struct address_space *mapping, sector_t block'),
  invalidate_folio: fn('void', 'struct folio *folio, size_t offset, size_t len'),
  release_folio: fn('bool', 'struct folio *folio, gfp_t gfp'),
  free_folio: fn('void', 'struct folio *folio'),
  direct_IO: fn('ssize_t', 'struct kiocb *iocb, struct iov_iter *iter'),
  migrate_folio: fn(
    'int',
    'struct address_space *mapping, struct folio *dst, struct folio *src, enum migrate_mode mode',
  ),
  launder_folio: fn('int', 'struct folio *folio'),
  is_partially_uptodate: fn('bool', 'struct folio *folio, size_t from, size_t count'),
  is_dirty_writeback: fn('void', 'struct folio *folio, bool *dirty, bool *writeback'),
  error_remove_page: fn('int', 'struct address_space *mapping, struct page *page'),
  swap_activate: fn('int', 'struct swap_info_struct *sis, struct file *file, sector_t *span'),
  swap_deactivate: fn('void', 'struct file *file'),
  swap_rw: fn('int', 'struct kiocb *iocb, struct iov_iter *iter'),
});
