// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSpace, Inode } from '../fs/fs_types.js';
import { EFAULT, EFBIG, EINVAL, ENOMEM } from '../lib/errno.js';
import { readBytes, writeBytes } from '../lib/guest_access.js';
import { type Handle, PAGE_SIZE } from '../machine/layout.js';
import { checkPageAllocator } from './debug_vm.js';
import { IOCB_APPEND, IOCB_NOWAIT } from './filemap_io.js';
import {
  mappingOf,
  OpenTestFile,
  type PageCacheMachine,
  pageCacheMachine,
  userMemory,
} from './filemap_testing.js';
import { GFP_KERNEL } from './gfp.js';
import { Page, PG_dirty, PG_referenced, PG_uptodate, pageFlag } from './page.js';
import { truncateRange } from './truncate.js';
import { nodeStatItem } from './vmstat.js';

const NR_FILE_PAGES = nodeStatItem('nr_file_pages');
const filePages = (m: PageCacheMachine) => m.mm.stat.globalNodePageState(NR_FILE_PAGES);
const freePages = (m: PageCacheMachine) => {
  for (const cache of m.slub.caches()) m.slub.kmemCacheShrink(cache);
  return m.mm.freePageCount();
};

/** Walks the tree, and compares it with all that counts pages. */
function checkCache(m: PageCacheMachine, ...inodes: readonly Handle[]): void {
  let all = 0;
  for (const inode of inodes) {
    const mapping = mappingOf(inode);
    let last = -1;
    let n = 0;
    for (const page of m.cache.pagesOf(mapping)) {
      const index = m.env.ram.u64(page + Page.w.index);
      expect(index).toBeGreaterThan(last);
      expect(m.cache.pageMapping(page)).toBe(mapping);
      expect(m.env.ram.i32[page + Page.w._refcount]).toBe(1);
      last = index;
      n++;
    }
    expect(m.cache.nrPages(mapping)).toBe(n);
    all += n;
  }
  expect(filePages(m)).toBe(all);
  checkPageAllocator(m.mm);
}

/** The file as it should be: bytes at places, zeros elsewhere. */
class Model {
  private bytes = new Map<number, number>();
  size = 0;

  write(pos: number, data: Uint8Array): void {
    data.forEach((byte, i) => {
      this.bytes.set(pos + i, byte);
    });
    if (data.length > 0) this.size = Math.max(this.size, pos + data.length);
  }

  read(pos: number, count: number): number[] {
    const n = Math.max(0, Math.min(count, this.size - pos));
    return Array.from({ length: n }, (_, i) => this.bytes.get(pos + i) ?? 0);
  }

  punch(start: number, end: number): void {
    for (const at of this.bytes.keys()) if (at >= start && at < end) this.bytes.delete(at);
  }

  truncate(size: number): void {
    this.punch(size, Number.POSITIVE_INFINITY);
    this.size = size;
  }
}

/** Places near page borders, near the borders of tree nodes, and very far out. */
const position = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 63, 64, 65, 4095, 4096, 2 ** 18, 2 ** 31, 2 ** 40),
    fc.integer({ min: -40, max: 5000 }),
  )
  .map(([page, offset]) => Math.max(0, page * PAGE_SIZE + offset));
const length = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3 * PAGE_SIZE }));
const operation = fc.oneof(
  fc.record({
    kind: fc.constantFrom('write', 'writeIter', 'append'),
    pos: position,
    n: length,
    seed: fc.nat(255),
  }),
  fc.record({
    kind: fc.constantFrom('read', 'readIter', 'truncate', 'punch'),
    pos: position,
    n: length,
    seed: fc.nat(255),
  }),
);

/** Does the same to a file and to its model, in one of several ways. */
function perform(
  m: PageCacheMachine,
  inode: Handle,
  model: Model,
  buffer: number,
  op: { kind: string; pos: number; n: number; seed: number },
): void {
  const { cache, env } = m;
  const mapping = mappingOf(inode);
  const data = Uint8Array.from({ length: op.n }, (_, i) => op.seed + i);
  const file = new OpenTestFile(m, inode);
  const half = op.n >> 1;
  const iter = () =>
    file.over(
      { at: buffer, bytes: half },
      { at: buffer + 16384, bytes: 0 },
      { at: buffer + half, bytes: op.n - half },
    );
  if (op.kind === 'write') {
    expect(cache.writeBytes(mapping, op.pos, data)).toBe(op.n);
    model.write(op.pos, data);
  } else if (op.kind === 'writeIter' || op.kind === 'append') {
    const append = op.kind === 'append';
    const pos = append ? model.size : op.pos;
    writeBytes(env, buffer, data);
    file.seek(op.pos, append ? IOCB_APPEND : 0);
    expect(cache.genericFileWriteIter(file.iocb, iter())).toBe(op.n);
    if (op.n > 0) expect(file.pos).toBe(pos + op.n);
    model.write(pos, data);
  } else if (op.kind === 'read') {
    expect([...cache.readBytes(mapping, model.size, op.pos, op.n)]).toEqual(model.read(op.pos, op.n));
  } else if (op.kind === 'readIter') {
    const wanted = model.read(op.pos, op.n);
    file.seek(op.pos);
    expect(cache.genericFileReadIter(file.iocb, iter())).toBe(wanted.length);
    expect([...readBytes(env, buffer, wanted.length)]).toEqual(wanted);
    expect(file.pos).toBe(op.pos + wanted.length);
  } else if (op.kind === 'truncate') {
    Inode.at(env.ram, inode).i_size = op.pos;
    cache.truncatePages(mapping, op.pos);
    model.truncate(op.pos);
  } else {
    truncateRange(cache, mapping, op.pos, op.pos + op.n);
    model.punch(op.pos, op.pos + op.n);
  }
  file.close();
  expect(Inode.at(env.ram, inode).i_size).toBe(model.size);
}

const MACHINE = pageCacheMachine(32);

describe('a file in memory', () => {
  it('is as a plain list of bytes would be', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 30 }), (operations) => {
        const m = MACHINE;
        const before = freePages(m);
        const inode = m.newInode();
        const buffer = m.slub.kmalloc(32768, GFP_KERNEL);
        const model = new Model();
        for (const op of operations) {
          perform(m, inode, model, buffer, op);
          checkCache(m, inode);
        }
        m.cache.truncateFinal(mappingOf(inode));
        checkCache(m, inode);
        expect(m.nodes()).toBe(0);
        expect(AddressSpace.at(m.env.ram, mappingOf(inode)).flags).toBe(1 << 4);
        m.slub.kfree(buffer);
        m.slub.kfree(m.env.ram.addressOf(inode));
        expect(freePages(m)).toBe(before);
      }),
      { numRuns: 150, seed: 61 },
    );
  });

  it('gets no page for reading a hole', () => {
    const m = pageCacheMachine();
    const inode = m.newInode();
    const mapping = mappingOf(inode);
    m.cache.writeBytes(mapping, 10 * PAGE_SIZE, Uint8Array.of(1));
    expect(m.cache.readBytes(mapping, 10 * PAGE_SIZE + 1, 0, 20 * PAGE_SIZE).length).toBe(10 * PAGE_SIZE + 1);
    expect(m.cache.nrPages(mapping)).toBe(1);
  });

  it('has pages that are up to date and dirty once written, referenced once read', () => {
    const m = pageCacheMachine();
    const inode = m.newInode();
    const { ram } = m.env;
    m.cache.writeBytes(mappingOf(inode), 0, Uint8Array.of(1, 2, 3));
    const [page] = m.cache.pagesOf(mappingOf(inode));
    const flags = () => [PG_uptodate, PG_dirty, PG_referenced].map((bit) => pageFlag(ram, page, bit));
    expect(flags()).toEqual([true, true, false]);
    const file = new OpenTestFile(m, inode);
    const buffer = m.slub.kmalloc(16, GFP_KERNEL);
    m.cache.genericFileReadIter(file.iocb, file.over({ at: buffer, bytes: 2 }));
    expect(flags()).toEqual([true, true, true]);
    // Reading on in the page does not count again.
    ram.i32[page] &= ~(1 << PG_referenced);
    m.cache.genericFileReadIter(file.iocb, file.over({ at: buffer, bytes: 1 }));
    expect(flags()).toEqual([true, true, false]);
    expect(m.cache.genericFileReadIter(file.iocb, file.over({ at: buffer, bytes: 1 }))).toBe(0);
  });

  it('can be grabbed page by page', () => {
    const m = pageCacheMachine();
    const inode = m.newInode();
    const mapping = mappingOf(inode);
    const page = m.cache.grabCachePage(mapping, 7);
    const start = m.cache.bytesOf(page);
    expect(m.env.ram.u8.subarray(start, start + PAGE_SIZE).every((byte) => byte === 0)).toBe(true);
    expect(m.env.ram.i32[page + Page.w._refcount]).toBe(2);
    expect(m.cache.grabCachePage(mapping, 7)).toBe(page);
    m.cache.putPage(page);
    m.cache.putPage(page);
    checkCache(m, inode);
    m.cache.deleteFromPageCache(page);
    m.cache.deleteFromPageCache(page);
    checkCache(m, inode);
    expect(m.nodes()).toBe(0);
  });
});

describe('limits', () => {
  it('ends where the file system, a task or the kernel ends', () => {
    const m = pageCacheMachine();
    const inode = m.newInode();
    const file = new OpenTestFile(m, inode);
    const buffer = m.slub.kmalloc(64, GFP_KERNEL);
    const write = (pos: number, flags = 0) => {
      file.seek(pos, flags);
      return m.cache.genericFileWriteIter(file.iocb, file.over({ at: buffer, bytes: 64 }));
    };
    expect(write(-1)).toBe(-EINVAL);
    expect(write(0, IOCB_NOWAIT)).toBe(-EINVAL);
    expect(write(Number.MAX_SAFE_INTEGER)).toBe(-EFBIG);
    expect(write(Number.MAX_SAFE_INTEGER - 10)).toBe(10);
    expect(write(2 ** 62)).toBe(-EFBIG);
    let exceeded = 0;
    m.cache.fileSizeLimit = () => 100;
    m.cache.fileSizeExceeded = () => exceeded++;
    expect(write(90)).toBe(10);
    expect(write(100)).toBe(-EFBIG);
    expect(exceeded).toBe(1);
    m.cache.truncateFinal(mappingOf(inode));
    checkCache(m, inode);
  });

  it('stops where memory ends, with what was written', () => {
    const m = pageCacheMachine(8);
    const inode = m.newInode();
    const mapping = mappingOf(inode);
    const file = new OpenTestFile(m, inode);
    const chunk = new Uint8Array(64 * PAGE_SIZE).fill(7);
    const before = freePages(m);
    let pos = 0;
    let n = 0;
    while ((n = m.cache.writeBytes(mapping, pos, chunk)) === chunk.length) pos += n;
    if (n > 0) pos += n;
    expect(m.cache.writeBytes(mapping, pos + PAGE_SIZE, chunk)).toBe(-ENOMEM);
    expect(m.cache.sizeOf(mapping)).toBe(pos);
    expect(filePages(m)).toBe(Math.ceil(pos / PAGE_SIZE));
    expect(m.cache.readBytes(mapping, pos, pos - 10, 20)).toEqual(new Uint8Array(10).fill(7));
    file.seek(pos);
    expect(m.cache.genericFileWriteIter(file.iocb, file.over({ at: file.iter, bytes: 8 }))).toBe(-ENOMEM);
    m.cache.truncatePages(mapping, 0);
    checkCache(m, inode);
    expect(freePages(m)).toBe(before);
  });

  it('leaves a good tree when there is no memory for a node', () => {
    let left = 0;
    const m = pageCacheMachine(16, () => left-- <= 0);
    const inode = m.newInode();
    const mapping = mappingOf(inode);
    for (let nodes = 0; nodes < 12; nodes++)
      for (const index of [0, 1, 64, 5000, 2 ** 30, 2 ** 40]) {
        left = nodes;
        const page = m.cache.findOrCreatePage(mapping, index);
        if (page !== 0) {
          expect(m.cache.findGetPage(mapping, index)).toBe(page);
          m.cache.putPage(page);
          m.cache.putPage(page);
        }
        checkCache(m, inode);
        if (nodes % 3 === 0) m.cache.truncatePages(mapping, 0);
        else if (nodes % 3 === 1) m.cache.truncatePages(mapping, 65 * PAGE_SIZE);
      }
    expect(m.cache.nrPages(mapping)).toBeGreaterThan(0);
    m.cache.truncateFinal(mapping);
    expect(m.nodes()).toBe(0);
    checkCache(m, inode);
  });
});

describe('user memory that ends', () => {
  const END = 6000;
  const start = () => {
    const m = pageCacheMachine();
    const inode = m.newInode();
    const buffer = m.slub.kmalloc(2 * PAGE_SIZE, GFP_KERNEL);
    const file = new OpenTestFile(m, inode);
    Object.assign(m.cache.iter, { user: userMemory(m, buffer, END) });
    return { m, inode, mapping: mappingOf(inode), buffer, file };
  };

  it.each([
    { at: 0, n: 6000, written: 6000, pages: 2 },
    { at: 0, n: 7000, written: 6000, pages: 2 },
    { at: 5990, n: 5000, written: 10, pages: 1 },
    { at: 6000, n: 5000, written: -EFAULT, pages: 0 },
    { at: 1904, n: 5000, written: 4096, pages: 1 },
  ])('a write of $n from $at writes $written', ({ at, n, written, pages }) => {
    const { m, inode, mapping, buffer, file } = start();
    const data = Uint8Array.from({ length: END }, (_, i) => 1 + (i % 255));
    writeBytes(m.env, buffer, data);
    expect(m.cache.genericFileWriteIter(file.iocb, file.overUser(at, n))).toBe(written);
    expect(m.cache.nrPages(mapping)).toBe(pages);
    expect(file.pos).toBe(Math.max(0, written));
    expect(m.cache.sizeOf(mapping)).toBe(Math.max(0, written));
    expect(m.cache.readBytes(mapping, END, 0, Math.max(0, written))).toEqual(
      data.subarray(at, at + Math.max(0, written)),
    );
    // What was not written of a new page is zeros.
    expect(m.cache.readBytes(mapping, 8192, Math.max(0, written), 8192).every((byte) => byte === 0)).toBe(
      true,
    );
    checkCache(m, inode);
  });

  it('a write over what is there keeps what it does not reach', () => {
    const { m, mapping, file } = start();
    m.cache.writeBytes(mapping, 0, new Uint8Array(100).fill(9));
    expect(m.cache.genericFileWriteIter(file.iocb, file.overUser(END - 10, 50))).toBe(10);
    expect(m.cache.readBytes(mapping, 100, 10, 90)).toEqual(new Uint8Array(90).fill(9));
  });

  it.each([
    { at: 0, n: 9000, read: 6000 },
    { at: 5000, n: 9000, read: 1000 },
    { at: 6000, n: 9000, read: -EFAULT },
    { at: 6000, n: 0, read: 0 },
  ])('a read of $n to $at reads $read, of pages and of holes', ({ at, n, read }) => {
    for (const hole of [false, true]) {
      const { m, inode, mapping, file } = start();
      if (!hole) m.cache.writeBytes(mapping, 0, new Uint8Array(20000).fill(5));
      Inode.at(m.env.ram, inode).i_size = 20000;
      expect(m.cache.genericFileReadIter(file.iocb, file.overUser(at, n))).toBe(read);
      expect(file.pos).toBe(Math.max(0, read));
      checkCache(m, inode);
    }
  });
});

it('can be made anew over the same memory', () => {
  const m = pageCacheMachine();
  const inode = m.newInode();
  m.cache.writeBytes(mappingOf(inode), 5000, Uint8Array.of(1, 2, 3));
  const other = m.again();
  expect([...other.readBytes(mappingOf(inode), 5003, 4999, 10)]).toEqual([0, 1, 2, 3]);
  other.truncateFinal(mappingOf(inode));
  checkCache(m, inode);
});

it('is traced as Linux traces it', () => {
  const m = pageCacheMachine();
  const inode = m.newInode();
  Inode.at(m.env.ram, inode).i_ino = 0x1f;
  Inode.at(m.env.ram, inode).i_rdev = (8 << 20) | 1;
  const seen: string[] = [];
  const { addToPageCache, deleteFromPageCache } = m.cache.trace;
  addToPageCache.listen(({ fields }) => seen.push(`add ${addToPageCache.format(fields)}`));
  deleteFromPageCache.listen(({ fields }) => seen.push(`delete ${deleteFromPageCache.format(fields)}`));
  m.cache.writeBytes(mappingOf(inode), 3 * PAGE_SIZE, Uint8Array.of(1));
  const [page] = m.cache.pagesOf(mappingOf(inode));
  const pfn = m.mm.pageToPfn(page).toString(16);
  m.cache.truncateFinal(mappingOf(inode));
  const text = `dev 8:1 ino 0x1f pfn=0x${pfn} ofs=12288 order=0`;
  expect(seen).toEqual([`add ${text}`, `delete ${text}`]);
});
