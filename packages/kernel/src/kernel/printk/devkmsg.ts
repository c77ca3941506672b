// SPDX-License-Identifier: MIT
/**
 * /dev/kmsg: the log, a record a read. Whoever reads at its end sleeps until there is one more.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { File } from '../../fs/fs_types.js';
import { O_ACCMODE, O_NONBLOCK, O_WRONLY } from '../../fs/open.js';
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM, EPIPE, ERESTARTSYS, ESPIPE } from '../../lib/errno.js';
import { readS64 } from '../../lib/guest_access.js';
import { copyFromIter, iterCount } from '../../lib/iov_iter.js';
import { WaitQueueHead } from '../../lib/lock_types.js';
import type { StaticData } from '../../lib/static_data.js';
import { struct, u64 } from '../../lib/struct.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { SLEEP } from '../sched/core.js';
import type { WaitQueues } from '../sched/wait.js';
import type { WaitLists } from '../sched/wait_list.js';
import { TASK_INTERRUPTIBLE } from '../sched.js';
import { DEVKMSG_OFF, DEVKMSG_ON, LOG_LINE_MAX, type Printk } from './printk.js';
import { type RatelimitDeps, RatelimitState, ratelimit, ratelimitInit } from './ratelimit.js';
import { kmsgText } from './record_text.js';
import type { LogRecord } from './ringbuffer.js';

/** Where a reader is in the log, and how much a writer has written of late. */
const DevkmsgUser = struct('devkmsg_user', { seq: u64, rs: RatelimitState });

const [SEEK_SET, SEEK_END, SEEK_DATA] = [0, 2, 3];
const EPOLLIN = 0x1;
const EPOLLPRI = 0x2;
const EPOLLERR = 0x8;
const EPOLLRDNORM = 0x40;
const KI_FILP = 0;

export const KMSG_FOPS = {
  read: 'devkmsg_read',
  write_iter: 'devkmsg_write',
  llseek: 'devkmsg_llseek',
  poll: 'devkmsg_poll',
  release: 'devkmsg_release',
} as const;

export interface DevkmsgServices {
  readonly printk: Printk;
  readonly waitQueues: WaitQueues;
  readonly waits: WaitLists;
  readonly ratelimit: RatelimitDeps;
  signalPending(): boolean;
  /** Whether the running task may read the log although `dmesg_restrict` is set. */
  mayReadLog(): boolean;
}

export class Devkmsg {
  /** Who polls, and which tasks sleep in read. */
  private readonly logWait: Handle;
  private readonly readers: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly k: DevkmsgServices,
    data: StaticData,
  ) {
    this.logWait = data.declare('log_wait', WaitQueueHead.size);
    this.readers = data.declare('devkmsg_readers', 16);
    k.printk.onRecord = () => this.wakeReaders();
  }

  boot(): void {
    const { ram } = this.deps;
    this.k.waitQueues.init(ram.addressOf(this.logWait));
    this.k.waits.list.init(ram.addressOf(this.readers));
  }

  /** @linux kernel/printk/printk.c:__wake_up_klogd full */
  private wakeReaders(): void {
    const { ram } = this.deps;
    const { waits, waitQueues } = this.k;
    const readers = ram.addressOf(this.readers);
    const polling = this.logWait + WaitQueueHead.w.head;
    if (ram.ptr(this.readers) !== this.readers && ram.ptr(this.readers) !== 0) waits.wakeAll(readers);
    if (ram.ptr(polling) !== polling && ram.ptr(polling) !== 0)
      waitQueues.wakeUp(ram.addressOf(this.logWait), TASK_INTERRUPTIBLE, 0, 0);
  }

  private file(file: Vaddr) {
    return File.at(this.deps.ram, this.deps.ram.handleOf(file));
  }

  private userOf(file: Vaddr) {
    return DevkmsgUser.at(this.deps.ram, this.deps.ram.handleOf(this.file(file).private_data));
  }

  /** The first record from a number on that readers may see. */
  private record(seq: number): LogRecord | undefined {
    for (const record of this.k.printk.records(seq)) return record;
    return undefined;
  }

  /** @linux kernel/printk/printk.c:devkmsg_open full */
  open(file: Vaddr): number {
    const { ram, kmalloc } = this.deps;
    const { printk, mayReadLog } = this.k;
    if (printk.devkmsgChoice === DEVKMSG_OFF) return -EPERM;
    const reads = (this.file(file).f_flags & O_ACCMODE) !== O_WRONLY;
    if (reads && !mayReadLog()) return -EPERM;
    const user = kmalloc(DevkmsgUser.size);
    if (user === 0) return -ENOMEM;
    ram.fill(ram.handleOf(user) * 4, DevkmsgUser.size, 0);
    ratelimitInit(this.deps, user + DevkmsgUser.o.rs);
    this.file(file).private_data = user;
    this.userOf(file).seq = printk.buffer.firstSeq;
    return 0;
  }

  private release(file: Vaddr): number {
    const user = this.file(file).private_data;
    const { missed } = RatelimitState.at(this.deps.ram, this.deps.ram.handleOf(user + DevkmsgUser.o.rs));
    if (missed > 0) this.k.printk.log(4, this.suppressed(missed));
    this.deps.kfree(user);
    return 0;
  }

  /** @linux include/linux/ratelimit.h:ratelimit_state_exit full */
  private suppressed(missed: number): string {
    return `${this.deps.tasks.current().comm}: ${missed} output lines suppressed due to ratelimiting`;
  }

  /** @linux kernel/printk/printk.c:devkmsg_read full */
  private read(stage: number, file: Vaddr, to: Vaddr, count: number): number | typeof SLEEP {
    const { k } = this;
    const user = this.userOf(file);
    const record = this.record(user.seq);
    if (record === undefined) {
      if (this.file(file).f_flags & O_NONBLOCK) return -EAGAIN;
      return this.waitForRecord(stage);
    }
    if (stage > 0) k.waits.remove(k.waits.deps.current());
    if (record.seq !== user.seq) {
      user.seq = record.seq;
      return -EPIPE;
    }
    const text = kmsgText(record);
    user.seq = record.seq + 1;
    if (text.length > count) return -EINVAL;
    return this.deps.user.write(to, text) === 0 ? text.length : -EFAULT;
  }

  private waitForRecord(stage: number): number | typeof SLEEP {
    const { waits, signalPending } = this.k;
    const { ram, scheduler } = this.deps;
    if (stage > 0 && signalPending()) {
      waits.remove(waits.deps.current());
      return -ERESTARTSYS;
    }
    waits.add(ram.addressOf(this.readers));
    scheduler.setState(TASK_INTERRUPTIBLE);
    return scheduler.sleep(1);
  }

  /** @linux kernel/printk/printk.c:devkmsg_write full */
  private write(iocb: Vaddr, from: Vaddr): number {
    const { deps } = this;
    const { printk } = this.k;
    const length = iterCount(deps, from);
    if (length > LOG_LINE_MAX) return -EINVAL;
    const { devkmsgChoice } = printk;
    if (devkmsgChoice === DEVKMSG_OFF) return length;
    const rs = this.file(readS64(deps, iocb + KI_FILP)).private_data + DevkmsgUser.o.rs;
    const allowed = () => ratelimit(this.k.ratelimit, rs, deps.tasks.current().comm);
    if (devkmsgChoice !== DEVKMSG_ON && !allowed()) return length;
    const copy = deps.kmalloc(length + 1);
    if (copy === 0) return -ENOMEM;
    const whole = copyFromIter(deps, copy, length, from) === length;
    if (whole) printk.writeKmsg(deps.guest.read(copy, length));
    deps.kfree(copy);
    return whole ? length : -EFAULT;
  }

  /** @linux kernel/printk/printk.c:devkmsg_llseek full */
  private seek(file: Vaddr, offset: number, whence: number): number {
    const { buffer } = this.k.printk;
    const user = this.userOf(file);
    if (offset !== 0) return -ESPIPE;
    if (whence === SEEK_SET) user.seq = buffer.firstSeq;
    else if (whence === SEEK_DATA) user.seq = buffer.clearSeq;
    else if (whence === SEEK_END) user.seq = buffer.nextSeq;
    else return -EINVAL;
    return 0;
  }

  /** @linux kernel/printk/printk.c:devkmsg_poll full */
  private poll(file: Vaddr, table: Vaddr): number {
    const { deps } = this;
    const qproc = table === 0 ? 0 : readS64(deps, table);
    if (qproc !== 0) deps.callC(qproc, 'v:ppp', file, deps.ram.addressOf(this.logWait), table);
    const { seq } = this.userOf(file);
    const record = this.record(seq);
    if (record === undefined) return 0;
    return EPOLLIN | EPOLLRDNORM | (record.seq === seq ? 0 : EPOLLERR | EPOLLPRI);
  }

  exports(): KernelExports {
    return {
      devkmsg_write: ['l:pp', (iocb: Vaddr, from: Vaddr) => this.write(iocb, from)],
      devkmsg_llseek: [
        'l:pli',
        (file: Vaddr, offset: number, whence: number) => this.seek(file, offset, whence),
      ],
      devkmsg_poll: ['u:pp', (file: Vaddr, table: Vaddr) => this.poll(file, table)],
      devkmsg_open: ['i:pp', (_inode: Vaddr, file: Vaddr) => this.open(file)],
      devkmsg_release: ['i:pp', (_inode: Vaddr, file: Vaddr) => this.release(file)],
    };
  }

  sleepingExports(): KernelExports {
    const read = this.deps.scheduler.sleeping<readonly [Vaddr, Vaddr, number, Vaddr]>(
      (stage, [file, to, count]) => this.read(stage, file, to, count),
    );
    return { devkmsg_read: ['l:ppzp', read] };
  }
}
