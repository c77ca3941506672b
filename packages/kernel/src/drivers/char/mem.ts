// SPDX-License-Identifier: MIT
/** Devices of major 1: memory, null, zero, full, random numbers, the log. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { type CharDevices, MINOR, MKDEV } from '../../fs/char_dev.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { File, FileOperations, Inode } from '../../fs/fs_types.js';
import { OperationTables } from '../../fs/op_tables.js';
import { Devkmsg, type DevkmsgServices, KMSG_FOPS } from '../../kernel/printk/devkmsg.js';
import { KernelBug } from '../../lib/env.js';
import { EFAULT, EINVAL, ENOMEM, ENOSPC, ENXIO, EOVERFLOW, EPERM } from '../../lib/errno.js';
import { readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { iterAdvance, iterCount, iterZero } from '../../lib/iov_iter.js';
import type { StaticData } from '../../lib/static_data.js';
import { type Handle, PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import type { Classes } from '../base/class.js';
import type { Devices } from '../base/core.js';
import { Class, Device } from '../base/device_types.js';
import type { Devtmpfs } from '../base/devtmpfs.js';
import { RANDOM_FOPS, randomFileExports, URANDOM_FOPS } from './random.js';

const MEM_MAJOR = 1;
const MEM_MINORS = 256;
const KMSG_MINOR = 11;
const [SEEK_SET, SEEK_CUR] = [0, 1];
const MAX_ERRNO = 4095;

/** Minor → name, table of functions, permissions; 0: those of any device. */
const DEVICES: { readonly [minor: number]: readonly [name: string, fops: string, mode: number] } = {
  1: ['mem', 'mem_fops', 0],
  3: ['null', 'null_fops', 0o666],
  5: ['zero', 'zero_fops', 0o666],
  7: ['full', 'full_fops', 0o666],
  8: ['random', 'random_fops', 0o666],
  9: ['urandom', 'urandom_fops', 0o666],
  [KMSG_MINOR]: ['kmsg', 'kmsg_fops', 0o644],
};
const FOPS: { readonly [table: string]: { readonly [op: string]: string } } = {
  memory_fops: { open: 'memory_open', llseek: 'noop_llseek' },
  mem_fops: { read: 'read_mem', write: 'write_mem', llseek: 'memory_lseek', open: 'open_mem' },
  null_fops: {
    read: 'read_null',
    write: 'write_null',
    read_iter: 'read_iter_null',
    write_iter: 'write_iter_null',
    llseek: 'null_lseek',
  },
  zero_fops: {
    read: 'read_zero',
    write: 'write_null',
    read_iter: 'read_iter_zero',
    write_iter: 'write_iter_null',
    llseek: 'null_lseek',
  },
  full_fops: { read: 'read_zero', read_iter: 'read_iter_zero', write: 'write_full', llseek: 'null_lseek' },
  random_fops: RANDOM_FOPS,
  urandom_fops: URANDOM_FOPS,
  kmsg_fops: KMSG_FOPS,
};
/** What programs find in /dev by convention. */
const LINKS = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
] as const;

export interface MemDeviceServices extends DevkmsgServices {
  readonly charDevices: CharDevices;
  readonly devices: Devices;
  readonly classes: Classes;
  readonly devtmpfs: Devtmpfs;
  /** Whether the running task may touch the machine itself. */
  mayAccessHardware(): boolean;
}

export class MemDevices {
  private readonly cls: Handle;
  private readonly tables: OperationTables;
  private readonly kmsg: Devkmsg;

  constructor(
    private readonly deps: FsDeps,
    private readonly k: MemDeviceServices,
    data: StaticData,
  ) {
    this.cls = data.declare('mem_class', Class.size + 8);
    this.tables = new OperationTables(deps.ram, data);
    this.tables.declare(FileOperations, FOPS);
    this.kmsg = new Devkmsg(deps, k, data);
  }

  /** @linux drivers/char/mem.c:chr_dev_init full */
  boot(): void {
    const { deps, k } = this;
    this.tables.boot(deps.symbol);
    this.kmsg.boot();
    const cls = deps.ram.addressOf(this.cls);
    k.classes.adopt(cls, 'mem', cls + Class.size);
    writeInteger(deps, cls + Class.o.devnode, deps.symbol('mem_devnode'), 8);
    const error =
      k.charDevices.register(MEM_MAJOR, 0, MEM_MINORS, 'mem', deps.symbol('memory_fops')) ||
      k.classes.register(cls);
    if (error !== 0) throw new KernelBug(`unable to get major ${MEM_MAJOR} for memory devs: ${error}`);
    for (const [minor, [name]] of Object.entries(DEVICES))
      k.devices.create(cls, 0, MKDEV(MEM_MAJOR, Number(minor)), 0, 0, name);
    for (const [name, target] of LINKS) k.devtmpfs.createLink(name, target);
  }

  private file(file: Vaddr) {
    return File.at(this.deps.ram, this.deps.ram.handleOf(file));
  }

  /** @linux drivers/char/mem.c:memory_open full */
  private open(inode: Vaddr, file: Vaddr): number {
    const { deps } = this;
    const minor = MINOR(Inode.at(deps.ram, deps.ram.handleOf(inode)).i_rdev);
    const device = DEVICES[minor];
    if (device === undefined) return -ENXIO;
    this.file(file).f_op = deps.symbol(device[1]);
    if (minor === KMSG_MINOR) return this.kmsg.open(file);
    return device[1] === 'mem_fops' ? this.openMem() : 0;
  }

  /** @linux drivers/char/mem.c:open_port full */
  private openMem(): number {
    return this.k.mayAccessHardware() ? 0 : -EPERM;
  }

  /** @linux drivers/char/mem.c:mem_devnode full */
  private devnode(dev: Vaddr, mode: Vaddr): Vaddr {
    const { deps } = this;
    const bits = DEVICES[MINOR(readUnsigned(deps, dev + Device.o.devt, 4))]?.[2] ?? 0;
    if (mode !== 0 && bits !== 0) writeInteger(deps, mode, bits, 2);
    return 0;
  }

  // ---------------------------------------------------------------- physical memory

  /**
   * Moves bytes between a user's buffer and physical memory, a page at a time.
   * @linux drivers/char/mem.c:read_mem partial: memory only, and all of it (no CONFIG_STRICT_DEVMEM)
   * @linux drivers/char/mem.c:write_mem partial: memory only, and all of it (no CONFIG_STRICT_DEVMEM)
   */
  private transfer(user: Vaddr, count: number, ppos: Vaddr, writing: boolean): number {
    const { deps } = this;
    const { ram } = deps;
    const start = readS64(deps, ppos);
    if (start < 0 || start + count > ram.size) return -EFAULT;
    const bounce = deps.kmalloc(PAGE_SIZE);
    if (bounce === 0) return -ENOMEM;
    const at = ram.handleOf(bounce) * 4;
    let done = 0;
    while (done < count) {
      const p = start + done;
      const n = Math.min(count - done, PAGE_SIZE - (p & PAGE_MASK_LOW));
      if (!writing) ram.u8.copyWithin(at, p, p + n);
      const missing = writing
        ? deps.user.rawCopyFrom(bounce, user + done, n)
        : deps.user.copyTo(user + done, bounce, n);
      if (writing) ram.u8.copyWithin(p, at, at + n - missing);
      done += n - missing;
      if (missing > 0) break;
    }
    deps.kfree(bounce);
    writeInteger(deps, ppos, start + done, 8);
    return done === 0 && count > 0 ? -EFAULT : done;
  }

  /** @linux drivers/char/mem.c:memory_lseek full */
  private seek(file: Vaddr, offset: number, whence: number): number {
    const f = this.file(file);
    if (whence !== SEEK_SET && whence !== SEEK_CUR) return -EINVAL;
    const to = whence === SEEK_CUR ? f.f_pos + offset : offset;
    if (to < 0 && to >= -MAX_ERRNO) return -EOVERFLOW;
    f.f_pos = to;
    return to;
  }

  // ---------------------------------------------------------------- null, zero, full

  /** @linux drivers/char/mem.c:read_zero full */
  private readZero(to: Vaddr, count: number): number {
    const missing = this.deps.user.clear(to, count);
    return missing === count && count > 0 ? -EFAULT : count - missing;
  }

  private takeAll(from: Vaddr): number {
    const n = iterCount(this.deps, from);
    iterAdvance(this.deps, from, n);
    return n;
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      memory_open: ['i:pp', (inode: Vaddr, file: Vaddr) => this.open(inode, file)],
      open_mem: ['i:pp', () => this.openMem()],
      mem_devnode: ['p:pp', (dev: Vaddr, mode: Vaddr) => this.devnode(dev, mode)],
      read_mem: [
        'l:ppzp',
        (_file: Vaddr, to: Vaddr, n: number, ppos: Vaddr) => this.transfer(to, n, ppos, false),
      ],
      write_mem: [
        'l:ppzp',
        (_file: Vaddr, from: Vaddr, n: number, ppos: Vaddr) => this.transfer(from, n, ppos, true),
      ],
      memory_lseek: [
        'l:pli',
        (file: Vaddr, offset: number, whence: number) => this.seek(file, offset, whence),
      ],
      read_null: ['l:ppzp', () => 0],
      write_null: ['l:ppzp', (_file: Vaddr, _from: Vaddr, n: number) => n],
      read_iter_null: ['l:pp', () => 0],
      write_iter_null: ['l:pp', (_iocb: Vaddr, from: Vaddr) => this.takeAll(from)],
      read_zero: ['l:ppzp', (_file: Vaddr, to: Vaddr, n: number) => this.readZero(to, n)],
      read_iter_zero: ['l:pp', (_iocb: Vaddr, to: Vaddr) => iterZero(deps, iterCount(deps, to), to)],
      write_full: ['l:ppzp', () => -ENOSPC],
      null_lseek: [
        'l:pli',
        (file: Vaddr) => {
          this.file(file).f_pos = 0;
          return 0;
        },
      ],
      ...randomFileExports(deps),
      ...this.kmsg.exports(),
    };
  }

  sleepingExports(): KernelExports {
    return this.kmsg.sleepingExports();
  }
}
