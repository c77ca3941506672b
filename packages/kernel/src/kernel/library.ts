// SPDX-License-Identifier: MIT
/** The kernel library that C modules lean on and that needs no blocking: its parts, made and wired in one place. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import type { BootParameters, Env } from '../lib/env.js';
import { type GuestAccess, readUnsigned } from '../lib/guest_access.js';
import { listEntries } from '../lib/list.js';
import { mathExports } from '../lib/math_exports.js';
import { refcountExports } from '../lib/refcount.js';
import { decodeLatin1 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { AtomicSleep } from './atomic_sleep.js';
import { credExports } from './cred_exports.js';
import type { Kallsyms } from './kallsyms.js';
import { SpinLocks } from './locking/spinlock.js';
import { spinlockExports } from './locking/spinlock_exports.js';
import { type Preempt, preemptExports } from './preempt.js';
import { TaskStruct } from './sched.js';
import { CpuMasks, smpExports } from './smp.js';
import { stackTraceExports } from './stacktrace.js';
import { BusyWait } from './time/delay.js';
import { timeExports } from './time/time_exports.js';
import { Timekeeping } from './time/timekeeping.js';
import { UserAccess } from './uaccess.js';
import { uaccessExports } from './uaccess_exports.js';
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
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
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
  private readonly cpuMasks: CpuMasks;
  private readonly refcountWarned: Handle;

  constructor(private readonly k: LibraryServices) {
    const { env, watchdog } = k;
    const { ram, data } = env;
    this.mem = { ram, guest: env.guest };
    this.wait = new BusyWait(ram, env.clock, watchdog);
    this.time = new Timekeeping(ram, data, env.clock, () => this.wait.nsSinceTick);
    this.user = new UserAccess(this.mem);
    this.cpuMasks = new CpuMasks(ram, data, env.nrCpus);
    this.refcountWarned = data.declare('refcount_warned', 4);
    this.atomicSleep = new AtomicSleep(
      {
        ram,
        preempt: k.preempt,
        log: (level, text) => env.log.log(level, text),
        dumpStack: (frames) => env.reports.dumpStack(frames),
        taint: (flag) => env.reports.taint(flag),
        current: () => env.current(),
        jiffies: () => watchdog.jiffiesNow,
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
      spinForEver: () => this.wait.forEver(env.reports.callerAddress()),
    });
    data.alias('jiffies_64', 'jiffies');
  }

  boot(parameters: BootParameters): void {
    this.time.boot(parameters);
    this.cpuMasks.boot();
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

  exports(): KernelExports {
    const { env, callC, kmalloc, kfree } = this.k;
    const { mem, user } = this;
    const { ram } = env;
    return {
      ...preemptExports(this.k.preempt),
      ...spinlockExports(mem, this.locks),
      ...refcountExports(mem, env.reports, this.refcountWarned, (lock) => {
        this.k.preempt.add(1);
        this.locks.take(lock);
      }),
      ...timeExports({
        mem,
        time: this.time,
        user,
        delay: (ns) => this.wait.pass(ns, env.reports.callerAddress()),
      }),
      ...uaccessExports({ mem, user, kmalloc, kfree }),
      ...stackTraceExports({
        mem,
        kallsyms: this.k.kallsyms,
        log: (level, text) => env.log.log(level, text),
        stackTrace: (max) => env.reports.stackTrace(max),
        textEnd: this.k.textEnd,
        dumpStack: () => env.reports.dumpStack(),
      }),
      ...smpExports(
        env.nrCpus,
        () => env.cpu(),
        (_cpu, body) => body(),
        callC,
        (mask) => readUnsigned(mem, mask, 4),
      ),
      ...credExports({ ram, current: this.k.currentTask, kmalloc, kfree }),
      ...mathExports(),
      ...this.atomicSleep.exports((file) => decodeLatin1(env.guest.readString(file, 256))),
    };
  }
}
