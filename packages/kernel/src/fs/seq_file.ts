// SPDX-License-Identifier: MIT
/**
 * Files that are made record by record: a module says where to start, what comes next and how a record looks, and
 * here the text is collected in a buffer and given to readers piece by piece.
 *
 *     read → start(pos) → show, next, show, next, … until the reader's buffer is full → stop
 *
 * A record that does not fit doubles the buffer and is shown again.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EFAULT, EINVAL, ENOMEM } from '../lib/errno.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { objectAt } from './c_pointers.js';
import type { FsDeps, Next } from './fs_context.js';
import { File, SeqFile, SeqOperations } from './fs_types.js';
import { iterReader, plainReader, type Reader } from './readers.js';
import type { Staged } from './staged.js';

const SEQ_SKIP = 1;
const MAX_BUFFER = 4 * 2 ** 20;
/** Stages of reading, in the order in which they come; then those of going over records. */
const STARTED = 1;
const SHOWN = 2;
const ADVANCED = 3;
const STOPPED = 4;
const PASS_STARTED = 5;
const PASS_SHOWN = 6;
const PASS_ADVANCED = 7;
const PASS_STOPPED = 8;
const PASS_OVERFLOWN = 9;
/** Words of the call: the record, the place to seek, bytes copied, result, text before the record, gone over, wanted. */
const RECORD = 0;
const OFFSET = 1;
const COPIED = 2;
const RESULT = 3;
const BEFORE = 4;
const PASSED = 5;
const WANTED = 6;

export class SeqFiles {
  constructor(
    private readonly deps: FsDeps,
    private readonly staged: Staged,
  ) {
    const [plain, iter] = [plainReader(deps, staged), iterReader(deps, staged)];
    staged.add('seq_read', 'l:ppzp', (call, stage, result) => this.read(call, plain, stage, result));
    staged.add('seq_read_iter', 'l:pp', (call, stage, result) => this.read(call, iter, stage, result));
    staged.add('seq_lseek', 'l:pli', (call, stage, result) => this.lseek(call, stage, result));
  }

  private at(m: Handle) {
    return SeqFile.at(this.deps.ram, m);
  }

  private file(file: Vaddr) {
    return File.at(this.deps.ram, this.deps.ram.handleOf(file));
  }

  private op(m: Handle, name: keyof typeof SeqOperations.o): Vaddr {
    return readS64(this.deps, this.at(m).op + SeqOperations.o[name]);
  }

  // ---------------------------------------------------------------- reading

  /**
   * A stage of a read. Where it was begun at another place than the last one ended, the records before that place are
   * gone through first.
   * @linux fs/seq_file.c:seq_read_iter full
   */
  private read(call: Handle, to: Reader, stage: number, result: number): Next {
    const m = this.recordOf(to.file(call));
    switch (stage) {
      case 0:
        return this.begin(call, to, m);
      case STARTED:
      case ADVANCED:
        return this.record(call, m, result);
      case SHOWN:
        return this.shown(call, m, result);
      case STOPPED:
        return this.finish(call, to, m);
      default:
        return this.traverse(call, m, stage, result, (error) => this.sought(call, to, m, error));
    }
  }

  private recordOf(file: Vaddr): Handle {
    return objectAt(this.deps, this.file(file).private_data, SeqFile.size);
  }

  private begin(call: Handle, to: Reader, m: Handle): Next {
    const { staged } = this;
    const seq = this.at(m);
    const pos = to.position(call);
    staged.setWord(call, WANTED, to.count(call));
    staged.setWord(call, COPIED, 0);
    staged.setWord(call, RESULT, 0);
    if (pos === 0) {
      seq.index = 0;
      seq.count = 0;
    }
    if (pos === seq.read_pos || pos === 0) return this.sought(call, to, m, 0);
    return this.traverseFrom(call, m, pos, (error) => this.sought(call, to, m, error));
  }

  /** The record stands where reading begins. */
  private sought(call: Handle, to: Reader, m: Handle, error: number): Next {
    const { deps, staged } = this;
    const seq = this.at(m);
    if (error !== 0) {
      seq.read_pos = 0;
      seq.index = 0;
      seq.count = 0;
      return error;
    }
    seq.read_pos = to.position(call);
    if (seq.buf === 0) {
      seq.size = PAGE_SIZE;
      seq.buf = deps.kmalloc(PAGE_SIZE);
      if (seq.buf === 0) return -ENOMEM;
    }
    const bad = this.give(call, to, m);
    if (bad !== 0) return bad;
    if (seq.count > 0 || staged.word(call, WANTED) === staged.word(call, COPIED))
      return this.finish(call, to, m);
    seq.from = 0;
    return this.start(m, STARTED);
  }

  private start(m: Handle, stage: number): Next {
    const { ram } = this.deps;
    const place = ram.addressOf(m + SeqFile.w.index);
    return { fn: this.op(m, 'start'), signature: 'p:pp', args: [ram.addressOf(m), place], stage };
  }

  /** A record, NULL or an error pointer has come from start() or next(). */
  private record(call: Handle, m: Handle, record: Vaddr): Next {
    const { staged } = this;
    staged.setWord(call, RECORD, record);
    if (record === 0 || (record < 0 && record >= -4095)) {
      if (record !== 0) staged.setWord(call, RESULT, record);
      return this.stop(m, record, STOPPED);
    }
    const full = staged.word(call, WANTED) - staged.word(call, COPIED);
    if (this.at(m).count >= full) return this.stop(m, record, STOPPED);
    staged.setWord(call, BEFORE, this.at(m).count);
    return this.show(m, record, SHOWN);
  }

  private show(m: Handle, record: Vaddr, stage: number): Next {
    return {
      fn: this.op(m, 'show'),
      signature: 'i:pp',
      args: [this.deps.ram.addressOf(m), record],
      stage,
    };
  }

  private shown(call: Handle, m: Handle, result: number): Next {
    const { staged } = this;
    const seq = this.at(m);
    const record = staged.word(call, RECORD);
    const before = staged.word(call, BEFORE);
    if (result < 0) {
      seq.count = before;
      staged.setWord(call, RESULT, result);
      return this.stop(m, record, STOPPED);
    }
    if (result === SEQ_SKIP) seq.count = before;
    if (seq.count >= seq.size) {
      // It does not fit. What was collected before goes first; alone, it gets a larger buffer.
      seq.count = before;
      if (before === 0 && !this.grow(m)) staged.setWord(call, RESULT, -ENOMEM);
      else if (before === 0) return this.record(call, m, record);
      return this.stop(m, record, STOPPED);
    }
    return this.next(m, record, ADVANCED);
  }

  private next(m: Handle, record: Vaddr, stage: number): Next {
    const { ram } = this.deps;
    const place = ram.addressOf(m + SeqFile.w.index);
    return { fn: this.op(m, 'next'), signature: 'p:ppp', args: [ram.addressOf(m), record, place], stage };
  }

  private grow(m: Handle): boolean {
    const seq = this.at(m);
    const size = seq.size * 2;
    const buf = size > MAX_BUFFER ? 0 : this.deps.kmalloc(size);
    if (buf === 0) return false;
    this.deps.kfree(seq.buf);
    seq.buf = buf;
    seq.size = size;
    return true;
  }

  private stop(m: Handle, record: Vaddr, stage: number): Next {
    const args = [this.deps.ram.addressOf(m), record];
    return { fn: this.op(m, 'stop'), signature: 'v:pp', args, stage };
  }

  /** Copies collected text to the reader. */
  private give(call: Handle, to: Reader, m: Handle): number {
    const { staged } = this;
    const seq = this.at(m);
    const copied = staged.word(call, COPIED);
    const n = Math.min(seq.count, staged.word(call, WANTED) - copied);
    if (n <= 0) return 0;
    if (to.copy(call, seq.buf + seq.from, n, copied) !== n) return copied > 0 ? 0 : -EFAULT;
    seq.count -= n;
    seq.from += n;
    staged.setWord(call, COPIED, copied + n);
    return 0;
  }

  private finish(call: Handle, to: Reader, m: Handle): Next {
    const { staged } = this;
    const bad = this.give(call, to, m);
    const copied = staged.word(call, COPIED);
    if (bad !== 0) return bad;
    if (copied === 0) return staged.word(call, RESULT);
    to.move(call, to.position(call) + copied);
    this.at(m).read_pos = to.position(call);
    return copied;
  }

  // ---------------------------------------------------------------- seeking

  /**
   * Goes through the records from the first until so many bytes of text lie behind.
   * @linux fs/seq_file.c:traverse full
   */
  private traverseFrom(call: Handle, m: Handle, offset: number, then: (error: number) => Next): Next {
    const { deps, staged } = this;
    const seq = this.at(m);
    seq.index = 0;
    seq.count = 0;
    seq.from = 0;
    staged.setWord(call, OFFSET, offset);
    staged.setWord(call, PASSED, 0);
    staged.setWord(call, RESULT, 0);
    if (offset === 0) return then(0);
    if (seq.buf === 0) {
      seq.size = PAGE_SIZE;
      seq.buf = deps.kmalloc(PAGE_SIZE);
      if (seq.buf === 0) return then(-ENOMEM);
    }
    return this.start(m, PASS_STARTED);
  }

  private traverse(
    call: Handle,
    m: Handle,
    stage: number,
    result: number,
    then: (error: number) => Next,
  ): Next {
    const { staged } = this;
    switch (stage) {
      case PASS_STARTED:
      case PASS_ADVANCED:
        return this.passed(call, m, stage, result);
      case PASS_SHOWN:
        return this.passing(call, m, result);
      case PASS_OVERFLOWN:
        if (!this.grow(m)) return then(-ENOMEM);
        return this.traverseFrom(call, m, staged.word(call, OFFSET), then);
      default: {
        const error = staged.word(call, RESULT);
        staged.setWord(call, RESULT, 0);
        return then(error);
      }
    }
  }

  /** A record has come that is to be gone over; before it, the text of the last one. */
  private passed(call: Handle, m: Handle, stage: number, record: Vaddr): Next {
    const { staged } = this;
    const seq = this.at(m);
    staged.setWord(call, RECORD, record);
    if (stage === PASS_ADVANCED) {
      const offset = staged.word(call, OFFSET);
      const pos = staged.word(call, PASSED);
      if (pos + seq.count > offset) {
        seq.from = offset - pos;
        seq.count -= seq.from;
        return this.stop(m, record, PASS_STOPPED);
      }
      staged.setWord(call, PASSED, pos + seq.count);
      seq.count = 0;
      if (staged.word(call, PASSED) === offset) return this.stop(m, record, PASS_STOPPED);
    }
    if (record === 0) return this.stop(m, record, PASS_STOPPED);
    if (record < 0 && record >= -4095) {
      staged.setWord(call, RESULT, record);
      return this.stop(m, record, PASS_STOPPED);
    }
    return this.show(m, record, PASS_SHOWN);
  }

  private passing(call: Handle, m: Handle, result: number): Next {
    const { staged } = this;
    const seq = this.at(m);
    const record = staged.word(call, RECORD);
    if (result < 0) {
      staged.setWord(call, RESULT, result);
      return this.stop(m, record, PASS_STOPPED);
    }
    if (result !== 0) seq.count = 0;
    if (seq.count >= seq.size) {
      seq.count = 0;
      return this.stop(m, record, PASS_OVERFLOWN);
    }
    return this.next(m, record, PASS_ADVANCED);
  }

  /** @linux fs/seq_file.c:seq_lseek full */
  private lseek(call: Handle, stage: number, result: number): Next {
    const { staged } = this;
    const file = staged.arg(call, 0);
    const m = this.recordOf(file);
    const seq = this.at(m);
    if (stage !== 0) return this.traverse(call, m, stage, result, (error) => this.soughtTo(call, m, error));
    const [offset, whence] = [staged.arg(call, 1), staged.arg(call, 2)];
    const target = whence === 1 ? this.file(file).f_pos + offset : offset;
    if ((whence !== 0 && whence !== 1) || target < 0) return -EINVAL;
    staged.setWord(call, OFFSET, target);
    if (target === seq.read_pos) return this.soughtTo(call, m, 0);
    return this.traverseFrom(call, m, target, (error) => this.soughtTo(call, m, error));
  }

  private soughtTo(call: Handle, m: Handle, error: number): number {
    const { staged } = this;
    const seq = this.at(m);
    const f = this.file(staged.arg(call, 0));
    const target = error === 0 ? staged.word(call, OFFSET) : 0;
    if (error !== 0) {
      seq.index = 0;
      seq.count = 0;
    }
    seq.read_pos = target;
    f.f_pos = target;
    return error === 0 ? target : error;
  }

  // ---------------------------------------------------------------- opening

  /** @linux fs/seq_file.c:seq_open full */
  open(file: Vaddr, op: Vaddr): number {
    const { deps } = this;
    const address = deps.kmalloc(SeqFile.size);
    if (address === 0) return -ENOMEM;
    const m = deps.ram.handleOf(address);
    deps.ram.fill(m * 4, SeqFile.size, 0);
    const seq = this.at(m);
    seq.op = op;
    seq.file = deps.ram.handleOf(file);
    this.file(file).private_data = address;
    return 0;
  }

  /** @linux fs/seq_file.c:single_open_size full */
  singleOpen(file: Vaddr, show: Vaddr, data: Vaddr, size = 0): number {
    const { deps } = this;
    const ops = deps.kmalloc(SeqOperations.size);
    if (ops === 0) return -ENOMEM;
    const put = (name: keyof typeof SeqOperations.o, fn: Vaddr) =>
      deps.ram.set64(deps.ram.handleOf(ops) + SeqOperations.o[name] / 4, fn);
    put('start', deps.symbol('single_start'));
    put('next', deps.symbol('single_next'));
    put('stop', deps.symbol('single_stop'));
    put('show', show);
    const error = this.open(file, ops);
    if (error !== 0) {
      deps.kfree(ops);
      return error;
    }
    const seq = this.of(file);
    seq.private = data;
    if (size > 0) {
      seq.buf = deps.kmalloc(size);
      seq.size = seq.buf === 0 ? 0 : size;
    }
    return 0;
  }

  /** The record of a read in an open file. */
  of(file: Vaddr) {
    return this.at(this.deps.ram.handleOf(this.file(file).private_data));
  }

  /** @linux fs/seq_file.c:seq_release full */
  release(file: Vaddr): number {
    const seq = this.of(file);
    this.deps.kfree(seq.buf);
    this.deps.kfree(this.file(file).private_data);
    return 0;
  }

  openPrivate(file: Vaddr, op: Vaddr, bytes: number): Vaddr {
    const { deps } = this;
    const data = deps.kmalloc(bytes);
    if (data === 0) return 0;
    deps.guest.write(data, new Uint8Array(bytes));
    if (this.open(file, op) < 0) {
      deps.kfree(data);
      return 0;
    }
    this.of(file).private = data;
    return data;
  }

  // ---------------------------------------------------------------- lists

  /** The element at a position of a list; with `head` the head itself comes first. */
  private listStart(head: Vaddr, pos: number, withHead: boolean): Vaddr {
    if (withHead && pos === 0) return head;
    let left = withHead ? pos - 1 : pos;
    for (let node = readS64(this.deps, head); node !== head; node = readS64(this.deps, node))
      if (left-- === 0) return node;
    return 0;
  }

  private step(ppos: Vaddr): void {
    writeS64(this.deps, ppos, readS64(this.deps, ppos) + 1);
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      seq_open: ['i:pp', (file: Vaddr, op: Vaddr) => this.open(file, op)],
      seq_release: ['i:pp', (_inode: Vaddr, file: Vaddr) => this.release(file)],
      single_open: ['i:ppp', (file: Vaddr, show: Vaddr, data: Vaddr) => this.singleOpen(file, show, data)],
      single_open_size: [
        'i:pppz',
        (file: Vaddr, show: Vaddr, data: Vaddr, size: number) => this.singleOpen(file, show, data, size),
      ],
      single_release: [
        'i:pp',
        (_inode: Vaddr, file: Vaddr) => {
          deps.kfree(this.of(file).op);
          return this.release(file);
        },
      ],
      single_start: ['p:pp', (_m: Vaddr, ppos: Vaddr) => (readS64(deps, ppos) === 0 ? 1 : 0)],
      single_next: [
        'p:ppp',
        (_m: Vaddr, _v: Vaddr, ppos: Vaddr) => {
          this.step(ppos);
          return 0;
        },
      ],
      single_stop: ['v:pp', () => undefined],
      __seq_open_private: ['p:ppi', (file: Vaddr, op: Vaddr, n: number) => this.openPrivate(file, op, n)],
      seq_open_private: [
        'i:ppi',
        (file: Vaddr, op: Vaddr, n: number) => (this.openPrivate(file, op, n) === 0 ? -ENOMEM : 0),
      ],
      seq_release_private: [
        'i:pp',
        (_inode: Vaddr, file: Vaddr) => {
          deps.kfree(this.of(file).private);
          return this.release(file);
        },
      ],
      seq_list_start: ['p:pl', (head: Vaddr, pos: number) => this.listStart(head, pos, false)],
      seq_list_start_head: ['p:pl', (head: Vaddr, pos: number) => this.listStart(head, pos, true)],
      seq_list_next: [
        'p:ppp',
        (node: Vaddr, head: Vaddr, ppos: Vaddr) => {
          this.step(ppos);
          const next = readS64(deps, node);
          return next === head ? 0 : next;
        },
      ],
      seq_hlist_start: [
        'p:pl',
        (head: Vaddr, pos: number) => {
          let node = readS64(deps, head);
          for (let left = pos; node !== 0 && left > 0; left--) node = readS64(deps, node);
          return node;
        },
      ],
      seq_hlist_next: [
        'p:ppp',
        (node: Vaddr, head: Vaddr, ppos: Vaddr) => {
          this.step(ppos);
          return readS64(deps, node === 1 ? head : node);
        },
      ],
    };
  }
}
