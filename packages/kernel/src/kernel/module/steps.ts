// SPDX-License-Identifier: MIT
/** insmod and rmmod as tasks: the module's own functions may sleep in between. */

import type { Handle } from '../../machine/layout.js';
import { done, type Outcome } from '../sched/context.js';
import type { Scheduler } from '../sched/core.js';
import { SYSCALL_FRAMES } from '../symbols.js';
import type { Modules } from './main.js';

/** What a command brings with it into the kernel: its first step takes it before anything can sleep. */
export interface ModuleCommand {
  readonly image?: Uint8Array;
  /** insmod: parameters; rmmod: the module's name. */
  readonly text: string;
}

export class ModuleSteps {
  /** What tasks that have not begun yet bring, by task. */
  private readonly commands = new Map<Handle, ModuleCommand>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly modules: Modules,
  ) {
    scheduler.step('insmod', () => this.insmod());
    scheduler.step('insmod:init', ([module], result) => this.initDone(module, result));
    scheduler.step('rmmod', () => this.rmmod());
    scheduler.step('rmmod:exit', ([module]) => this.exitDone(module));
  }

  /** A task that loads or unloads a module; 0 if there is no memory for one. */
  task(name: 'insmod' | 'rmmod', command: ModuleCommand): Handle {
    const task = this.scheduler.create(name, name);
    if (task !== 0) this.commands.set(task, command);
    return task;
  }

  private take(): ModuleCommand {
    const task = this.scheduler.currentTask;
    const command = this.commands.get(task);
    this.commands.delete(task);
    return command ?? { text: '' };
  }

  private insmod(): Outcome {
    const { image, text } = this.take();
    const m = this.modules.load(image ?? new Uint8Array(), text);
    if (typeof m === 'number') return done(m);
    if (m.init === 0) return done(this.modules.initDone(m, 0));
    const frames = [...SYSCALL_FRAMES, '__do_sys_finit_module', 'do_init_module', 'do_one_initcall'];
    return {
      kind: 'call',
      fn: m.init,
      signature: 'i:',
      args: [],
      step: 'insmod:init',
      data: [m.handle],
      frames,
    };
  }

  private initDone(module: Handle, result: number): Outcome {
    const m = this.modules.byHandle(module);
    return done(m ? this.modules.initDone(m, result) : 0);
  }

  private rmmod(): Outcome {
    const m = this.modules.unload(this.take().text);
    if (typeof m === 'number') return done(m);
    if (m.exit === 0) return this.exitDone(m.handle);
    const frames = [...SYSCALL_FRAMES, '__do_sys_delete_module.constprop.0'];
    return {
      kind: 'call',
      fn: m.exit,
      signature: 'v:',
      args: [],
      step: 'rmmod:exit',
      data: [m.handle],
      frames,
    };
  }

  private exitDone(module: Handle): Outcome {
    const m = this.modules.byHandle(module);
    if (m) this.modules.exitDone(m);
    return done(0);
  }
}
