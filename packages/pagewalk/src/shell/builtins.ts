// SPDX-License-Identifier: MIT
/** Commands that change the shell itself, and so cannot be programs. */

import { normalize } from '../fs/vfs.js';
import { evaluate } from './arithmetic.js';
import { TestError, testCommand } from './conditions.js';
import type { Shell } from './interpreter.js';
import { foreground, kill, listJobs } from './jobs.js';
import { Interrupted, Leave, type Options } from './state.js';
import { readAll } from './stream.js';

type Builtin = (shell: Shell, args: string[]) => Promise<number> | number;

const encoder = new TextEncoder();
const print = (shell: Shell, text: string) => shell.stdout.write(encoder.encode(text));
const quote = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

async function fail(shell: Shell, message: string, status = 1): Promise<number> {
  await shell.complain(`${shell.scriptName}: ${message}`);
  return status;
}

const OPTION_LETTERS: Record<string, keyof Options> = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
  n: 'noexec',
};

/** `set -eu -o pipefail -- a b`; also the options of `sh`. Returns what is left. */
export function setOptions(shell: Shell, args: readonly string[]): { rest: string[]; wrong?: string } {
  const rest = [...args];
  for (let arg = rest[0]; arg !== undefined && /^[-+]./.test(arg); arg = rest[0]) {
    rest.shift();
    if (arg === '--') break;
    const on = arg.startsWith('-');
    for (const letter of arg.slice(1)) {
      const name = letter === 'o' ? rest.shift() : OPTION_LETTERS[letter];
      if (!name || !(name in shell.options)) return { rest, wrong: name ?? `${arg[0]}${letter}` };
      shell.options[name as keyof Options] = on;
    }
  }
  return { rest };
}

async function set(shell: Shell, args: string[]): Promise<number> {
  if (args.length === 0) {
    const lines = [...shell.variables]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([n, v]) => `${n}=${quote(v.value)}\n`);
    await print(shell, lines.join(''));
    return 0;
  }
  const { rest, wrong } = setOptions(shell, args);
  if (wrong) return fail(shell, `set: ${wrong}: invalid option name`, 2);
  if (rest.length > 0 || args.includes('--')) shell.positional = rest;
  return 0;
}

async function cd(shell: Shell, args: string[]): Promise<number> {
  const back = args[0] === '-';
  const target = back ? shell.get('OLDPWD') : (args[0] ?? shell.get('HOME'));
  if (target === undefined) return fail(shell, `cd: ${back ? 'OLDPWD' : 'HOME'} not set`);
  const path = normalize(shell.cwd, target);
  if (!shell.fs.exists(path)) return fail(shell, `cd: ${target}: No such file or directory`);
  if (!shell.fs.isDirectory(path)) return fail(shell, `cd: ${target}: Not a directory`);
  shell.set('OLDPWD', shell.cwd);
  shell.cwd = path;
  shell.set('PWD', path);
  if (back) await print(shell, `${path}\n`);
  return 0;
}

async function read(shell: Shell, args: string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const raw = args.includes('-r');
  const line = await shell.stdin.line();
  if (names.length === 0) names.push('REPLY');
  const separators = shell.get('IFS') ?? ' \t\n';
  const text = raw ? (line?.text ?? '') : (line?.text ?? '').replace(/\\(.)/g, '$1');
  const fields = splitFields(text, separators, names.length);
  for (const [index, name] of names.entries()) shell.set(name, fields[index] ?? '');
  return line?.terminated ? 0 : 1;
}

/** At most `count` fields; the last one takes the rest of the line. */
function splitFields(text: string, separators: string, count: number): string[] {
  const isSeparator = (c: string) => separators.includes(c);
  const fields: string[] = [];
  let at = 0;
  const skip = () => {
    while (at < text.length && isSeparator(text[at]) && ' \t\n'.includes(text[at])) at++;
  };
  skip();
  while (at < text.length && fields.length < count - 1) {
    const start = at;
    while (at < text.length && !isSeparator(text[at])) at++;
    fields.push(text.slice(start, at));
    skip();
    if (at < text.length && isSeparator(text[at])) at++;
    skip();
  }
  let end = text.length;
  while (end > at && isSeparator(text[end - 1]) && ' \t\n'.includes(text[end - 1])) end--;
  if (at < end) fields.push(text.slice(at, end));
  return fields;
}

async function declare(
  shell: Shell,
  args: string[],
  apply: (name: string, value?: string) => void,
): Promise<number> {
  let status = 0;
  for (const arg of args) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:=([\s\S]*))?$/.exec(arg);
    if (match) apply(match[1], match[2]);
    else status = await fail(shell, `\`${arg}': not a valid identifier`);
  }
  return status;
}

function local(shell: Shell, args: string[]): Promise<number> {
  const scope = shell.locals[shell.locals.length - 1];
  if (!scope) return fail(shell, 'local: can only be used in a function');
  return declare(shell, args, (name, value) => {
    if (!scope.has(name)) scope.set(name, shell.variables.get(name));
    shell.variables.set(name, { value: value ?? '', exported: false, readonly: false });
  });
}

async function wait(shell: Shell, args: string[]): Promise<number> {
  const wanted = args.map((arg) => Number(arg.replace('%', '')));
  const jobs = shell.session.jobs.filter(
    (job) => args.length === 0 || wanted.includes(job.pid) || wanted.includes(job.id),
  );
  const interrupted = new Promise<never>((_, reject) => {
    shell.signal.addEventListener('abort', () => reject(new Interrupted()), { once: true });
  });
  const statuses = await Promise.race([Promise.all(jobs.map((job) => job.done)), interrupted]);
  shell.session.jobs = shell.session.jobs.filter((job) => !jobs.includes(job));
  return args.length > 0 ? (statuses[statuses.length - 1] ?? 127) : 0;
}

async function test(shell: Shell, name: string, args: string[]): Promise<number> {
  if (name === '[' && args.pop() !== ']') return fail(shell, "[: missing `]'", 2);
  try {
    return testCommand(args, shell) ? 0 : 1;
  } catch (error) {
    if (error instanceof TestError) return fail(shell, `${name}: ${error.message}`, 2);
    throw error;
  }
}

async function source(shell: Shell, args: string[]): Promise<number> {
  if (args.length === 0) return fail(shell, '.: filename argument required', 2);
  const text = new TextDecoder().decode(shell.fs.readFile(normalize(shell.cwd, args[0])));
  try {
    return await shell.execute(text, args[0]);
  } catch (error) {
    if (error instanceof Leave && error.kind === 'return') return error.value;
    throw error;
  }
}

async function type(shell: Shell, args: string[], brief: boolean): Promise<number> {
  let status = 0;
  for (const name of args) {
    if (shell.functions.has(name)) await print(shell, brief ? `${name}\n` : `${name} is a function\n`);
    else if (builtins.has(name)) await print(shell, brief ? `${name}\n` : `${name} is a shell builtin\n`);
    else if (shell.session.commands.has(name))
      await print(shell, brief ? `/bin/${name}\n` : `${name} is /bin/${name}\n`);
    else status = brief ? 1 : await fail(shell, `type: ${name}: not found`);
  }
  return status;
}

const leave =
  (kind: 'exit' | 'return' | 'break' | 'continue'): Builtin =>
  (shell, args) => {
    const fallback = kind === 'exit' || kind === 'return' ? shell.status : 1;
    if ((kind === 'break' || kind === 'continue') && shell.loopDepth === 0) return 0;
    throw new Leave(kind, args.length > 0 ? Number(args[0]) & 255 : fallback);
  };

function alias(shell: Shell, args: string[]): Promise<number> | number {
  if (args.length === 0)
    return print(shell, [...shell.aliases].map(([n, v]) => `alias ${n}='${v}'\n`).join('')).then(() => 0);
  for (const arg of args) {
    const at = arg.indexOf('=');
    if (at > 0) shell.aliases.set(arg.slice(0, at), arg.slice(at + 1));
  }
  return 0;
}

/** `sh -c TEXT [NAME [ARGUMENT…]]`, `sh FILE [ARGUMENT…]`, `sh` for commands on standard input. */
async function sh(shell: Shell, args: string[]): Promise<number> {
  const child = shell.fork();
  child.startAfresh();
  const inline = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
  const options =
    inline >= 0
      ? [...args.slice(0, inline), args[inline].replace('c', '')].filter((arg) => arg !== '-')
      : args;
  const { rest, wrong } = setOptions(child, options);
  if (wrong) return fail(shell, `${wrong}: invalid option`, 2);
  if (inline >= 0) {
    const [text, name, ...positional] = args.slice(inline + 1);
    if (text === undefined) return fail(shell, '-c: option requires an argument', 2);
    child.scriptName = name ?? child.scriptName;
    child.positional = positional;
    return child.subshell(() => child.execute(text, `${child.scriptName}: -c`));
  }
  if (rest.length > 0) return shell.script(rest[0], rest.slice(1), child);
  const text = new TextDecoder().decode(await readAll(shell.stdin));
  return child.subshell(() => child.execute(text));
}

/** Bits that new files lack: shown, or set for this shell and what it starts. */
const umask: Builtin = async (shell, [mask]) => {
  if (mask === undefined) await print(shell, `${shell.fs.mask.toString(8).padStart(4, '0')}\n`);
  else if (/^[0-7]{1,4}$/.test(mask)) shell.fs.mask = Number.parseInt(mask, 8);
  else return fail(shell, `umask: ${mask}: octal number out of range`);
  return 0;
};

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['cd', cd],
  ['sh', sh],
  ['bash', sh],
  ['pwd', (shell) => print(shell, `${shell.cwd}\n`).then(() => 0)],
  ['set', set],
  [
    'unset',
    (shell, args) => {
      for (const name of args)
        if (name !== '-v' && name !== '-f' && !shell.variables.delete(name)) shell.functions.delete(name);
      return 0;
    },
  ],
  [
    'export',
    (shell, args) =>
      declare(
        shell,
        args.filter((arg) => arg !== '-p'),
        (name, value) => shell.export(name, value),
      ),
  ],
  [
    'readonly',
    (shell, args) =>
      declare(shell, args, (name, value) => {
        if (value !== undefined) shell.set(name, value);
        shell.variables.set(name, { value: shell.get(name) ?? '', exported: false, readonly: true });
      }),
  ],
  ['local', local],
  [
    'declare',
    (shell, args) =>
      declare(
        shell,
        args.filter((arg) => !arg.startsWith('-')),
        (n, v) => shell.set(n, v ?? shell.get(n) ?? ''),
      ),
  ],
  [
    'shift',
    (shell, args) => {
      const count = Number(args[0] ?? 1);
      if (count > shell.positional.length) return 1;
      shell.positional = shell.positional.slice(count);
      return 0;
    },
  ],
  ['read', read],
  ['exit', leave('exit')],
  ['return', leave('return')],
  ['break', leave('break')],
  ['continue', leave('continue')],
  ['eval', (shell, args) => shell.execute(args.join(' '))],
  [
    'exec',
    async (shell, args) => {
      await shell.invoke(args, true);
      throw new Leave('exit', shell.status);
    },
  ],
  [
    'command',
    async (shell, args) => {
      if (args[0] === '-v' || args[0] === '-V') return type(shell, args.slice(1), args[0] === '-v');
      await shell.invoke(args, true);
      return shell.status;
    },
  ],
  [
    'builtin',
    async (shell, args) => {
      await shell.invoke(args, true);
      return shell.status;
    },
  ],
  ['type', (shell, args) => type(shell, args, false)],
  ['.', source],
  ['source', source],
  ['test', (shell, args) => test(shell, 'test', args)],
  ['[', (shell, args) => test(shell, '[', args)],
  ['let', (shell, args) => (args.map((arg) => evaluate(arg, shell)).pop() ? 0 : 1)],
  [
    'trap',
    (shell, args) => {
      if (args.length > 1)
        for (const name of args.slice(1))
          shell.traps.set(name === '0' ? 'EXIT' : name, args[0] === '-' ? '' : args[0]);
      return 0;
    },
  ],
  ['wait', wait],
  ['jobs', listJobs],
  ['fg', foreground],
  ['kill', kill],
  ['alias', alias],
  [
    'unalias',
    (shell, args) => {
      for (const name of args) shell.aliases.delete(name);
      return 0;
    },
  ],
  ['umask', umask],
]);
