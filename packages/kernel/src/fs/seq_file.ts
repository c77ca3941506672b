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
import { EFAULT, EINVAL, EIO, ENOMEM } from '../lib/errno.js';
import { readCString, readS64, writeS64 } from '../lib/guest_access.js';
import { hexDumpLine, hexDumpShape } from '../lib/hexdump.js';
import { encodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { FsDeps, Next } from './fs_context.js';
import { File, SeqFile, SeqOperations } from './fs_types.js';
import type { Staged } from './staged.js';

const SEQ_SKIP = 1;
const MAX_BUFFER = 4 * 2 ** 20;
/** Stages of reading, in the order in which they come. */
const STARTED = 1;
const SHOWN = 2;
const ADVANCED = 3;
const STOPPED = 4;
/** Words of the call: the record, the index before it, bytes copied, result, text before the record, refilling. */
const RECORD = 0;
const COPIED = 2;
const RESULT = 3;
const BEFORE = 4;

export class SeqFiles {
  constructor(
    private readonly deps: FsDeps,
    private readonly staged: Staged,
  ) {
    staged.add('seq_read', 'l:ppzp', (call, stage, result) => this.read(call, stage, result));
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

  /** @linux fs/seq_file.c:seq_read partial: positions between reads are not looked up again after pread */
  private read(call: Handle, stage: number, result: number): Next {
    const { deps, staged } = this;
    const m = deps.ram.handleOf(this.file(staged.arg(call, 0)).private_data);
    if (m === 0) return -EINVAL;
    switch (stage) {
      case 0:
        return this.begin(call, m);
      case STARTED:
        return this.record(call, m, result);
      case SHOWN:
        return this.shown(call, m, result);
      case ADVANCED:
        return this.record(call, m, result);
      default:
        return this.finish(call, m);
    }
  }

  private begin(call: Handle, m: Handle): Next {
    const { deps, staged } = this;
    const seq = this.at(m);
    const pos = readS64(deps, staged.arg(call, 3));
    if (pos === 0) {
      seq.index = 0;
      seq.count = 0;
      seq.from = 0;
    } else if (pos !== seq.read_pos) return -EINVAL;
    if (seq.buf === 0) {
      seq.size = PAGE_SIZE;
      seq.buf = deps.kmalloc(PAGE_SIZE);
      if (seq.buf === 0) return -ENOMEM;
    }
    staged.setWord(call, COPIED, 0);
    staged.setWord(call, RESULT, 0);
    const bad = this.give(call, m);
    if (bad !== 0) return bad;
    if (seq.count > 0 || staged.arg(call, 2) === staged.word(call, COPIED)) return this.finish(call, m);
    seq.from = 0;
    return this.start(m);
  }

  private start(m: Handle): Next {
    const { ram } = this.deps;
    const place = ram.addressOf(m + SeqFile.w.index);
    return { fn: this.op(m, 'start'), signature: 'p:pp', args: [ram.addressOf(m), place], stage: STARTED };
  }

  /** A record, NULL or an error pointer has come from start() or next(). */
  private record(call: Handle, m: Handle, record: Vaddr): Next {
    const { deps, staged } = this;
    staged.setWord(call, RECORD, record);
    if (record === 0 || (record < 0 && record >= -4095)) {
      if (record !== 0) staged.setWord(call, RESULT, record);
      return this.stop(m, record);
    }
    const full = staged.arg(call, 2) - staged.word(call, COPIED);
    if (this.at(m).count >= full) return this.stop(m, record);
    staged.setWord(call, BEFORE, this.at(m).count);
    const args = [deps.ram.addressOf(m), record];
    return { fn: this.op(m, 'show'), signature: 'i:pp', args, stage: SHOWN };
  }

  private shown(call: Handle, m: Handle, result: number): Next {
    const { deps, staged } = this;
    const seq = this.at(m);
    const record = staged.word(call, RECORD);
    const before = staged.word(call, BEFORE);
    if (result < 0) {
      seq.count = before;
      staged.setWord(call, RESULT, result);
      return this.stop(m, record);
    }
    if (result === SEQ_SKIP) seq.count = before;
    if (seq.count >= seq.size) {
      // It does not fit. What was collected before goes first; alone, it gets a larger buffer.
      seq.count = before;
      if (before === 0 && !this.grow(m)) staged.setWord(call, RESULT, -ENOMEM);
      else if (before === 0) return this.record(call, m, record);
      return this.stop(m, record);
    }
    const place = deps.ram.addressOf(m + SeqFile.w.index);
    const args = [deps.ram.addressOf(m), record, place];
    return { fn: this.op(m, 'next'), signature: 'p:ppp', args, stage: ADVANCED };
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

  private stop(m: Handle, record: Vaddr): Next {
    const args = [this.deps.ram.addressOf(m), record];
    return { fn: this.op(m, 'stop'), signature: 'v:pp', args, stage: STOPPED };
  }

  /** Copies collected text to the reader. */
  private give(call: Handle, m: Handle): number {
    const { deps, staged } = this;
    const seq = this.at(m);
    const copied = staged.word(call, COPIED);
    const n = Math.min(seq.count, staged.arg(call, 2) - copied);
    if (n <= 0) return 0;
    if (deps.user.copyTo(staged.arg(call, 1) + copied, seq.buf + seq.from, n) !== 0)
      return copied > 0 ? 0 : -EFAULT;
    seq.count -= n;
    seq.from += n;
    staged.setWord(call, COPIED, copied + n);
    return 0;
  }

  private finish(call: Handle, m: Handle): Next {
    const { deps, staged } = this;
    const bad = this.give(call, m);
    const copied = staged.word(call, COPIED);
    if (bad !== 0) return bad;
    if (copied === 0) return staged.word(call, RESULT);
    const ppos = staged.arg(call, 3);
    writeS64(deps, ppos, readS64(deps, ppos) + copied);
    this.at(m).read_pos = readS64(deps, ppos);
    return copied;
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

  // ---------------------------------------------------------------- writing records

  /** Adds text to the record; what does not fit makes the buffer count as full. */
  private put(m: Vaddr, bytes: Uint8Array): number {
    const seq = this.at(this.deps.ram.handleOf(m));
    if (seq.count + bytes.length >= seq.size) {
      seq.count = seq.size;
      return -1;
    }
    this.deps.guest.write(seq.buf + seq.count, bytes);
    seq.count += bytes.length;
    return 0;
  }

  private printf(m: Vaddr, fmt: Vaddr, args: Vaddr): undefined {
    const seq = this.at(this.deps.ram.handleOf(m));
    const room = seq.size - seq.count;
    this.put(m, this.deps.format(fmt, args, room + 1));
  }

  private pad(m: Vaddr, c: number): undefined {
    const seq = this.at(this.deps.ram.handleOf(m));
    const size = seq.pad_until - seq.count;
    if (size > 0) this.put(m, new Uint8Array(Math.min(size, seq.size)).fill(32));
    if (c !== 0) this.put(m, Uint8Array.of(c));
  }

  private number(m: Vaddr, delimiter: Vaddr, value: bigint): undefined {
    if (delimiter !== 0) this.put(m, readCString(this.deps, delimiter));
    this.put(m, encodeUtf8(String(value)));
  }

  /** @linux fs/seq_file.c:seq_hex_dump full */
  private hexDump(
    m: Vaddr,
    prefix: Vaddr,
    type: number,
    row: number,
    group: number,
    buf: Vaddr,
    len: number,
    ascii: boolean,
  ): undefined {
    const size = row === 32 ? 32 : 16;
    const name = String.fromCharCode(...readCString(this.deps, prefix));
    for (let at = 0; at < len; at += size) {
      const n = Math.min(size, len - at);
      const line = hexDumpLine(this.deps.guest.read(buf + at, n), hexDumpShape(n, size, group), ascii);
      const where = type === 2 ? `${at.toString(16).padStart(8, '0')}: ` : '';
      if (this.put(m, encodeUtf8(`${name}${where}${line}\n`)) < 0) return;
    }
  }

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
    const string = (at: Vaddr) => readCString(deps, at);
    return {
      seq_open: ['i:pp', (file: Vaddr, op: Vaddr) => this.open(file, op)],
      seq_release: ['i:pp', (_inode: Vaddr, file: Vaddr) => this.release(file)],
      seq_lseek: ['l:pli', (file: Vaddr, offset: number, whence: number) => this.seek(file, offset, whence)],
      seq_write: ['i:ppz', (m: Vaddr, from: Vaddr, n: number) => this.put(m, deps.guest.read(from, n))],
      seq_vprintf: ['v:ppp', (m: Vaddr, fmt: Vaddr, args: Vaddr) => this.printf(m, fmt, args)],
      seq_printf: ['v:pp…', (m: Vaddr, fmt: Vaddr, args: Vaddr) => this.printf(m, fmt, args)],
      seq_putc: ['v:pi', (m: Vaddr, c: number) => void this.put(m, Uint8Array.of(c))],
      seq_puts: ['v:pp', (m: Vaddr, s: Vaddr) => void this.put(m, string(s))],
      seq_put_decimal_ull: [
        'v:ppq',
        (m: Vaddr, d: Vaddr, n: bigint) => this.number(m, d, BigInt.asUintN(64, n)),
      ],
      seq_put_decimal_ll: [
        'v:ppq',
        (m: Vaddr, d: Vaddr, n: bigint) => this.number(m, d, BigInt.asIntN(64, n)),
      ],
      seq_pad: ['v:pi', (m: Vaddr, c: number) => this.pad(m, c)],
      seq_hex_dump: [
        'v:ppiiipzb',
        (
          m: Vaddr,
          prefix: Vaddr,
          type: number,
          row: number,
          group: number,
          buf: Vaddr,
          len: number,
          ascii: boolean,
        ) => this.hexDump(m, prefix, type, row, group, buf, len, ascii),
      ],
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

  /** Back to the start only: other places are read up to. @linux fs/seq_file.c:seq_lseek partial: only to the start or the present position */
  private seek(file: Vaddr, offset: number, whence: number): number {
    const f = this.file(file);
    const target = whence === 1 ? f.f_pos + offset : offset;
    if (whence > 1 || target < 0) return -EINVAL;
    if (target !== 0 && target !== f.f_pos) return -EIO;
    f.f_pos = target;
    if (target === 0) this.of(file).read_pos = 0;
    return target;
  }
}
