// SPDX-License-Identifier: MIT
/**
 * Lists of sleeping tasks, linked through `wait_node` in the tasks' contexts: what kernel functions that sleep use
 * where C would have a waiter on its stack. A task is on one such list at most.
 */

import type { GuestAccess } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { CONTEXT, contextOf, TaskContext } from './context.js';
import type { Scheduler } from './core.js';

const NODE = CONTEXT + TaskContext.w.wait_node;

export interface WaitListDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  current(): Handle;
}

export class WaitLists {
  readonly list: GuestList;

  constructor(readonly deps: WaitListDeps) {
    this.list = new GuestList(deps);
  }

  /** Address of a task's link. */
  nodeOf(task: Handle): Vaddr {
    return this.deps.ram.addressOf(task + NODE);
  }

  /** The task of a link. */
  taskOf(node: Vaddr): Handle {
    return this.deps.ram.handleOf(node) - NODE;
  }

  context(task: Handle) {
    return contextOf(this.deps.ram, task);
  }

  /** Puts the current task at the end of a list, unless it is on one. */
  add(head: Vaddr): void {
    const node = this.nodeOf(this.deps.current());
    if (this.list.empty(node)) this.list.addTail(node, head);
  }

  /** Takes a task off the list that it is on, if it is on one. */
  remove(task: Handle): void {
    this.list.delInit(this.nodeOf(task));
  }

  first(head: Vaddr): Handle {
    const node = this.list.next(head);
    return node === head || node === 0 ? 0 : this.taskOf(node);
  }

  tasks(head: Vaddr): Handle[] {
    return [...this.list.nodes(head)].map((node) => this.taskOf(node));
  }

  /** Takes a task off its list and makes it runnable. */
  wake(task: Handle): void {
    this.remove(task);
    this.deps.scheduler.wake(task, ~0);
  }

  wakeAll(head: Vaddr): void {
    for (const task of this.tasks(head)) this.wake(task);
  }
}
