// SPDX-License-Identifier: MIT
/**
 * Signals: which are pending for a task, which of them it cares for, and whom one wakes.
 *
 *     kill_pid(SIGTERM)                 kernel thread          thread after allow_signal(SIGTERM)
 *       sighand->action[SIGTERM]        SIG_IGN                2 (for the thread to take)
 *       pending                         –                      SIGTERM
 *       TIF_SIGPENDING                  –                      set; an interruptible wait ends with -ERESTARTSYS
 *
 * A process of the user's has SIG_DFL: a signal that would end it sets SIGKILL too, which also ends killable waits.
 * What is pending is a set: of several equal signals one is kept.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EINVAL, ESRCH } from '../lib/errno.js';
import { type GuestAccess, writeInteger } from '../lib/guest_access.js';
import { initListHead, listAddTail } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { SLAB_HWCACHE_ALIGN, SLAB_PANIC } from '../mm/slab.js';
import type { Slub } from '../mm/slub.js';
import type { Pids } from './pid.js';
import type { Scheduler } from './sched/core.js';
import {
  _NSIG,
  KSigaction,
  PF_EXITING,
  PF_KTHREAD,
  PIDTYPE_PGID,
  PIDTYPE_PID,
  PIDTYPE_TGID,
  SighandStruct,
  SignalStruct,
  Sigpending,
  TASK_INTERRUPTIBLE,
  TASK_WAKEKILL,
  TaskStruct,
} from './sched.js';
import type { Tasks } from './tasks.js';

export const SIGINT = 2;
export const SIGKILL = 9;
const SIGCONT = 18;
const SIGSTOP = 19;
const SIG_DFL = 0;
const SIG_IGN = 1;
/** The thread takes a signal from anybody; only from the kernel. */
const SIG_KTHREAD_KERNEL = 3;
/** Whose default action is none: SIGCONT, SIGCHLD, SIGWINCH, SIGURG. */
const IGNORED = new Set([SIGCONT, 17, 28, 23]);
/** Whose default action is to stop. */
const STOPPING = new Set([SIGSTOP, 20, 21, 22]);
/** Those that the CPU raises come first. */
const SYNCHRONOUS = [4, 5, 7, 8, 11, 31];
const SIGNAL_GROUP_EXIT = 4;
/** SEND_SIG_NOINFO is 0, a user's. */
const SEND_SIG_PRIV = 1;
const SI_KERNEL = 0x80;
/** Bit 2 of thread_info.flags. */
const TIF_SIGPENDING_MASK = 4;
/** Values of sigprocmask's `how`. */
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const RLIM_INFINITY_WORDS = [-1, -1] as const;
const SET = Sigpending.w.signal;

export interface SignalDeps extends GuestAccess {
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  readonly slub: Slub;
  pids(): Pids;
}

export class Signals {
  private readonly initSignals: Handle;
  private readonly initSighand: Handle;
  private readonly signalCachep: Handle;
  private readonly sighandCachep: Handle;

  constructor(
    private readonly deps: SignalDeps,
    data: StaticData,
  ) {
    this.initSignals = data.declareObject('init_signals', SignalStruct.size);
    this.initSighand = data.declareObject('init_sighand', SighandStruct.size);
    this.signalCachep = data.declare('signal_cachep', 8);
    this.sighandCachep = data.declare('sighand_cachep', 8);
    deps.tasks.parts.push(this);
    deps.scheduler.signalPending = (task, state) => this.pending(task, state);
  }

  boot(): void {
    const { ram, slub, tasks } = this.deps;
    const flags = SLAB_HWCACHE_ALIGN | SLAB_PANIC;
    ram.setPtr(this.sighandCachep, slub.kmemCacheCreate('sighand_cache', SighandStruct.size, 0, flags, 0));
    ram.setPtr(this.signalCachep, slub.kmemCacheCreate('signal_cache', SignalStruct.size, 0, flags, 0));
    this.fill(tasks.initTask, this.initSignals, this.initSighand);
  }

  private task(task: Handle) {
    return TaskStruct.at(this.deps.ram, task);
  }

  // ---------------------------------------------------------------- with a task's life

  /** Gives a new task what it knows of signals: the default for each. False if there is no memory. @linux kernel/fork.c:copy_signal partial: nothing is inherited */
  create(task: Handle): boolean {
    const { ram, slub } = this.deps;
    const signal = slub.kmemCacheAlloc(ram.ptr(this.signalCachep), GFP_KERNEL);
    const sighand = slub.kmemCacheAlloc(ram.ptr(this.sighandCachep), GFP_KERNEL);
    if (signal !== 0 && sighand !== 0) {
      this.fill(task, ram.handleOf(signal), ram.handleOf(sighand));
      return true;
    }
    if (signal !== 0) slub.kmemCacheFree(ram.ptr(this.signalCachep), signal);
    if (sighand !== 0) slub.kmemCacheFree(ram.ptr(this.sighandCachep), sighand);
    return false;
  }

  private fill(task: Handle, signal: Handle, sighand: Handle): void {
    const { ram } = this.deps;
    ram.fill(signal * 4, SignalStruct.size, 0);
    ram.fill(sighand * 4, SighandStruct.size, 0);
    const s = SignalStruct.at(ram, signal);
    s.sigcnt = 1;
    s.live = 1;
    s.nr_threads = 1;
    initListHead(ram, signal + SignalStruct.w.thread_head);
    initListHead(ram, signal + SignalStruct.w.wait_chldexit + 2);
    initListHead(ram, signal + SignalStruct.w.shared_pending);
    for (let at = 0; at < SignalStruct.w.oom_score_adj - SignalStruct.w.rlim; at += 2)
      ram.i32.set(RLIM_INFINITY_WORDS, signal + SignalStruct.w.rlim + at);
    SighandStruct.at(ram, sighand).count = 1;
    initListHead(ram, sighand + SighandStruct.w.signalfd_wqh + 2);
    initListHead(ram, task + TaskStruct.w.pending);
    listAddTail(ram, task + TaskStruct.w.thread_node, signal + SignalStruct.w.thread_head);
    this.task(task).signal = signal;
    this.task(task).sighand = sighand;
  }

  /** A kernel thread cares for no signal, unless it says so. @linux kernel/signal.c:ignore_signals full */
  ignoreAll(task: Handle): void {
    for (let sig = 1; sig <= _NSIG; sig++) this.setHandler(task, sig, SIG_IGN);
  }

  /** @linux kernel/exit.c:__exit_signal partial: nobody waits for times */
  release(task: Handle): void {
    const { ram, slub } = this.deps;
    const { signal, sighand } = this.task(task);
    initListHead(ram, task + TaskStruct.w.thread_node);
    this.task(task).signal = 0;
    this.task(task).sighand = 0;
    slub.kmemCacheFree(ram.ptr(this.signalCachep), ram.addressOf(signal));
    slub.kmemCacheFree(ram.ptr(this.sighandCachep), ram.addressOf(sighand));
  }

  // ---------------------------------------------------------------- sets and handlers

  private slot(task: Handle, sig: number): Handle {
    return this.task(task).sighand + SighandStruct.w.action + ((sig - 1) * KSigaction.size) / 4;
  }

  private handler(task: Handle, sig: number): number {
    return this.deps.ram.s64(this.slot(task, sig));
  }

  private setHandler(task: Handle, sig: number, handler: Vaddr): void {
    this.deps.ram.set64(this.slot(task, sig), handler);
  }

  private has(set: Handle, sig: number): boolean {
    return ((this.deps.ram.i32[set + ((sig - 1) >> 5)] >>> ((sig - 1) & 31)) & 1) !== 0;
  }

  private put(set: Handle, sig: number, on: boolean): void {
    const { i32 } = this.deps.ram;
    const bit = 1 << ((sig - 1) & 31);
    const word = set + ((sig - 1) >> 5);
    i32[word] = on ? i32[word] | bit : i32[word] & ~bit;
  }

  private blockedSet = (task: Handle): Handle => task + TaskStruct.w.blocked;
  private privateSet = (task: Handle): Handle => task + TaskStruct.w.pending + SET;
  private sharedSet = (task: Handle): Handle => this.task(task).signal + SignalStruct.w.shared_pending + SET;

  private sets(task: Handle): readonly Handle[] {
    return [this.privateSet(task), this.sharedSet(task)];
  }

  /** @linux kernel/signal.c:recalc_sigpending full */
  private recalc(task: Handle): void {
    const { i32 } = this.deps.ram;
    const blocked = this.blockedSet(task);
    const any = this.sets(task).some((set) => [0, 1].some((w) => i32[set + w] & ~i32[blocked + w]));
    const info = this.task(task).thread_info;
    info.flags = any ? info.flags | TIF_SIGPENDING_MASK : info.flags & ~TIF_SIGPENDING_MASK;
  }

  // ---------------------------------------------------------------- who waits

  /** Whether a signal ends a task's wait in a state. @linux include/linux/sched/signal.h:signal_pending_state full */
  pending(task: Handle, state = TASK_INTERRUPTIBLE): boolean {
    if (!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL))) return false;
    if (!(this.task(task).thread_info.flags & TIF_SIGPENDING_MASK)) return false;
    return (state & TASK_INTERRUPTIBLE) !== 0 || this.fatalPending(task);
  }

  /** A terminal's interrupt of a system call comes without a number, and is meant to end the process. */
  private fatalPending(task: Handle): boolean {
    const { i32 } = this.deps.ram;
    if (this.has(this.privateSet(task), SIGKILL)) return true;
    const numbered = this.sets(task).some((set) => i32[set] !== 0 || i32[set + 1] !== 0);
    return !numbered && !(this.task(task).flags & PF_KTHREAD);
  }

  private wakeUp(task: Handle, fatal: boolean): void {
    this.task(task).thread_info.flags |= TIF_SIGPENDING_MASK;
    this.deps.scheduler.wake(task, TASK_INTERRUPTIBLE | (fatal ? TASK_WAKEKILL : 0));
  }

  // ---------------------------------------------------------------- sending

  /** @linux kernel/signal.c:sig_ignored partial: nobody is traced, no init */
  private ignored(task: Handle, sig: number, fromKernel: boolean): boolean {
    if (this.has(this.blockedSet(task), sig)) return false;
    const handler = this.handler(task, sig);
    if (this.task(task).flags & PF_KTHREAD && handler === SIG_KTHREAD_KERNEL && !fromKernel) return true;
    return handler === SIG_IGN || (handler === SIG_DFL && IGNORED.has(sig));
  }

  /** A signal to stop takes away one to go on, and the other way round. @linux kernel/signal.c:prepare_signal partial: no stopped tasks */
  private cancelOpposite(task: Handle, sig: number): void {
    const opposite = STOPPING.has(sig) ? [SIGCONT] : sig === SIGCONT ? [...STOPPING] : [];
    for (const other of opposite) for (const set of this.sets(task)) this.put(set, other, false);
  }

  /**
   * Sends a signal to a task, or to its process.
   * @param sig 1 to 64; 0 only asks whether the task is there
   * @param fromKernel it is no user's
   * @returns 0, -EINVAL (no such signal) or -ESRCH (the task is over)
   * @linux kernel/signal.c:__send_signal_locked partial: no queue, so of several equal signals one is kept
   */
  send(task: Handle, sig: number, fromKernel: boolean, type = PIDTYPE_TGID): number {
    if (sig < 0 || sig > _NSIG) return -EINVAL;
    if (task === 0 || this.task(task).sighand === 0) return -ESRCH;
    if (sig === 0) return 0;
    this.cancelOpposite(task, sig);
    if (this.ignored(task, sig, fromKernel)) return 0;
    const set = type === PIDTYPE_PID ? this.privateSet(task) : this.sharedSet(task);
    if (this.has(set, sig)) return 0;
    this.put(set, sig, true);
    this.complete(task, sig);
    return 0;
  }

  /** @linux kernel/signal.c:complete_signal partial: a process is one thread */
  private complete(task: Handle, sig: number): void {
    if (this.has(this.blockedSet(task), sig) || this.task(task).flags & PF_EXITING) return;
    const s = SignalStruct.at(this.deps.ram, this.task(task).signal);
    const isDefault = this.handler(task, sig) === SIG_DFL;
    const fatal = isDefault && !IGNORED.has(sig) && !STOPPING.has(sig) && !(s.flags & SIGNAL_GROUP_EXIT);
    if (fatal) {
      s.flags |= SIGNAL_GROUP_EXIT;
      s.group_exit_code = sig;
      this.put(this.privateSet(task), SIGKILL, true);
    }
    this.wakeUp(task, fatal || sig === SIGKILL);
  }

  /** Sends to the process, or to all of the group, that a number stands for. @linux kernel/signal.c:kill_pid_info full */
  private kill(pid: Handle, sig: number, fromKernel: boolean, type: number): number {
    const tasks = this.deps.pids().tasksOf(pid, type);
    let result = -ESRCH;
    for (const task of tasks) {
      const sent = this.send(task, sig, fromKernel);
      if (result !== 0) result = sent;
    }
    return result;
  }

  /** A user's kill(2) of one process. @linux kernel/signal.c:kill_something_info partial: positive numbers only */
  killByNumber(nr: number, sig: number): number {
    return this.kill(this.deps.pids().find(nr), sig, false, PIDTYPE_PID);
  }

  /** Sends the current task a signal that it cannot refuse. @linux kernel/signal.c:force_sig_info_to_task full */
  private force(sig: number): void {
    const task = this.deps.tasks.currentHandle;
    if (sig < 1 || sig > _NSIG) return;
    const blocked = this.has(this.blockedSet(task), sig);
    if (blocked || this.handler(task, sig) === SIG_IGN) {
      this.setHandler(task, sig, SIG_DFL);
      this.put(this.blockedSet(task), sig, false);
      this.recalc(task);
    }
    this.send(task, sig, true, PIDTYPE_PID);
  }

  // ---------------------------------------------------------------- taking

  /** @linux kernel/signal.c:next_signal full */
  private next(set: Handle, mask: Uint8Array): number {
    const open = (sig: number) => this.has(set, sig) && !((mask[(sig - 1) >> 3] >> ((sig - 1) & 7)) & 1);
    for (const sig of SYNCHRONOUS) if (open(sig)) return sig;
    for (let sig = 1; sig <= _NSIG; sig++) if (open(sig)) return sig;
    return 0;
  }

  /** Takes the next signal of the current task; 0 if none is pending. @linux kernel/signal.c:dequeue_signal partial: of the sender it tells nothing */
  private dequeue(mask: Vaddr, info: Vaddr): number {
    const task = this.deps.tasks.currentHandle;
    const masked = this.deps.guest.read(mask, 8);
    let sig = 0;
    for (const set of this.sets(task)) {
      sig = this.next(set, masked);
      if (sig === 0) continue;
      this.put(set, sig, false);
      break;
    }
    this.recalc(task);
    if (sig !== 0 && info !== 0) {
      for (let at = 0; at < 32; at += 4) writeInteger(this.deps, info + at, 0, 4);
      writeInteger(this.deps, info, sig, 4);
    }
    return sig;
  }

  /** Forgets all that is pending. @linux kernel/signal.c:flush_signals full */
  private flush(task: Handle): void {
    this.task(task).thread_info.flags &= ~TIF_SIGPENDING_MASK;
    for (const set of this.sets(task)) this.deps.ram.i32.fill(0, set, set + 2);
  }

  /** What the current task does with a signal from now on. @linux kernel/signal.c:kernel_sigaction full */
  private action(sig: number, handler: Vaddr): void {
    const task = this.deps.tasks.currentHandle;
    if (sig < 1 || sig > _NSIG) return;
    this.setHandler(task, sig, handler);
    if (handler !== SIG_IGN) return;
    for (const set of this.sets(task)) this.put(set, sig, false);
    this.recalc(task);
  }

  /** @linux kernel/signal.c:sigprocmask full */
  private procmask(how: number, set: Vaddr, old: Vaddr): number {
    const { guest, ram, tasks } = this.deps;
    const task = tasks.currentHandle;
    const blocked = this.blockedSet(task);
    const bytes = ram.u8.subarray(blocked * 4, blocked * 4 + 8);
    if (old !== 0) guest.write(old, bytes.slice());
    if (how < SIG_BLOCK || how > 2) return -EINVAL;
    guest.read(set, 8).forEach((byte, i) => {
      if (how === SIG_BLOCK) bytes[i] |= byte;
      else if (how === SIG_UNBLOCK) bytes[i] &= ~byte;
      else bytes[i] = byte;
    });
    this.recalc(task);
    return 0;
  }

  exports(): KernelExports {
    const { ram, guest } = this.deps;
    const handle = (at: Vaddr): Handle => (at === 0 ? 0 : ram.handleOf(at));
    /** What a siginfo says of who sends. */
    const isKernel = (info: Vaddr) =>
      info === SEND_SIG_PRIV || (info !== 0 && (guest.read(info + 8, 1)[0] & SI_KERNEL) !== 0);
    return {
      send_sig: [
        'i:ipi',
        (sig: number, task: Vaddr, priv: number) => this.send(handle(task), sig, priv !== 0, PIDTYPE_PID),
      ],
      send_sig_info: [
        'i:ipp',
        (sig: number, info: Vaddr, task: Vaddr) => this.send(handle(task), sig, isKernel(info), PIDTYPE_PID),
      ],
      do_send_sig_info: [
        'i:ippi',
        (sig: number, info: Vaddr, task: Vaddr, type: number) =>
          this.send(handle(task), sig, isKernel(info), type),
      ],
      kill_pid: [
        'i:pii',
        (pid: Vaddr, sig: number, priv: number) => this.kill(handle(pid), sig, priv !== 0, PIDTYPE_PID),
      ],
      kill_pgrp: [
        'i:pii',
        (pid: Vaddr, sig: number, priv: number) => this.kill(handle(pid), sig, priv !== 0, PIDTYPE_PGID),
      ],
      force_sig: ['v:i', (sig: number) => this.force(sig)],
      flush_signals: ['v:p', (task: Vaddr) => this.flush(handle(task))],
      recalc_sigpending: ['v:', () => this.recalc(this.deps.tasks.currentHandle)],
      dequeue_signal: [
        'i:pppp',
        (_task: Vaddr, mask: Vaddr, info: Vaddr, type: Vaddr) => {
          if (type !== 0) writeInteger(this.deps, type, PIDTYPE_TGID, 4);
          return this.dequeue(mask, info);
        },
      ],
      kernel_sigaction: ['v:ip', (sig: number, handler: Vaddr) => this.action(sig, handler)],
      sigprocmask: ['i:ipp', (how: number, set: Vaddr, old: Vaddr) => this.procmask(how, set, old)],
    };
  }
}
