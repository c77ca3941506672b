// SPDX-License-Identifier: MIT
/**
 * poll() of several files, with a timeout.
 *
 * The call asks each file once; a file's poll function puts an entry of ours on each wait queue where something may
 * happen (poll_wait). If nothing is ready the task sleeps; whoever wakes a queue runs pollwake() there, and the files
 * are asked again. What the call needs lies in one block, which the entries point to.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { type Outcome, sleepThen } from '../kernel/sched/context.js';
import { TASK_INTERRUPTIBLE } from '../kernel/sched.js';
import { EINTR, EINVAL, ENOMEM } from '../lib/errno.js';
import { GuestList } from '../lib/guest_list.js';
import { initListHead, ListHead, listAddTail, listDel, listEntries } from '../lib/list.js';
import { WaitQueueEntry, WaitQueueHead } from '../lib/lock_types.js';
import { addr, int, ptr, s64, struct, u32, uint, ulong } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { FileCalls, PollFd } from './file_calls.js';
import { MAX_FILES } from './fs_context.js';
import { File } from './fs_types.js';
import type { OpenCalls } from './open.js';

export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
/** file_call.command of a poll() that has its block. */
const POLLING = 0x7011;
const DEFAULT_POLLMASK = 0x145;

/** What poll functions are given is its start. */
const PollWqueues = struct('poll_wqueues', {
  qproc: addr(),
  key: ulong,
  polling_task: ptr('struct task_struct'),
  /** A queue has been woken since the files were last asked. */
  triggered: uint,
  timed_out: uint,
  error: int,
  nfds: uint,
  /** Which is being asked, and how many are ready. */
  at: uint,
  count: uint,
  /** When to give up, in nanoseconds since power-on; -1: never. */
  deadline: s64,
  entries: ListHead,
});
const PollEntry = struct('poll_table_entry', {
  list: ListHead,
  filp: ptr('struct file'),
  key: ulong,
  wait: WaitQueueEntry,
});
/** As in <poll.h>, in words: number; events and what came of them. */
const PollRecord = struct('pollfd', { fd: int, events: u32, revents: u32, pad: u32 });
const WAIT = PollEntry.o.wait;
const LINK = WaitQueueEntry.o.entry;

export class SelectCalls {
  private readonly polled: number;
  private readonly queue: GuestList;

  constructor(
    private readonly calls: FileCalls,
    private readonly open: OpenCalls,
  ) {
    const { staged, deps } = calls;
    this.queue = new GuestList(deps);
    this.polled = staged.after((call, mask) => this.answered(call, mask));
    deps.scheduler.step('poll:woken', ([call]) => this.woken(call));
    calls.add('ppoll', (call, { fds = [], timeout = -1 }) => this.begin(call, fds, timeout));
    calls.onDeath = (call) => this.abandon(call);
    calls.takePolled = (call) => this.take(call);
  }

  private get ram() {
    return this.calls.deps.ram;
  }

  private now(): number {
    return this.calls.deps.scheduler.now;
  }

  private wqueues(call: Handle) {
    return PollWqueues.at(this.ram, this.ram.handleOf(this.calls.at(call).argument));
  }

  private record(call: Handle, i: number) {
    const start = this.ram.handleOf(this.calls.at(call).argument) + PollWqueues.size / 4;
    return PollRecord.at(this.ram, start + (i * PollRecord.size) / 4);
  }

  /** @linux fs/select.c:do_sys_poll full */
  private begin(call: Handle, fds: readonly PollFd[], timeout: number): Outcome {
    const { calls, ram } = this;
    if (fds.length > MAX_FILES) return calls.done(call, -EINVAL);
    const bytes = PollWqueues.size + fds.length * PollRecord.size;
    const block = calls.deps.kmalloc(bytes);
    if (block === 0) return calls.done(call, -ENOMEM);
    ram.fill(ram.handleOf(block) * 4, bytes, 0);
    calls.at(call).argument = block;
    calls.at(call).command = POLLING;
    const w = this.wqueues(call);
    initListHead(ram, w.h + PollWqueues.w.entries);
    w.polling_task = calls.task;
    w.nfds = fds.length;
    w.qproc = timeout === 0 ? 0 : calls.deps.symbol('__pollwait');
    w.timed_out = Number(timeout === 0);
    w.deadline = timeout < 0 ? -1 : this.now() + timeout * 1e6;
    fds.forEach(({ fd, events }, i) => {
      const record = this.record(call, i);
      record.fd = fd;
      record.events = events & 0xffff;
    });
    return this.ask(call);
  }

  /** Asks the files from the one on whose turn it is. @linux fs/select.c:do_poll full */
  private ask(call: Handle): Outcome {
    const { calls, ram } = this;
    const w = this.wqueues(call);
    for (; w.at < w.nfds; w.at++) {
      const { fd, events } = this.record(call, w.at);
      if (fd < 0) continue;
      const file = calls.fget(call, fd);
      if (file === 0) {
        this.mark(call, POLLNVAL);
        continue;
      }
      const poll = calls.goneError(file) === 0 ? calls.operation(file, 'poll') : 0;
      if (poll === 0) {
        this.mark(call, DEFAULT_POLLMASK & this.wanted(events));
        continue;
      }
      w.key = this.wanted(events);
      const args = [ram.addressOf(file), calls.at(call).argument];
      return calls.invoke(call, poll, 'u:pp', args, this.polled, ['__x64_sys_poll', 'do_sys_poll']);
    }
    return this.asked(call);
  }

  private wanted(events: number): number {
    return events | POLLERR | POLLHUP;
  }

  private mark(call: Handle, revents: number): void {
    const w = this.wqueues(call);
    this.record(call, w.at).revents = revents;
    if (revents === 0) return;
    w.count++;
    w.qproc = 0;
  }

  /** A file's poll function has ended. */
  private answered(call: Handle, mask: number): Outcome {
    const w = this.wqueues(call);
    this.mark(call, mask & this.wanted(this.record(call, w.at).events));
    w.at++;
    return this.ask(call);
  }

  /** All have been asked. */
  private asked(call: Handle): Outcome {
    const { calls } = this;
    const w = this.wqueues(call);
    w.qproc = 0;
    w.at = 0;
    if (w.count > 0) return this.end(call, w.count);
    if (w.error !== 0) return this.end(call, w.error);
    if (calls.signalPending(calls.task)) return this.end(call, -EINTR);
    if (w.timed_out !== 0) return this.end(call, 0);
    if (w.triggered !== 0) {
      w.triggered = 0;
      return this.ask(call);
    }
    calls.deps.scheduler.setState(TASK_INTERRUPTIBLE);
    if (w.deadline >= 0) calls.deps.scheduler.wakeAt(w.deadline);
    return sleepThen('poll:woken', call);
  }

  /** @linux fs/select.c:poll_schedule_timeout full */
  private woken(call: Handle): Outcome {
    const w = this.wqueues(call);
    if (w.deadline >= 0 && this.now() >= w.deadline) w.timed_out = 1;
    w.triggered = 0;
    return this.ask(call);
  }

  private end(call: Handle, result: number): Outcome {
    this.leaveQueues(call);
    return this.calls.done(call, result);
  }

  /** What came of each file, once the call has ended; the block goes. */
  private take(call: Handle): number[] {
    const c = this.calls.at(call);
    if (c.command !== POLLING || c.argument === 0) return [];
    const { nfds } = this.wqueues(call);
    const told = Array.from({ length: nfds }, (_, i) => this.record(call, i).revents);
    this.calls.deps.kfree(c.argument);
    c.argument = 0;
    c.command = 0;
    return told;
  }

  /** The task was killed in a poll function. */
  private abandon(call: Handle): void {
    const c = this.calls.at(call);
    if (c.command !== POLLING || c.argument === 0) return;
    this.leaveQueues(call);
    this.take(call);
  }

  /** Takes all entries off their queues. @linux fs/select.c:poll_freewait full */
  private leaveQueues(call: Handle): void {
    const { calls, ram } = this;
    const w = this.wqueues(call);
    for (const entry of [...listEntries(ram, w.h + PollWqueues.w.entries)]) {
      const { filp } = PollEntry.at(ram, entry);
      listDel(ram, entry);
      this.queue.del(ram.addressOf(entry) + WAIT + LINK);
      calls.deps.kfree(ram.addressOf(entry));
      this.open.put(filp);
    }
  }

  /** Puts the running poll() on a queue. @linux fs/select.c:__pollwait full */
  private wait(file: Vaddr, head: Vaddr, table: Vaddr): void {
    const { ram } = this;
    const { kmalloc, symbol } = this.calls.deps;
    const w = PollWqueues.at(ram, ram.handleOf(table));
    const address = kmalloc(PollEntry.size);
    if (address === 0) {
      w.error = -ENOMEM;
      return;
    }
    const entry = ram.handleOf(address);
    ram.fill(entry * 4, PollEntry.size, 0);
    const e = PollEntry.at(ram, entry);
    e.filp = ram.handleOf(file);
    File.at(ram, e.filp).f_count++;
    e.key = w.key;
    e.wait.private = table;
    e.wait.func = symbol('pollwake');
    listAddTail(ram, entry, w.h + PollWqueues.w.entries);
    this.queue.add(address + WAIT + LINK, head + WaitQueueHead.o.head);
  }

  /** Somebody wakes a queue that a poll() waits on. @linux fs/select.c:pollwake full */
  private wake(wait: Vaddr, mode: number, key: Vaddr): number {
    const { ram } = this;
    const e = PollEntry.at(ram, ram.handleOf(wait - WAIT));
    if (key !== 0 && (key & e.key) === 0) return 0;
    const w = PollWqueues.at(ram, ram.handleOf(e.wait.private));
    w.triggered = 1;
    return this.calls.deps.scheduler.wake(w.polling_task, mode) ? 1 : 0;
  }

  exports(): KernelExports {
    return {
      __pollwait: ['v:ppp', (file: Vaddr, head: Vaddr, table: Vaddr) => this.wait(file, head, table)],
      pollwake: [
        'i:puip',
        (wait: Vaddr, mode: number, _flags: number, key: Vaddr) => this.wake(wait, mode, key),
      ],
    };
  }
}
