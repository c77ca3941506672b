// SPDX-License-Identifier: MIT
/**
 * Tasks: init_task, one for each command that works in the kernel, and kernel threads. A task_struct lies in RAM, on
 * the list of all tasks, with a kernel stack of its own; `current_task` says which one runs.
 */

import type { CurrentTask } from '../lib/env.js';
import { checkedNext, initListHead, listAddTail, listDel, listFirst } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import type { Clock } from '../machine/clock.js';
import { type Handle, REG, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import type { PageAllocator } from '../mm/page_alloc.js';
import type { Slub } from '../mm/slub.js';
import { CAP_FULL_SET, Cred } from './cred.js';
import { TASK_BYTES } from './sched/context.js';
import { EXIT_DEAD, PF_KTHREAD, TASK_COMM_LEN, TASK_NEW, TASK_RUNNING, TaskStruct } from './sched.js';

/** A kernel stack is four pages (THREAD_SIZE). */
export const THREAD_SIZE_ORDER = 2;
export const THREAD_SIZE = 4096 << THREAD_SIZE_ORDER;

export interface TaskMemory {
  readonly pages: PageAllocator;
  readonly slub: Slub;
}

const PID = TaskStruct.w.pid;
const LISTS = [
  'tasks',
  'children',
  'sibling',
  'ptraced',
  'ptrace_entry',
  'thread_group',
  'thread_node',
] as const;

/** What else belongs to every task: its number, its signals. */
export interface TaskPart {
  /** False if there is no memory. */
  create(task: Handle): boolean;
  release(task: Handle): void;
}

export class Tasks {
  /** The idle task, where the list of all tasks begins. */
  readonly initTask: Handle;
  /** In the order in which they are made. */
  readonly parts: TaskPart[] = [];
  private readonly initCred: Handle;
  private readonly currentTask: Handle;
  private readonly lastPid: Handle;
  private readonly cachep: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly clock: Clock,
    private readonly memory: () => TaskMemory,
  ) {
    this.initTask = data.declareObject('init_task', TASK_BYTES, 64);
    this.initCred = data.declareObject('init_cred', Cred.size);
    this.currentTask = data.declare('current_task', 8);
    this.lastPid = data.declare('last_pid', 4);
    this.cachep = data.declare('task_struct_cachep', 8);
  }

  /** @param firstPid the number that the first task gets */
  boot(firstPid: number): void {
    const { ram, initTask } = this;
    const name = 'task_struct';
    ram.setPtr(this.cachep, this.memory().slub.kmemCacheCreate(name, TASK_BYTES, 64, 0, 0));
    this.fill(initTask, 0, 'swapper/0', 0);
    TaskStruct.at(ram, initTask).flags = PF_KTHREAD;
    ram.setPtr(this.currentTask, initTask);
    const cred = Cred.at(ram, this.initCred);
    cred.cap_permitted = CAP_FULL_SET;
    cred.cap_effective = CAP_FULL_SET;
    cred.cap_bset = CAP_FULL_SET;
    ram.i32[this.lastPid] = firstPid - 1;
  }

  /** Handle of the running task's task_struct. */
  get currentHandle(): Handle {
    return this.ram.ptr(this.currentTask);
  }

  /** Number of the running task; 0 outside of any. */
  get currentPid(): number {
    return this.ram.i32[this.currentHandle + PID];
  }

  current(): CurrentTask {
    const task = this.currentHandle;
    return { pid: this.ram.i32[task + PID], comm: this.commOf(task), cpu: this.ram.host32[REG.cpu >> 2] };
  }

  /** A task's name. */
  commOf(task: Handle): string {
    const bytes = TaskStruct.at(this.ram, task).comm;
    const end = bytes.indexOf(0);
    return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
  }

  private fill(task: Handle, pid: number, comm: string, stack: Vaddr): void {
    const { ram, initTask } = this;
    const t = TaskStruct.at(ram, task);
    t.__state = TASK_RUNNING;
    t.stack = stack;
    t.usage = 1;
    t.on_cpu = 1;
    t.prio = 120;
    t.static_prio = 120;
    t.normal_prio = 120;
    t.nr_cpus_allowed = 1;
    t.pid = pid;
    t.tgid = pid;
    t.group_leader = task;
    t.real_parent = initTask;
    t.parent = initTask;
    t.cred = this.initCred;
    t.real_cred = this.initCred;
    Cred.at(ram, this.initCred).usage += 2;
    t.start_time = this.clock.ns;
    t.start_boottime = this.clock.ns;
    t.comm.set(Uint8Array.from(comm.slice(0, TASK_COMM_LEN - 1), (c) => c.charCodeAt(0)));
    for (const list of LISTS) initListHead(ram, task + TaskStruct.w[list]);
  }

  /** What a new task needs beside its struct: all of it, or nothing. */
  private createParts(task: Handle): boolean {
    for (let i = 0; i < this.parts.length; i++) {
      if (this.parts[i].create(task)) continue;
      while (--i >= 0) this.parts[i].release(task);
      return false;
    }
    return true;
  }

  /**
   * Makes a task_struct with a context and a kernel stack, on the list of all tasks.
   * @returns its handle, 0 if there is no memory
   * @linux kernel/fork.c:dup_task_struct partial: nothing is inherited
   */
  allocate(comm: string): Handle {
    const { ram } = this;
    const { pages, slub } = this.memory();
    const stackPage = pages.allocPages(GFP_KERNEL, THREAD_SIZE_ORDER);
    if (stackPage === 0) return 0;
    const address = slub.kmemCacheAlloc(ram.ptr(this.cachep), GFP_KERNEL);
    if (address === 0) {
      pages.freePages(stackPage, THREAD_SIZE_ORDER);
      return 0;
    }
    const task = ram.handleOf(address);
    ram.fill(task * 4, TASK_BYTES, 0);
    this.fill(task, ++ram.i32[this.lastPid], comm, pages.pageAddress(stackPage));
    TaskStruct.at(ram, task).__state = TASK_NEW;
    if (!this.createParts(task)) {
      this.putCreds(task);
      pages.freePages(stackPage, THREAD_SIZE_ORDER);
      slub.kmemCacheFree(ram.ptr(this.cachep), address);
      return 0;
    }
    listAddTail(ram, task + TaskStruct.w.tasks, this.initTask + TaskStruct.w.tasks);
    listAddTail(ram, task + TaskStruct.w.sibling, this.initTask + TaskStruct.w.children);
    return task;
  }

  /** Takes a task that is over off all lists; its struct stays for as long as somebody refers to it. @linux kernel/exit.c:release_task full */
  free(task: Handle): void {
    const { ram } = this;
    const { pages } = this.memory();
    const t = TaskStruct.at(ram, task);
    listDel(ram, task + TaskStruct.w.tasks);
    listDel(ram, task + TaskStruct.w.sibling);
    for (const part of [...this.parts].reverse()) part.release(task);
    this.putCreds(task);
    pages.freePages(pages.virtToPage(t.stack), THREAD_SIZE_ORDER);
    t.stack = 0;
    t.exit_state = EXIT_DEAD;
    this.put(task);
  }

  /** Gives back who a task was; the idle task keeps init_cred for ever. @linux kernel/cred.c:exit_creds full */
  private putCreds(task: Handle): void {
    const { ram } = this;
    const { cred, real_cred } = TaskStruct.at(ram, task);
    for (const held of [real_cred, cred])
      if (--Cred.at(ram, held).usage === 0) this.memory().slub.kfree(ram.addressOf(held));
  }

  /** Whether a task has been taken off all lists. */
  isFreed(task: Handle): boolean {
    return TaskStruct.at(this.ram, task).exit_state === EXIT_DEAD;
  }

  /** Gives back a reference to a task's struct. @linux include/linux/sched/task.h:put_task_struct full */
  put(task: Handle): void {
    if (--TaskStruct.at(this.ram, task).usage === 0) this.freeStruct(task);
  }

  /** The last reference is gone. @linux kernel/fork.c:__put_task_struct full */
  freeStruct(task: Handle): void {
    const { ram } = this;
    this.memory().slub.kmemCacheFree(ram.ptr(this.cachep), ram.addressOf(task));
  }

  /** All tasks but init_task, oldest first. */
  all(): Handle[] {
    const { ram } = this;
    const head = this.initTask + TaskStruct.w.tasks;
    const all: Handle[] = [];
    if (listFirst(ram, head) === 0) return all;
    for (let node = checkedNext(ram, head); node !== head; node = checkedNext(ram, node))
      all.push(node - TaskStruct.w.tasks);
    return all;
  }

  /** Makes a task the current one while `body` runs, on its own kernel stack. */
  switchTo(task: Handle, body: () => void): void {
    const { ram } = this;
    const before = this.currentHandle;
    const { hostView } = ram;
    const sp = hostView.getBigInt64(REG.sp, true);
    const limit = hostView.getBigInt64(REG.spLimit, true);
    const { stack } = TaskStruct.at(ram, task);
    ram.setPtr(this.currentTask, task);
    hostView.setBigInt64(REG.sp, BigInt(stack + THREAD_SIZE), true);
    hostView.setBigInt64(REG.spLimit, BigInt(stack), true);
    try {
      body();
    } finally {
      hostView.setBigInt64(REG.sp, sp, true);
      hostView.setBigInt64(REG.spLimit, limit, true);
      ram.setPtr(this.currentTask, before);
    }
  }

  /** Makes the idle task the current one while `body` runs: what a CPU without work runs. */
  readonly asIdle = (body: () => void): void => {
    const before = this.currentHandle;
    this.ram.setPtr(this.currentTask, this.initTask);
    body();
    this.ram.setPtr(this.currentTask, before);
  };
}
