// SPDX-License-Identifier: MIT
/** /proc/self, and /proc/PID/cwd, root and fd/N: links that lead to the place itself, whatever it is called by now. */

import { TaskStruct } from '../../kernel/sched.js';
import type { Tasks } from '../../kernel/tasks.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { FileTable } from '../file_table.js';
import type { Mounts, Place } from '../namespace.js';
import { FsStruct } from '../vfs_types.js';
import type { ProcLinks } from './root.js';

export interface TaskLinkDeps {
  readonly ram: Ram;
  readonly tasks: Tasks;
  readonly files: FileTable;
  readonly mounts: Mounts;
  /** Where the paths of the running task start. */
  root(): Place;
}

/** A path below /proc: of a task that has files, and what of it. */
const TASK_PATH = /^(\d+)(?:\/(cwd|root|fd)(?:\/(0|[1-9]\d*))?)?$/;

export class TaskLinks implements ProcLinks {
  constructor(private readonly deps: TaskLinkDeps) {}

  /** A task of a number that has files; 0 if there is none. */
  private task(pid: number): Handle {
    return this.deps.tasks.all().find((task) => this.at(task).pid === pid && this.at(task).fs !== 0) ?? 0;
  }

  private at(task: Handle) {
    return TaskStruct.at(this.deps.ram, task);
  }

  /** The place behind a link, not held. */
  private find(path: string): Place | undefined {
    const [, pid, what, fd] = TASK_PATH.exec(path) ?? [];
    const task = what === undefined ? 0 : this.task(Number(pid));
    if (task === 0 || (what === 'fd') !== (fd !== undefined)) return undefined;
    if (what === 'fd') return this.fileOf(task, Number(fd));
    const { mnt, dentry } = FsStruct.at(this.deps.ram, this.at(task).fs)[what === 'cwd' ? 'pwd' : 'root'];
    return { mnt: this.deps.mounts.ofVfsmount(mnt), dentry };
  }

  /** @linux fs/proc/fd.c:proc_fd_link full */
  private fileOf(task: Handle, fd: number): Place | undefined {
    const { files } = this.deps;
    const file = files.lookup(this.at(task).files, fd);
    return file === 0 || files.file(file).f_path.dentry === 0 ? undefined : files.placeOf(file);
  }

  /** @linux fs/proc/base.c:proc_pid_get_link full */
  place(path: string): Place | undefined {
    const place = this.find(path);
    return place && this.deps.mounts.get(place);
  }

  /** @linux fs/proc/self.c:proc_self_get_link full */
  target(path: string): string | undefined {
    const { tasks, mounts, root } = this.deps;
    if (path === 'self') return tasks.currentPid === 0 ? undefined : String(tasks.currentPid);
    const place = this.find(path);
    return place && mounts.pathOf(place, root());
  }

  /** @linux fs/proc/fd.c:proc_readfd_common full */
  names(folder: string): readonly string[] | undefined {
    if (folder === '') return this.deps.tasks.currentPid === 0 ? [] : ['self'];
    const [, pid, what, fd] = TASK_PATH.exec(folder) ?? [];
    const task = pid === undefined || fd !== undefined ? 0 : this.task(Number(pid));
    if (task === 0) return undefined;
    if (what === undefined) return ['cwd', 'fd/', 'root'];
    return what === 'fd' ? this.deps.files.descriptors(this.at(task).files).map(String) : undefined;
  }
}
