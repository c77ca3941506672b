// SPDX-License-Identifier: MIT
/**
 * `struct pid`: the number of a task, as something that can be held while the task comes and goes.
 *
 *     find_get_pid(80)      count 2   tasks[PIDTYPE_PID] → task 80      pid_task(): the task
 *     task 80 is over       count 1   tasks[PIDTYPE_PID] → nothing      pid_task(): NULL; nobody finds 80 any more
 *     put_pid()             freed
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { hlistAddHead, hlistDelInit, hlistFirst, initListHead } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { SLAB_HWCACHE_ALIGN, SLAB_PANIC } from '../mm/slab.js';
import type { Slub } from '../mm/slub.js';
import {
  PIDTYPE_MAX,
  PIDTYPE_PGID,
  PIDTYPE_PID,
  PIDTYPE_SID,
  PIDTYPE_TGID,
  Pid,
  SignalStruct,
  TaskStruct,
  Upid,
} from './sched.js';
import type { Tasks } from './tasks.js';

/** Bytes of the namespace of all numbers: C knows its address only. */
const NAMESPACE_BYTES = 128;
const HEAD_WORDS = 2;
const LINK_WORDS = 4;
const TASKS = Pid.w.tasks;
const LINKS = TaskStruct.w.pid_links;
const NUMBER = Pid.w.numbers + Upid.w.nr;

export interface PidDeps {
  readonly ram: Ram;
  readonly tasks: Tasks;
  readonly slub: Slub;
}

export class Pids {
  private readonly namespace: Handle;
  private readonly initPid: Handle;
  private readonly cachep: Handle;

  constructor(
    private readonly deps: PidDeps,
    data: StaticData,
  ) {
    this.namespace = data.declareObject('init_pid_ns', NAMESPACE_BYTES);
    this.initPid = data.declareObject('init_struct_pid', Pid.size);
    this.cachep = data.declare('pid_cachep', 8);
    deps.tasks.parts.push(this);
  }

  boot(): void {
    const { ram, slub, tasks } = this.deps;
    ram.setPtr(this.cachep, slub.kmemCacheCreate('pid', Pid.size, 0, SLAB_HWCACHE_ALIGN | SLAB_PANIC, 0));
    this.fill(this.initPid, 0);
    this.attachAll(tasks.initTask, this.initPid, this.initPid);
  }

  private at(pid: Handle) {
    return Pid.at(this.deps.ram, pid);
  }

  private task(task: Handle) {
    return TaskStruct.at(this.deps.ram, task);
  }

  private fill(pid: Handle, nr: number): void {
    const { ram } = this.deps;
    ram.fill(pid * 4, Pid.size, 0);
    this.at(pid).count = 1;
    ram.i32[pid + NUMBER] = nr;
    ram.setPtr(pid + Pid.w.numbers + Upid.w.ns, this.namespace);
    initListHead(ram, pid + Pid.w.wait_pidfd + 2);
  }

  // ---------------------------------------------------------------- with a task's life

  /** Gives a new task its number; false if there is no memory. @linux kernel/pid.c:alloc_pid partial: one namespace */
  create(task: Handle): boolean {
    const { ram, slub } = this.deps;
    const address = slub.kmemCacheAlloc(ram.ptr(this.cachep), GFP_KERNEL);
    if (address === 0) return false;
    const pid = ram.handleOf(address);
    this.fill(pid, this.task(task).pid);
    this.attachAll(task, pid, pid);
    return true;
  }

  /** Makes a task a member of the group and session of the idle task, as kernel threads are. */
  joinKernel(task: Handle): void {
    for (const type of [PIDTYPE_PGID, PIDTYPE_SID]) {
      this.detach(task, type);
      this.attach(task, type, this.initPid);
    }
  }

  private attachAll(task: Handle, own: Handle, group: Handle): void {
    this.attach(task, PIDTYPE_PID, own);
    this.attach(task, PIDTYPE_TGID, own);
    this.attach(task, PIDTYPE_PGID, group);
    this.attach(task, PIDTYPE_SID, group);
  }

  /** @linux kernel/pid.c:attach_pid full */
  private attach(task: Handle, type: number, pid: Handle): void {
    const { ram } = this.deps;
    if (type === PIDTYPE_PID) this.task(task).thread_pid = pid;
    else ram.setPtr(this.signalSlot(task, type), pid);
    hlistAddHead(ram, task + LINKS + LINK_WORDS * type, pid + TASKS + HEAD_WORDS * type);
  }

  private detach(task: Handle, type: number): void {
    hlistDelInit(this.deps.ram, task + LINKS + LINK_WORDS * type);
  }

  private signalSlot(task: Handle, type: number): Handle {
    return this.task(task).signal + SignalStruct.w.pids + 2 * type;
  }

  /** Takes a task that is over off its number. @linux kernel/exit.c:__unhash_process full */
  release(task: Handle): void {
    const own = this.task(task).thread_pid;
    for (let type = 0; type < PIDTYPE_MAX; type++) this.detach(task, type);
    this.task(task).thread_pid = 0;
    this.put(own);
  }

  // ---------------------------------------------------------------- by number

  /** The struct pid of a task, its process, group or session. @linux kernel/pid.c:task_pid_ptr full */
  pidOf(task: Handle, type: number): Handle {
    if (type === PIDTYPE_PID) return this.task(task).thread_pid;
    if (type < 0 || type >= PIDTYPE_MAX || this.task(task).signal === 0) return 0;
    return this.deps.ram.ptr(this.signalSlot(task, type));
  }

  /** @linux kernel/pid.c:find_vpid differs: looks through all tasks */
  find(nr: number): Handle {
    const { ram, tasks } = this.deps;
    if (nr <= 0) return 0;
    for (const task of tasks.all()) {
      const { thread_pid: pid } = this.task(task);
      if (pid !== 0 && ram.i32[pid + NUMBER] === nr) return pid;
    }
    return 0;
  }

  /** The first task that a number stands for. @linux kernel/pid.c:pid_task full */
  taskOf(pid: Handle, type: number): Handle {
    if (pid === 0 || type < 0 || type >= PIDTYPE_MAX) return 0;
    const link = hlistFirst(this.deps.ram, pid + TASKS + HEAD_WORDS * type);
    return link === 0 ? 0 : link - LINKS - LINK_WORDS * type;
  }

  /** All tasks that a number stands for. */
  tasksOf(pid: Handle, type: number): Handle[] {
    const { ram } = this.deps;
    const found: Handle[] = [];
    let link = pid === 0 ? 0 : hlistFirst(ram, pid + TASKS + HEAD_WORDS * type);
    for (; link !== 0; link = ram.ptr(link)) found.push(link - LINKS - LINK_WORDS * type);
    return found;
  }

  get(pid: Handle): Handle {
    if (pid !== 0) this.at(pid).count++;
    return pid;
  }

  /** @linux kernel/pid.c:put_pid full */
  put(pid: Handle): void {
    const { ram, slub } = this.deps;
    if (pid === 0 || --this.at(pid).count !== 0) return;
    slub.kmemCacheFree(ram.ptr(this.cachep), ram.addressOf(pid));
  }

  exports(): KernelExports {
    const { ram } = this.deps;
    const address = (handle: Handle): Vaddr => (handle === 0 ? 0 : ram.addressOf(handle));
    const handle = (at: Vaddr): Handle => (at === 0 ? 0 : ram.handleOf(at));
    const hold = (task: Handle): Vaddr => {
      if (task !== 0) this.task(task).usage++;
      return address(task);
    };
    const number = (pid: Vaddr) => (pid === 0 ? 0 : ram.i32[handle(pid) + NUMBER]);
    const numberOf = (task: Vaddr, type: number) =>
      number(address(this.pidOf(task === 0 ? this.deps.tasks.currentHandle : handle(task), type)));
    return {
      find_vpid: ['p:i', (nr: number) => address(this.find(nr))],
      find_pid_ns: ['p:ip', (nr: number) => address(this.find(nr))],
      find_get_pid: ['p:i', (nr: number) => address(this.get(this.find(nr)))],
      put_pid: ['v:p', (pid: Vaddr) => this.put(handle(pid))],
      get_task_pid: [
        'p:pi',
        (task: Vaddr, type: number) => address(this.get(this.pidOf(handle(task), type))),
      ],
      pid_task: ['p:pi', (pid: Vaddr, type: number) => address(this.taskOf(handle(pid), type))],
      get_pid_task: ['p:pi', (pid: Vaddr, type: number) => hold(this.taskOf(handle(pid), type))],
      find_task_by_vpid: ['p:i', (nr: number) => address(this.taskOf(this.find(nr), PIDTYPE_PID))],
      find_get_task_by_vpid: ['p:i', (nr: number) => hold(this.taskOf(this.find(nr), PIDTYPE_PID))],
      pid_vnr: ['i:p', number],
      pid_nr_ns: ['i:pp', number],
      __task_pid_nr_ns: ['i:pip', numberOf],
    };
  }
}
