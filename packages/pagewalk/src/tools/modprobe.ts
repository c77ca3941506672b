// SPDX-License-Identifier: MIT
/** modprobe: loads a module by name or alias, and what it needs before it; kmod's words and exit codes. */

import { UTS_RELEASE } from '@pagewalk/kernel/kernel/utsname';
import type { Machine } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { matches } from '../shell/pattern.js';
import { type Flags, parseFlags, withUsage } from './arguments.js';
import { errnoMessage } from './errno.js';
import { death, parameterText } from './kmod.js';
import { moduleName, parseSoftdep, type SoftDependency, wordLines } from './module_index.js';

const EEXIST = 17;
const ENOENT = 2;
const LIBRARY = `/lib/modules/${UTS_RELEASE}`;

/** The indexes and /etc/modprobe.d. */
class ModuleLibrary {
  /** Path of each module, and of those it needs, its direct needs first. */
  readonly files = new Map<string, { path: string; needs: string[] }>();
  readonly soft = new Map<string, SoftDependency>();
  readonly aliases: { pattern: string; module: string }[] = [];
  readonly options = new Map<string, string[]>();
  readonly blacklist = new Set<string>();

  constructor({ fs }: CommandContext) {
    for (const [file, ...needs] of wordLines(fs, `${LIBRARY}/modules.dep`)) {
      const path = file.replace(/:$/, '');
      this.files.set(moduleName(path), { path: `${LIBRARY}/${path}`, needs: needs.map(moduleName) });
    }
    const configuration = fs.isDirectory('/etc/modprobe.d')
      ? fs
          .readdir('/etc/modprobe.d')
          .filter((name) => name.endsWith('.conf'))
          .sort()
      : [];
    const own = configuration.map((name) => `/etc/modprobe.d/${name}`);
    for (const path of [
      ...own,
      ...['alias', 'symbols', 'softdep'].map((name) => `${LIBRARY}/modules.${name}`),
    ])
      for (const words of wordLines(fs, path)) this.line(words);
  }

  private line([kind, name, ...rest]: string[]): void {
    const module = name?.replaceAll('-', '_') ?? '';
    if (kind === 'alias' && rest[0]) this.aliases.push({ pattern: module, module: moduleName(rest[0]) });
    else if (kind === 'options') this.options.set(module, [...(this.options.get(module) ?? []), ...rest]);
    else if (kind === 'blacklist') this.blacklist.add(module);
    else if (kind === 'softdep') this.soft.set(module, parseSoftdep(rest));
  }

  /** Modules that a name means: itself, or those with an alias that fits. */
  find(wanted: string, honourBlacklist: boolean): string[] {
    const name = wanted.replaceAll('-', '_');
    if (this.files.has(name)) return [name];
    const found = this.aliases
      .filter(({ pattern }) => matches([{ text: pattern, quoted: false }], name))
      .map(({ module }) => module)
      .filter((module) => this.files.has(module) && !(honourBlacklist && this.blacklist.has(module)));
    return [...new Set(found)];
  }
}

/** One run: what it was told, and what it has to do with. */
class Run {
  readonly library: ModuleLibrary;
  private readonly visiting = new Set<string>();

  constructor(
    private readonly machine: Machine,
    private readonly context: CommandContext,
    private readonly flags: Flags,
  ) {
    this.library = new ModuleLibrary(context);
  }

  private loaded(name: string) {
    return this.machine.modules().find((module) => module.name === name);
  }

  async fatal(message: string): Promise<number> {
    if (!this.flags.has('q')) await this.context.err(`modprobe: FATAL: ${message}\n`);
    return 1;
  }

  private async error(message: string): Promise<number> {
    await this.context.err(`modprobe: ERROR: ${message}\n`);
    return 1;
  }

  /** Loads what the module needs, its `pre` ones, itself, its `post` ones. */
  async insert(name: string, parameters: readonly string[], asked = true): Promise<number> {
    const file = this.library.files.get(name);
    if (!file || this.visiting.has(name)) return 0;
    const soft = this.library.soft.get(name) ?? { pre: [], post: [] };
    this.visiting.add(name);
    try {
      for (const other of soft.pre) await this.softly(other);
      for (const needed of [...file.needs].reverse()) {
        const status = await this.one(needed, [], false);
        if (status !== 0) return status;
      }
      const status = await this.one(name, parameters, asked);
      if (status !== 0) return status;
      for (const other of soft.post) await this.softly(other);
      return 0;
    } finally {
      this.visiting.delete(name);
    }
  }

  /** A soft dependency that cannot be had is none. */
  private async softly(name: string): Promise<void> {
    for (const module of this.library.find(name, true)) await this.insert(module, [], false);
  }

  private async one(name: string, parameters: readonly string[], asked: boolean): Promise<number> {
    const { path } = this.library.files.get(name)!;
    const showing = this.flags.has('D');
    if (!showing && this.loaded(name)) {
      if (asked && this.flags.has('F'))
        return this.error(`could not insert '${name}': Module already in kernel`);
      return 0;
    }
    const text = parameterText([...(this.library.options.get(name) ?? []), ...parameters]);
    if (showing || this.flags.has('v')) await this.context.out(`insmod ${path} ${text}\n`);
    if (showing || this.flags.has('n')) return 0;
    const image = this.context.fs.readFile(path);
    this.context.fs.exit(); // the call below is made by a task of its own
    const result = this.machine.insmod(image, text);
    const dead = await death(this.context, result);
    if (dead !== undefined) return dead;
    if (result.status >= 0 || (result.status === -EEXIST && !asked)) return 0;
    const reason =
      result.status === -ENOENT
        ? 'Unknown symbol in module, or unknown parameter (see dmesg)'
        : result.status === -EEXIST
          ? 'Module already in kernel'
          : errnoMessage(-result.status);
    return this.error(`could not insert '${name}': ${reason}`);
  }

  /** Unloads a module, and what only it needed. */
  async remove(name: string, asked = true): Promise<number> {
    const module = this.loaded(name);
    if (!module) {
      if (asked && this.flags.has('F')) return this.fatal(`Module ${name} is not in kernel.`);
      return 0;
    }
    const soft = this.library.soft.get(name) ?? { pre: [], post: [] };
    for (const other of [...soft.post].reverse()) await this.removeUnused(other);
    if (module.refcount > 0) return asked ? this.fatal(`Module ${name} is in use.`) : 0;
    if (this.flags.has('v')) await this.context.out(`rmmod ${name}\n`);
    if (this.flags.has('n')) return 0;
    const result = this.machine.rmmod(name);
    const dead = await death(this.context, result);
    if (dead !== undefined) return dead;
    if (result.status < 0) return this.error(`could not remove '${name}': ${errnoMessage(-result.status)}`);
    for (const needed of this.library.files.get(name)?.needs ?? []) await this.removeUnused(needed);
    for (const other of [...soft.pre].reverse()) await this.removeUnused(other);
    return 0;
  }

  private async removeUnused(name: string): Promise<void> {
    if (this.loaded(name)?.refcount === 0) await this.remove(name, false);
  }
}

const LONG = {
  remove: 'r',
  'show-depends': 'D',
  'dry-run': 'n',
  show: 'n',
  verbose: 'v',
  quiet: 'q',
  all: 'a',
  'use-blacklist': 'b',
  'resolve-alias': 'R',
  'first-time': 'F',
  force: 'f',
  'ignore-install': 'i',
};

export const modprobe =
  (machine: Machine): Command =>
  (context) =>
    withUsage(context, async () => {
      const flags = parseFlags(context.args, 'rDnvqabRFfi', LONG);
      const run = new Run(machine, context, flags);
      const [first, ...rest] = flags.operands;
      if (first === undefined) {
        await context.err('modprobe: ERROR: missing parameters. See -h.\n');
        return 1;
      }
      const names = flags.has('r') || flags.has('a') ? flags.operands : [first];
      const parameters = names.length === 1 && !flags.has('a') ? rest : [];
      let status = 0;
      for (const name of names) {
        const found = run.library.find(name, flags.has('b'));
        const loaded = flags.has('r') && machine.modules().some((module) => module.name === moduleName(name));
        if (found.length === 0 && !loaded) {
          status = await run.fatal(
            `Module ${name} not found${flags.has('r') ? '.' : ` in directory ${LIBRARY}`}`,
          );
          continue;
        }
        for (const module of loaded ? [moduleName(name)] : found) {
          let outcome = 0;
          if (flags.has('R')) await context.out(`${module}\n`);
          else if (flags.has('r')) outcome = await run.remove(module);
          else outcome = await run.insert(module, parameters);
          if (outcome > 128) return outcome;
          status ||= outcome;
        }
      }
      return status;
    });
