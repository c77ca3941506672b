// SPDX-License-Identifier: MIT
/** The kernel library that C modules lean on and that needs no blocking: its parts, made and wired in one place. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import type { BootParameters, Env } from '../lib/env.js';
import { type GuestAccess, readCString } from '../lib/guest_access.js';
import { idrExports } from '../lib/idr.js';
import { listEntries } from '../lib/list.js';
import { listDebugExports } from '../lib/list_debug.js';
import { mathExports } from '../lib/math_exports.js';
import { radixTreeExports } from '../lib/radix_tree.js';
import { rbtreeExports } from '../lib/rbtree_exports.js';
import { refcountExports } from '../lib/refcount.js';
import { stringHelperExports } from '../lib/string_helpers.js';
import { decodeLatin1 } from '../lib/utf8.js';
import { type NodeAllocator, XArrays } from '../lib/xarray.js';
import { xarrayExports } from '../lib/xarray_exports.js';
import { XaNode, XaNodes } from '../lib/xarray_node.js';
import { type Handle, REG, SUSPEND, type Vaddr } from '../machine/layout.js';
import { SLAB_PANIC, SLAB_RECLAIM_ACCOUNT } from '../mm/slab.js';
import type { Slub } from '../mm/slub.js';
import { AtomicSleep } from './atomic_sleep.js';
import { credExports } from './cred_exports.js';
import type { Kallsyms } from './kallsyms.js';
import { SpinLocks } from './locking/spinlock.js';
import { spinlockExports } from './locking/spinlock_exports.js';
import { Notifiers } from './notifier.js';
import { type Preempt, preemptExports } from './preempt.js';
import { TaskStruct } from './sched.js';
import { CpuMasks } from './smp.js';
import { stackTraceExports } from './stacktrace.js';
import { SystemState } from './system_state.js';
import type { Taint } from './taint.js';
import { taskExports } from './task_exports.js';
import { BusyWait } from './time/delay.js';
import { timeExports } from './time/time_exports.js';
import { Timekeeping } from './time/timekeeping.js';
import { UserAccess } from './uaccess.js';
import { uaccessExports } from './uaccess_exports.js';
import { checkObjectSize } from './usercopy.js';
import type { Watchdog } from './watchdog.js';

export interface LibraryServices {
  readonly env: Env;
  readonly preempt: Preempt;
  readonly watchdog: Watchdog;
  /** Handle of the running task, and of init_task, where the list of all tasks begins. */
  currentTask(): Handle;
  readonly initTask: Handle;
  readonly kallsyms: Kallsyms;
  readonly callC: CallC;
  readonly slub: Slub;
  readonly taint: Taint;
  /** One past the kernel's own text. */
  textEnd(): Vaddr;
}

export class Library {
  readonly mem: GuestAccess;
  readonly wait: BusyWait;
  readonly time: Timekeeping;
  readonly user: UserAccess;
  readonly locks: SpinLocks;
  readonly atomicSleep: AtomicSleep;
  readonly arrays: XArrays;
  /** Memory for the nodes of XArrays. */
  readonly nodeMemory: NodeAllocator;
  readonly notifiers: Notifiers;
  private readonly system: SystemState;
  private readonly cpuMasks: CpuMasks;
  private readonly nodeCache: Handle;
  private readonly refcountWarned: Handle;
  private readonly idrWarned: Handle;

  constructor(private readonly k: LibraryServices) {
    const { env, watchdog } = k;
    const { ram, data } = env;
    this.mem = { ram, guest: env.guest };
    this.wait = new BusyWait(ram, env.clock, watchdog);
    this.time = new Timekeeping(ram, data, env.clock, () => this.wait.nsSinceTick);
    this.user = new UserAccess(this.mem);
    const usercopy = { ram, log: env.log, reports: env.reports, slub: k.slub };
    this.user.checkObject = (address, bytes, toUser) => checkObjectSize(usercopy, address, bytes, toUser);
    this.cpuMasks = new CpuMasks(ram, data, env.nrCpus);
    this.refcountWarned = data.declare('refcount_warned', 4);
    this.idrWarned = data.declare('idr_warned', 4);
    this.atomicSleep = new AtomicSleep(
      {
        ram,
        preempt: k.preempt,
        log: (level, text) => env.log.log(level, text),
        dumpStack: (frames) => env.reports.dumpStack(frames),
        taint: (flag) => env.reports.taint(flag),
        current: () => env.current(),
        jiffies: () => watchdog.jiffiesNow,
        isResuming: () => ram.host32[REG.suspend >> 2] !== SUSPEND.none,
      },
      data,
      env.parameters,
    );
    this.locks = new SpinLocks(this.mem, k.preempt, {
      log: (level, text) => env.log.log(level, text),
      dumpStack: () => env.reports.dumpStack(),
      symbolize: (address) => env.reports.symbolize(address),
      current: () => env.current(),
      taskName: (pid) => this.taskName(pid),
      cpu: () => env.cpu(),
      spinForEver: () => this.stuck(),
    });
    data.alias('jiffies_64', 'jiffies');
    this.nodeCache = data.declare('radix_tree_node_cachep', 8);
    this.nodeMemory = {
      alloc: (gfp) => ram.handleOf(k.slub.kmemCacheAlloc(ram.ptr(this.nodeCache), gfp)),
      free: (node) => void k.slub.kmemCacheFree(ram.ptr(this.nodeCache), ram.addressOf(node)),
    };
    this.arrays = new XArrays(this.mem, new XaNodes(ram), this.nodeMemory);
    this.notifiers = new Notifiers(
      { mem: this.mem, ram, reports: env.reports, callC: k.callC, stuck: () => this.stuck() },
      data,
    );
    this.system = new SystemState(ram, data, k.taint);
  }

  /** What becomes of a CPU that goes round and round in damaged data. */
  private stuck(): never {
    return this.wait.forEver(this.k.env.reports.callerAddress());
  }

  boot(parameters: BootParameters): void {
    this.time.boot(parameters);
    this.cpuMasks.boot();
    this.notifiers.boot();
    this.system.boot();
    const { ram } = this.k.env;
    const flags = SLAB_PANIC | SLAB_RECLAIM_ACCOUNT;
    ram.setPtr(this.nodeCache, this.k.slub.kmemCacheCreate('radix_tree_node', XaNode.size, 0, flags));
  }

  /** Name of a task by its number. */
  private taskName(pid: number): string | undefined {
    const { env, initTask } = this.k;
    const { ram } = env;
    const tasks = [...listEntries(ram, initTask + TaskStruct.w.tasks)].map(
      (node) => node - TaskStruct.w.tasks,
    );
    const found = [initTask, ...tasks].find((task) => TaskStruct.at(ram, task).pid === pid);
    return found === undefined ? undefined : decodeLatin1(TaskStruct.at(ram, found).comm).replace(/\0.*/, '');
  }

  /** What it offers to C, in parts. */
  parts(): KernelExports[] {
    const { env, callC, slub, preempt } = this.k;
    const { mem, user, arrays } = this;
    const kmalloc = (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp);
    const kfree = (address: Vaddr) => void slub.kfree(address);
    const lock = (address: Vaddr) => {
      preempt.add(1);
      this.locks.take(address);
    };
    const unlock = (address: Vaddr) => {
      this.locks.release(address);
      preempt.sub(1);
    };
    const preemptDisable = () => preempt.add(1);
    const { ram } = env;
    return [
      preemptExports(preempt),
      spinlockExports(mem, this.locks),
      refcountExports(mem, env.reports, this.refcountWarned, lock),
      rbtreeExports(mem, callC, () => this.stuck()),
      xarrayExports(mem, arrays, { lock, unlock }),
      radixTreeExports(mem, arrays, preemptDisable),
      idrExports({ mem, arrays, callC, reports: env.reports, preemptDisable, warned: this.idrWarned }),
      listDebugExports(mem, env.log, env.reports),
      this.notifiers.exports(),
      stringHelperExports(mem, kmalloc, (task) =>
        decodeLatin1(readCString(mem, task + TaskStruct.o.comm, 16)),
      ),
      this.system.exports(),
      taskExports(mem, () => ram.addressOf(this.k.currentTask())),
      timeExports({
        mem,
        time: this.time,
        user,
        delay: (ns) => this.wait.pass(ns, env.reports.callerAddress()),
      }),
      uaccessExports({ mem, user, kmalloc, kfree }),
      {
        __check_object_size: [
          'v:pzb',
          (address: Vaddr, bytes: number, toUser: boolean) => user.checkObject(address, bytes, toUser),
        ],
      },
      stackTraceExports({
        mem,
        kallsyms: this.k.kallsyms,
        log: (level, text) => env.log.log(level, text),
        stackTrace: (max) => env.reports.stackTrace(max),
        textEnd: this.k.textEnd,
        dumpStack: () => env.reports.dumpStack(),
      }),
      credExports({ ram, current: this.k.currentTask, kmalloc, kfree }),
      mathExports(),
      this.atomicSleep.exports((file) => decodeLatin1(env.guest.readString(file, 256))),
    ];
  }
}
