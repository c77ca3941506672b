// SPDX-License-Identifier: MIT
/** `struct task_struct` and what hangs on it: the fields of Linux 6.1 that this kernel, or a module, looks at. */

import { named } from '../lib/c_types.js';
import { HlistHead, HlistNode, ListHead } from '../lib/list.js';
import { spinlock, WaitQueueHead } from '../lib/lock_types.js';
import { addr, array, chars, fn, int, ptr, s16, struct, u32, u64, uint, ulong } from '../lib/struct.js';

const pid = named(int, 'pid_t');
const refcount = named(int, 'refcount_t');

// Values of task_struct.__state.
export const TASK_RUNNING = 0x0000;
export const TASK_INTERRUPTIBLE = 0x0001;
export const TASK_UNINTERRUPTIBLE = 0x0002;
export const __TASK_STOPPED = 0x0004;
export const __TASK_TRACED = 0x0008;
export const EXIT_DEAD = 0x0010;
export const EXIT_ZOMBIE = 0x0020;
export const TASK_PARKED = 0x0040;
export const TASK_DEAD = 0x0080;
export const TASK_WAKEKILL = 0x0100;
export const TASK_WAKING = 0x0200;
export const TASK_NOLOAD = 0x0400;
export const TASK_NEW = 0x0800;
export const TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE;
const TASK_REPORT = 0x7f;
export const TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD;

// Bits of task_struct.flags.
export const PF_EXITING = 0x4;
export const PF_WQ_WORKER = 0x20;
export const PF_FORKNOEXEC = 0x40;
export const PF_MEMALLOC = 0x800;
export const PF_KSWAPD = 0x20000;
export const PF_MEMALLOC_NOFS = 0x40000;
export const PF_MEMALLOC_NOIO = 0x80000;
export const PF_KTHREAD = 0x200000;
export const PF_RANDOMIZE = 0x400000;
export const PF_NO_SETAFFINITY = 0x4000000;

// What a struct pid may number.
export const PIDTYPE_PID = 0;
export const PIDTYPE_TGID = 1;
export const PIDTYPE_PGID = 2;
export const PIDTYPE_SID = 3;
export const PIDTYPE_MAX = 4;

export const TASK_COMM_LEN = 16;

// Values of task_struct.policy.
export const SCHED_NORMAL = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
/** Priorities below are real-time ones; 120 is that of nice 0. */
export const MAX_RT_PRIO = 100;
export const DEFAULT_PRIO = 120;

/** Bits of `flags` are TIF_*: 2 signal pending, 3 reschedule. */
export const ThreadInfo = struct('thread_info', {
  flags: ulong,
  syscall_work: ulong,
  status: u32,
  cpu: u32,
});

export const Sigpending = struct('sigpending', { list: ListHead, signal: named(u64, 'sigset_t') });

export const Rlimit = struct('rlimit', { rlim_cur: ulong, rlim_max: ulong });
export const RLIM_NLIMITS = 16;

/** A number in one namespace of numbers. */
export const Upid = struct('upid', { nr: int, ns: ptr('struct pid_namespace') });

/** The number of a task, process, group or session: it outlives the task for as long as somebody refers to it. */
export const Pid = struct('pid', {
  count: refcount,
  level: uint,
  lock: spinlock,
  /** Tasks that it numbers, by kind. */
  tasks: array(HlistHead, PIDTYPE_MAX),
  inodes: HlistHead,
  wait_pidfd: WaitQueueHead,
  rcu: array(ulong, 2),
  numbers: array(Upid, 1),
});

export const _NSIG = 64;

export const Sigaction = struct('sigaction', {
  sa_handler: fn('void', 'int'),
  sa_flags: ulong,
  sa_restorer: fn('void', 'void'),
  sa_mask: named(u64, 'sigset_t'),
});
export const KSigaction = struct('k_sigaction', { sa: Sigaction });

/** What a task does with each signal; the siglock of it is also that of the pending ones. */
export const SighandStruct = struct('sighand_struct', {
  siglock: spinlock,
  count: refcount,
  signalfd_wqh: WaitQueueHead,
  action: array(KSigaction, _NSIG),
});

/** What the threads of a process share about signals, exit and limits. */
export const SignalStruct = struct('signal_struct', {
  sigcnt: refcount,
  live: named(int, 'atomic_t'),
  nr_threads: int,
  thread_head: ListHead,
  wait_chldexit: WaitQueueHead,
  shared_pending: Sigpending,
  group_exit_code: int,
  /** SIGNAL_* */
  flags: uint,
  pids: array(ptr('struct pid'), PIDTYPE_MAX),
  utime: u64,
  stime: u64,
  cutime: u64,
  cstime: u64,
  min_flt: ulong,
  maj_flt: ulong,
  cmin_flt: ulong,
  cmaj_flt: ulong,
  maxrss: ulong,
  cmaxrss: ulong,
  rlim: array(Rlimit, RLIM_NLIMITS),
  oom_score_adj: s16,
  oom_score_adj_min: s16,
  oom_mm: ptr('struct mm_struct'),
});

export const TaskStruct = struct(
  'task_struct',
  {
    thread_info: ThreadInfo,
    __state: uint,
    /** THREAD_SIZE bytes of C stack for kernel code. */
    stack: addr(),
    usage: refcount,
    /** PF_* */
    flags: uint,
    ptrace: uint,
    on_cpu: int,
    recent_used_cpu: int,
    wake_cpu: int,
    on_rq: int,
    prio: int,
    static_prio: int,
    normal_prio: int,
    rt_priority: uint,
    policy: uint,
    nr_cpus_allowed: int,
    cpus_ptr: addr('const cpumask_t'),
    cpus_mask: named(ulong, 'cpumask_t'),
    /** Links all processes, from init_task.tasks on. */
    tasks: ListHead,
    /** NULL in a kernel thread, which borrows active_mm. */
    mm: ptr('struct mm_struct'),
    active_mm: ptr('struct mm_struct'),
    exit_state: int,
    exit_code: int,
    exit_signal: int,
    pdeath_signal: int,
    personality: uint,
    atomic_flags: ulong,
    pid,
    tgid: pid,
    stack_canary: ulong,
    real_parent: ptr('struct task_struct'),
    parent: ptr('struct task_struct'),
    children: ListHead,
    sibling: ListHead,
    group_leader: ptr('struct task_struct'),
    ptraced: ListHead,
    ptrace_entry: ListHead,
    thread_pid: ptr('struct pid'),
    pid_links: array(HlistNode, PIDTYPE_MAX),
    thread_group: ListHead,
    thread_node: ListHead,
    vfork_done: ptr('struct completion'),
    set_child_tid: addr('int'),
    clear_child_tid: addr('int'),
    /** PF_KTHREAD: the kthread's own data. */
    worker_private: addr(),
    utime: u64,
    stime: u64,
    nvcsw: ulong,
    nivcsw: ulong,
    /** Nanoseconds since boot. */
    start_time: u64,
    start_boottime: u64,
    min_flt: ulong,
    maj_flt: ulong,
    ptracer_cred: ptr('const struct cred'),
    real_cred: ptr('const struct cred'),
    cred: ptr('const struct cred'),
    comm: chars(TASK_COMM_LEN),
    fs: ptr('struct fs_struct'),
    files: ptr('struct files_struct'),
    nsproxy: addr('struct nsproxy'),
    signal: ptr('struct signal_struct'),
    sighand: ptr('struct sighand_struct'),
    blocked: named(u64, 'sigset_t'),
    real_blocked: named(u64, 'sigset_t'),
    pending: Sigpending,
    alloc_lock: spinlock,
    pi_lock: spinlock,
    journal_info: addr(),
    reclaim_state: ptr('struct reclaim_state'),
    nr_dirtied: int,
    nr_dirtied_pause: int,
    /** Why the task waits, if it does: a function's address. */
    wchan: ulong,
  },
  { align: 64 },
);

/**
 * The letter of a task's state, as ps and /proc show it.
 * @linux include/linux/sched.h:task_state_to_char full
 */
export function stateLetter(state: number, exitState = 0): string {
  if (state === TASK_IDLE) return 'I';
  const report = (state | exitState) & TASK_REPORT;
  return 'RSDTtXZP'[32 - Math.clz32(report)];
}
