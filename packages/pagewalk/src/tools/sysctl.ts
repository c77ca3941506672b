// SPDX-License-Identifier: MIT
/** sysctl: reads and writes settings of the kernel below /proc/sys, as procps 4 does. */

import { FsError } from '../fs/filesystem.js';
import type { Command, CommandContext } from '../shell/command.js';
import { withUsage } from './arguments.js';
import { compilePattern } from './grep.js';

const ROOT = '/proc/sys';
const DEFAULT_FILE = '/etc/sysctl.conf';
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export const SYSCTL_USAGE = `
Usage:
 sysctl [options] [variable[=value] ...]

Options:
  -a, --all            show every variable (also -A, -X)
      --dry-run        show what would be written, and write nothing
  -b, --binary         show a value without the newline behind it
  -e, --ignore         say nothing of variables that are not there
  -N, --names          show names only
  -n, --values         show values only
  -p, --load[=<file>]  take settings from a file, by default ${DEFAULT_FILE} (also -f)
  -r, --pattern <expression>
                       only variables whose names match
  -q, --quiet          do not show what was set
  -w, --write          every argument sets a variable
  -h, --help           this text
  -V, --version        the version
`;

interface Options {
  all: boolean;
  dryRun: boolean;
  newline: boolean;
  ignore: boolean;
  names: boolean;
  values: boolean;
  load: boolean;
  quiet: boolean;
  write: boolean;
  pattern?: RegExp;
  help?: boolean;
  version?: boolean;
  readonly operands: string[];
}

type Flag = 'all' | 'dryRun' | 'newline' | 'ignore' | 'names' | 'values' | 'load' | 'quiet' | 'write';

/** What each option sets; `binary` is a value without its newline. */
const LETTERS: Readonly<Record<string, readonly [Flag | 'help' | 'version', boolean]>> = {
  a: ['all', true],
  A: ['all', true],
  X: ['all', true],
  b: ['newline', false],
  e: ['ignore', true],
  N: ['names', true],
  n: ['values', true],
  p: ['load', true],
  f: ['load', true],
  q: ['quiet', true],
  w: ['write', true],
  h: ['help', true],
  V: ['version', true],
};
const LONG: Readonly<Record<string, string>> = {
  all: 'a',
  binary: 'b',
  ignore: 'e',
  names: 'N',
  values: 'n',
  load: 'p',
  quiet: 'q',
  write: 'w',
  help: 'h',
  version: 'V',
};
/** Options of old versions that do nothing. */
const OLD = 'ox';

/** The options, or what is wrong with them. */
function parse(args: readonly string[]): Options | string {
  const options: Options = {
    all: false,
    dryRun: false,
    newline: true,
    ignore: false,
    names: false,
    values: false,
    load: false,
    quiet: false,
    write: false,
    operands: [],
  };
  const set = (letter: string) => {
    const [flag, value] = LETTERS[letter];
    options[flag] = value;
    if (letter === 'b') options.values = true;
  };
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      options.operands.push(...queue);
      break;
    }
    if (arg.startsWith('--')) {
      const [name, value] = arg.slice(2).split(/=(.*)/s);
      if (name === 'dry-run') options.dryRun = true;
      else if (name === 'pattern') options.pattern = compilePattern(value ?? queue.shift() ?? '', true, '');
      else if (name === 'deprecated') continue;
      else if (LONG[name]) {
        set(LONG[name]);
        if (name === 'load' && value) options.operands.push(value);
      } else return `unrecognized option '${arg}'`;
    } else if (arg.length > 1 && arg.startsWith('-') && !arg.includes('=')) {
      for (let i = 1; i < arg.length; i++) {
        const rest = arg.slice(i + 1);
        if (arg[i] === 'r') {
          options.pattern = compilePattern(rest === '' ? (queue.shift() ?? '') : rest, true, '');
          break;
        }
        if (OLD.includes(arg[i])) continue;
        if (!LETTERS[arg[i]]) return `invalid option -- '${arg[i]}'`;
        set(arg[i]);
        if (options.load && 'pf'.includes(arg[i]) && rest !== '') {
          options.operands.push(rest);
          break;
        }
      }
    } else options.operands.push(arg);
  }
  return options;
}

/** Dots and slashes: what comes first separates, the other belongs to names. */
function swapped(name: string): string {
  return name.replace(/[./]/g, (char) => (char === '.' ? '/' : '.'));
}

const isPath = (name: string) => /[./]/.exec(name)?.[0] === '/';
const pathOf = (name: string) => `${ROOT}/${isPath(name) ? name : swapped(name)}`;
const keyOf = (path: string) => swapped(path.slice(ROOT.length + 1));

/** One setting to be made. */
interface Setting {
  readonly name: string;
  readonly value: string;
  /** A dash before the name: it matters not if this fails. */
  readonly mayFail: boolean;
}

/** `name=value` with blanks around both; undefined if there is no equals sign. */
function parseSetting(text: string): Setting | undefined {
  const equals = text.indexOf('=');
  if (equals < 0) return undefined;
  const name = text.slice(0, equals).trim();
  const mayFail = name.startsWith('-');
  return { name: mayFail ? name.slice(1).trim() : name, value: text.slice(equals + 1).trim(), mayFail };
}

class Sysctl {
  private status = 0;

  constructor(
    private readonly context: CommandContext,
    private readonly options: Options,
  ) {}

  private async warn(text: string): Promise<void> {
    await this.context.err(`sysctl: ${text}\n`);
  }

  /** Runs something on a file; what goes wrong is said, and counts. */
  private async attempt(key: string, doing: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      const denied = error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS';
      await this.warn(
        denied ? `permission denied on key "${key}"` : `${doing} key "${key}": ${error.reason}`,
      );
      this.status = 1;
    }
  }

  private async exists(path: string, matters = true): Promise<boolean> {
    try {
      this.context.fs.stat(path);
      return true;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      if (!this.options.ignore) {
        await this.warn(`cannot stat ${path}: ${error.reason}`);
        if (matters) this.status = 1;
      }
      return false;
    }
  }

  private async print(key: string, value: string): Promise<void> {
    const { names, values, newline } = this.options;
    if (names) await this.context.out(`${key}\n`);
    else await this.context.out(`${values ? '' : `${key} = `}${value}${newline ? '\n' : ''}`);
  }

  /** Shows a file, or all below a folder. */
  async show(path: string): Promise<void> {
    const { fs } = this.context;
    if (fs.isDirectory(path)) {
      for (const name of fs.readdir(path).sort()) await this.show(`${path === '/' ? '' : path}/${name}`);
      return;
    }
    const key = keyOf(path);
    if (this.options.pattern && !this.options.pattern.test(key)) return;
    if ((fs.stat(path).mode & 0o400) === 0) return;
    if (this.options.names) return this.print(key, '');
    await this.attempt(key, 'reading', async () => {
      const lines = decoder.decode(fs.readFile(path)).split('\n');
      if (lines[lines.length - 1] === '') lines.pop();
      for (const line of lines) await this.print(key, line);
    });
  }

  async showAll(): Promise<void> {
    await this.show(ROOT);
  }

  async read(name: string): Promise<void> {
    const path = pathOf(name);
    if (await this.exists(path)) await this.show(path);
  }

  async write({ name, value, mayFail }: Setting): Promise<void> {
    const { fs } = this.context;
    const path = pathOf(name);
    if (name === '') {
      await this.warn(`Path is not under ${ROOT}/: ${ROOT}/`);
      this.status = 1;
      return;
    }
    if (this.options.pattern && !this.options.pattern.test(keyOf(path))) return;
    if (!(await this.exists(path, !mayFail))) return;
    const before = this.status;
    const write = async () => {
      if (fs.isDirectory(path)) throw new FsError('EISDIR', path);
      if ((fs.stat(path).mode & 0o200) === 0) throw new FsError('EACCES', path);
      if (!this.options.dryRun) fs.writeFile(path, encoder.encode(`${value}\n`));
      if (!this.options.quiet || this.options.dryRun) await this.print(keyOf(path), value);
    };
    await this.attempt(keyOf(path), 'setting', write);
    if (mayFail) this.status = before;
  }

  /** Takes settings from lines; comments begin with # or ;. */
  async writeLines(lines: readonly string[], source: string, firstLine: number): Promise<void> {
    const settings: Setting[] = [];
    for (const [i, line] of lines.entries()) {
      const text = line.trim();
      if (text === '' || (firstLine > 0 && /^[#;]/.test(text))) continue;
      const setting = parseSetting(text);
      if (setting) settings.push(setting);
      else {
        await this.warn(`${source}(${firstLine === 0 ? 0 : firstLine + i}): invalid syntax, continuing...`);
        if (firstLine === 0) this.status = 1;
      }
    }
    for (const setting of settings) await this.write(setting);
  }

  async load(file: string): Promise<void> {
    let text: string;
    try {
      text = decoder.decode(this.context.fs.readFile(this.context.path(file)));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await this.warn(`cannot open "${file}": ${error.reason}`);
      this.status = 1;
      return;
    }
    await this.writeLines(text.split('\n'), file, 1);
  }

  async run(): Promise<number> {
    const { options } = this;
    const { operands } = options;
    if (options.all) await this.showAll();
    else if (options.load)
      for (const file of operands.length > 0 ? operands : [DEFAULT_FILE]) await this.load(file);
    else
      for (const operand of operands) {
        if (options.write || operand.includes('=')) await this.writeLines([operand], 'command line', 0);
        else await this.read(operand);
      }
    return this.status;
  }
}

export const sysctl: Command = (context) => withUsage(context, () => run(context));

async function run(context: CommandContext): Promise<number> {
  const options = parse(context.args);
  if (typeof options === 'string') {
    await context.err(`sysctl: ${options}\n${SYSCTL_USAGE}`);
    return 1;
  }
  if (options.help || options.version) {
    await context.out(options.help ? SYSCTL_USAGE : 'sysctl from procps-ng 4.0.2\n');
    return 0;
  }
  if (!options.all && !options.load && options.operands.length === 0) {
    await context.err(SYSCTL_USAGE);
    return 1;
  }
  return new Sysctl(context, options).run();
}
