// SPDX-License-Identifier: MIT
/** Reading and writing attributes: one page of text, made by show() when the file is read from its start. */

import { EFAULT, EINVAL, EIO, ENOMEM } from '../../lib/errno.js';
import { readS64, writeS64 } from '../../lib/guest_access.js';
import { iterCount } from '../../lib/iov_iter.js';
import type { Kobjects } from '../../lib/kobject.js';
import { KobjType, SysfsOps } from '../../lib/kobject_types.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { objectAt } from '../c_pointers.js';
import type { FileTable } from '../file_table.js';
import type { FsDeps, Next } from '../fs_context.js';
import { File, Kiocb, SeqFile } from '../fs_types.js';
import type { Kernfs } from '../kernfs/kernfs.js';
import { copyInIter, copyOutIter } from '../readers.js';
import type { Staged } from '../staged.js';

/** Offsets of show and store in kobj_attribute, device_attribute and class_attribute. */
const SHOW = 16;
const STORE = 24;
/** Functions of sysfs_ops that only call the attribute's own. */
const DIRECT = new Set(['kobj_attr_show', 'kobj_attr_store', 'dev_attr_show', 'dev_attr_store']);

export class SysfsFiles {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly files: FileTable,
    private readonly kobjects: Kobjects,
    private readonly staged: Staged,
  ) {
    staged.add('kernfs_fop_read_iter', 'l:pp', (call, stage, result) => this.read(call, stage, result));
    staged.add('kernfs_fop_write_iter', 'l:pp', (call, stage, result) => this.write(call, stage, result));
  }

  private nodeOf(call: Handle) {
    return this.tree.at(this.files.nodeOf(this.fileOf(call)));
  }

  private fileOf(call: Handle): Handle {
    const file = readS64(this.deps, this.staged.arg(call, 0) + Kiocb.o.ki_filp);
    return objectAt(this.deps, file, File.size);
  }

  /** The function that shows or stores an attribute: the attribute's own, if sysfs_ops only passes the call on. */
  private method(kobj: Vaddr, attr: Vaddr, store: boolean): { fn: Vaddr; object: Vaddr } {
    const { deps } = this;
    const ktype = this.kobjects.get(kobj, 'ktype');
    const ops = ktype === 0 ? 0 : readS64(deps, ktype + KobjType.o.sysfs_ops);
    if (ops === 0) return { fn: 0, object: 0 };
    const fn = readS64(deps, ops + (store ? SysfsOps.o.store : SysfsOps.o.show));
    for (const name of DIRECT)
      if (fn === deps.symbol(name)) return { fn: readS64(deps, attr + (store ? STORE : SHOW)), object: kobj };
    if (fn === deps.symbol('class_attr_show') || fn === deps.symbol('class_attr_store'))
      return { fn: readS64(deps, attr + (store ? STORE : SHOW)), object: this.classOf(kobj) };
    return { fn, object: kobj };
  }

  /** The class whose folder a kobject is. */
  classOf: (kobj: Vaddr) => Vaddr = () => 0;

  /** The buffer of an open file, made at the first read; 0 if there is no memory. */
  private buffer(file: Handle): Handle {
    const { deps } = this;
    const f = this.files.file(file);
    if (f.private_data !== 0) return deps.ram.handleOf(f.private_data);
    const record = deps.kmalloc(SeqFile.size);
    const page = record === 0 ? 0 : deps.kmalloc(PAGE_SIZE);
    if (page === 0) {
      if (record !== 0) deps.kfree(record);
      return 0;
    }
    const m = deps.ram.handleOf(record);
    deps.ram.fill(m * 4, SeqFile.size, 0);
    SeqFile.at(deps.ram, m).buf = page;
    f.private_data = record;
    return m;
  }

  /** @linux fs/kernfs/file.c:kernfs_fop_read_iter full */
  private read(call: Handle, stage: number, result: number): Next {
    const { deps, staged } = this;
    const file = this.fileOf(call);
    const iocb = staged.arg(call, 0);
    const m = this.buffer(file);
    if (m === 0) return -ENOMEM;
    const seq = SeqFile.at(deps.ram, m);
    const pos = readS64(deps, iocb + Kiocb.o.ki_pos);
    if (stage === 0 && (pos === 0 || seq.index === 0)) {
      const { priv, attr } = this.nodeOf(call);
      const { fn, object } = this.method(priv, attr, false);
      if (fn === 0) return -EIO;
      deps.guest.write(seq.buf, new Uint8Array(PAGE_SIZE));
      return { fn, signature: 'l:ppp', args: [object, attr, seq.buf], stage: 1 };
    }
    if (stage === 1) {
      if (result < 0) return result;
      if (result >= PAGE_SIZE) deps.env.log.log(3, 'fill_read_buffer: show() returned bad count');
      seq.count = Math.min(result, PAGE_SIZE - 1);
      seq.index = 1;
    }
    return copyOutIter(deps, seq.buf, seq.count, iocb, staged.arg(call, 1));
  }

  /** @linux fs/kernfs/file.c:kernfs_fop_write_iter full */
  private write(call: Handle, stage: number, result: number): Next {
    const { deps, staged } = this;
    if (stage === 1) {
      deps.kfree(staged.word(call, 0));
      const ppos = staged.arg(call, 0) + Kiocb.o.ki_pos;
      if (result > 0) writeS64(deps, ppos, readS64(deps, ppos) + result);
      return result;
    }
    const { priv, attr } = this.nodeOf(call);
    const { fn, object } = this.method(priv, attr, true);
    const length = Math.min(iterCount(deps, staged.arg(call, 1)), PAGE_SIZE - 1);
    if (fn === 0) return -EIO;
    if (length === 0) return 0;
    const buffer = copyInIter(deps, length, staged.arg(call, 1));
    if (buffer < 0 && buffer > -4096) return buffer;
    staged.setWord(call, 0, buffer);
    return { fn, signature: 'l:pppz', args: [object, attr, buffer, length], stage: 1 };
  }

  /** Frees the buffer of an open attribute. */
  release(file: Handle): void {
    const { deps } = this;
    const f = this.files.file(file);
    if (f.private_data === 0) return;
    deps.kfree(SeqFile.at(deps.ram, deps.ram.handleOf(f.private_data)).buf);
    deps.kfree(f.private_data);
    f.private_data = 0;
  }
}

/** Copies from a kernel buffer to user space at *ppos, as read() does. */
export function copyOut(
  deps: FsDeps,
  from: Vaddr,
  available: number,
  to: Vaddr,
  count: number,
  ppos: Vaddr,
): number {
  const pos = readS64(deps, ppos);
  const n = Math.min(count, available - pos);
  if (pos < 0 || n <= 0) return pos < 0 ? -EINVAL : 0;
  const missing = deps.user.copyTo(to, from + pos, n);
  if (missing === n) return -EFAULT;
  writeS64(deps, ppos, pos + n - missing);
  return n - missing;
}

/** A kmalloc'ed copy of user bytes with a NUL behind; a negative errno if there is none. */
export function copyIn(deps: FsDeps, from: Vaddr, count: number): Vaddr {
  const buffer = deps.kmalloc(count + 1);
  if (buffer === 0) return -ENOMEM;
  if (deps.user.copyFrom(buffer, from, count) !== 0) {
    deps.kfree(buffer);
    return -EFAULT;
  }
  deps.guest.write(buffer + count, Uint8Array.of(0));
  return buffer;
}
