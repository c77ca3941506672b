// SPDX-License-Identifier: MIT
/** Tools that make, move and describe files. */

import type { VirtualClock } from '../clock.js';
import { FsError } from '../fs/filesystem.js';
import { basename, dirname, type Vfs } from '../fs/vfs.js';
import type { Command, CommandContext } from '../shell/command.js';
import { matches } from '../shell/pattern.js';
import { UsageError } from './arguments.js';
import { humanSize, ls, stat } from './list.js';
import { onEach } from './on_each.js';
import { tool } from './text.js';
import { idOf } from './users.js';

const S_IFCHR = 0o020000;

const mkdir = tool(
  'pm:v',
  (context, flags) =>
    onEach(context, flags.operands, 'cannot create directory', (full) => {
      if (!flags.has('p')) return context.fs.mkdir(full);
      let path = '';
      for (const part of full.split('/').filter(Boolean)) {
        path += `/${part}`;
        if (!context.fs.isDirectory(path)) context.fs.mkdir(path);
      }
    }),
  { parents: 'p' },
);

const rmdir = tool('', (context, flags) =>
  onEach(context, flags.operands, 'failed to remove', (full) => context.fs.rmdir(full)),
);

function removeTree(context: CommandContext, full: string): void {
  if (context.fs.lstat(full).type !== 'directory') return context.fs.unlink(full);
  for (const name of context.fs.readdir(full)) removeTree(context, `${full}/${name}`);
  context.fs.rmdir(full);
}

const rm = tool(
  'rRfiv',
  async (context, flags) => {
    if (flags.operands.length === 0 && flags.has('f')) return 0;
    return onEach(context, flags.operands, 'cannot remove', (full) => {
      try {
        if (flags.has('r') || flags.has('R')) removeTree(context, full);
        else context.fs.unlink(full);
      } catch (error) {
        if (!(flags.has('f') && error instanceof FsError && error.code === 'ENOENT')) throw error;
      }
    });
  },
  { recursive: 'r', force: 'f' },
);

function copyTree(context: CommandContext, from: string, to: string, recursive: boolean): void {
  const stat = recursive ? context.fs.lstat(from) : context.fs.stat(from);
  if (stat.type === 'symlink') {
    if (context.fs.exists(to)) context.fs.unlink(to);
    return context.fs.symlink(context.fs.readlink(from), to);
  }
  if (stat.type !== 'directory') {
    context.fs.writeFile(to, context.fs.readFile(from));
    if (stat.type === 'file') tryQuietly(() => context.fs.chmod(to, stat.mode));
    return;
  }
  if (!recursive) throw new FsError('EISDIR', from);
  if (!context.fs.isDirectory(to)) context.fs.mkdir(to);
  for (const name of context.fs.readdir(from)) copyTree(context, `${from}/${name}`, `${to}/${name}`, true);
}

/** Permissions are not to be had everywhere (Windows): the copy counts. */
function tryQuietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}

/** `SOURCE… TARGET`: each source with the path it goes to. */
async function toTarget(
  context: CommandContext,
  operands: readonly string[],
  words: string,
  action: (from: string, to: string) => void,
): Promise<number> {
  if (operands.length < 2)
    throw new UsageError(
      operands.length === 0
        ? 'missing file operand'
        : `missing destination file operand after '${operands[0]}'`,
    );
  const target = context.path(operands[operands.length - 1]);
  const into = context.fs.isDirectory(target);
  const sources = operands.slice(0, -1);
  if (sources.length > 1 && !into)
    throw new UsageError(`target '${operands[operands.length - 1]}': Not a directory`);
  return onEach(context, sources, words, (full, file) =>
    action(full, into ? `${target === '/' ? '' : target}/${basename(file)}` : target),
  );
}

const cp = tool(
  'rRafpv',
  (context, flags) =>
    toTarget(context, flags.operands, 'cannot copy', (from, to) => {
      copyTree(context, from, to, flags.has('r') || flags.has('R') || flags.has('a'));
    }),
  { recursive: 'r' },
);

const mv = tool('fvn', (context, flags) =>
  toTarget(context, flags.operands, 'cannot move', (from, to) => {
    try {
      context.fs.rename(from, to);
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'EXDEV') throw error;
      copyTree(context, from, to, true);
      removeTree(context, from);
    }
  }),
);

const ln = tool('sfn', (context, flags) => {
  const operands = flags.operands.length === 1 ? [...flags.operands, '.'] : flags.operands;
  if (!flags.has('s'))
    return toTarget(context, operands, 'failed to link', (from, to) => context.fs.link(from, to));
  if (operands.length !== 2) throw new UsageError('missing file operand');
  const target = context.path(operands[1]);
  return onEach(context, [operands[0]], 'failed to create symbolic link', (_, file) => {
    const path = context.fs.isDirectory(target) ? `${target}/${basename(file)}` : target;
    if (flags.has('f') && context.fs.exists(path)) context.fs.unlink(path);
    context.fs.symlink(file, path);
  });
});

/** `c 240 0`: the type and numbers of a device. */
const mknod = tool('m:', async (context, flags) => {
  const [file, type, major, minor] = flags.operands;
  if (flags.operands.length !== 4) throw new UsageError('missing operand');
  if (type !== 'c' && type !== 'u') throw new UsageError(`invalid device type '${type}'`);
  const mode = Number.parseInt(flags.value('m') ?? '644', 8);
  const rdev = Number(major) * 2 ** 20 + Number(minor);
  return onEach(context, [file], 'cannot make', (full) => context.fs.mknod(full, S_IFCHR | mode, rdev));
});

const touch = (clock: VirtualClock) =>
  tool('cam', (context, flags) =>
    onEach(context, flags.operands, 'cannot touch', (full) => {
      if (context.fs.exists(full)) context.fs.utimes(full, clock.dateMs);
      else if (!flags.has('c')) context.fs.writeFile(full, new Uint8Array(0));
    }),
  );

const chmod = tool('Rv', (context, flags) => {
  const [change, ...files] = flags.operands;
  return onEach(context, files, 'cannot access', (full) => {
    const mode = context.fs.stat(full).mode;
    const symbolic = /^([ugoa]*)([-+=])([rwx]+)$/.exec(change);
    if (/^[0-7]{1,4}$/.test(change)) return context.fs.chmod(full, Number.parseInt(change, 8));
    if (!symbolic) throw new UsageError(`invalid mode: '${change}'`);
    const who = !symbolic[1] || symbolic[1].includes('a') ? 'ugo' : symbolic[1];
    const bits = [...symbolic[3]].reduce((sum, letter) => sum | { r: 4, w: 2, x: 1 }[letter]!, 0);
    const all = [...who].reduce((sum, letter) => sum | (bits << { u: 6, g: 3, o: 0 }[letter]!), 0);
    const cleared =
      symbolic[2] === '='
        ? mode & ~[...who].reduce((sum, letter) => sum | (7 << { u: 6, g: 3, o: 0 }[letter]!), 0)
        : mode;
    context.fs.chmod(full, symbolic[2] === '-' ? mode & ~all : cleared | all);
  });
});

const readlink = tool('f', (context, flags) => {
  const found: string[] = [];
  return onEach(context, flags.operands, 'cannot read', (full) => {
    found.push(flags.has('f') ? context.fs.realpath(full) : context.fs.readlink(full));
  }).then(async (status) => {
    for (const path of found) await context.out(`${path}\n`);
    return status;
  });
});

function ownerId(fs: Vfs, text: string, kind: 'user' | 'group'): number {
  const id = idOf(fs, kind, text);
  if (id === undefined) throw new UsageError(`invalid ${kind}: '${text}'`);
  return id;
}

const chown = tool('R', (context, flags) => {
  const [owner = '', ...files] = flags.operands;
  const [user = '', group] = owner.split(':');
  const change = {
    ...(user !== '' && { uid: ownerId(context.fs, user, 'user') }),
    ...(group && { gid: ownerId(context.fs, group, 'group') }),
  };
  const apply = (full: string): void => {
    context.fs.chown(full, change);
    if (!flags.has('R') || !context.fs.isDirectory(full)) return;
    for (const name of context.fs.readdir(full)) apply(`${full}/${name}`);
  };
  return onEach(context, files, 'changing ownership of', apply);
});

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

const truncate = tool('s:', (context, flags) => {
  const match = /^([+-]?)(\d+)([KMG]?)$/.exec(flags.value('s') ?? '');
  if (!match) throw new UsageError('usage: truncate -s [+|-]SIZE[K|M|G] FILE...');
  const [, sign, digits, unit] = match;
  const amount = Number(digits) * SIZE_UNITS[unit];
  return onEach(context, flags.operands, 'cannot truncate', (full) => {
    if (!context.fs.exists(full)) context.fs.writeFile(full, new Uint8Array());
    const { size } = context.fs.stat(full);
    context.fs.truncate(full, sign === '' ? amount : Math.max(0, size + (sign === '+' ? amount : -amount)));
  });
});

const humanBlocks = (blocks: number, human: boolean): string =>
  human ? humanSize(blocks * 512) : String(Math.ceil(blocks / 2));

const du = tool('shax', async (context, flags) => {
  const paths = flags.operands.length > 0 ? flags.operands : ['.'];
  const lines: string[] = [];
  /** Blocks of 512 bytes below a path; what is there is listed on the way. */
  const sum = (full: string, shown: string, top: boolean, device: number): number => {
    const { type, blocks, dev } = context.fs.lstat(full);
    if (flags.has('x') && dev !== device) return 0;
    const names = type === 'directory' ? context.fs.readdir(full) : [];
    const below = names.map((name) =>
      sum(`${full === '/' ? '' : full}/${name}`, `${shown}/${name}`, false, device),
    );
    const all = below.reduce((total, some) => total + some, blocks);
    if (top || (!flags.has('s') && (type === 'directory' || flags.has('a'))))
      lines.push(`${humanBlocks(all, flags.has('h'))}\t${shown}`);
    return all;
  };
  const status = await onEach(context, paths, 'cannot access', (full, shown) => {
    sum(full, shown, true, context.fs.lstat(full).dev);
  });
  for (const line of lines) await context.out(`${line}\n`);
  return status;
});

type Filter = (full: string, shown: string) => boolean;

interface Search {
  readonly filters: Filter[];
  maxDepth: number;
  exec?: string[];
  print0: boolean;
  oneFileSystem: boolean;
}

/** Tests of `find`; several hold together. */
function findFilters(args: string[], context: CommandContext): Search {
  const filters: Filter[] = [];
  const result: Search = { filters, maxDepth: 99, print0: false, oneFileSystem: false };
  let negate = false;
  const add = (filter: Filter) => {
    const turned = negate;
    filters.push((full, shown) => filter(full, shown) !== turned);
    negate = false;
  };
  while (args.length > 0) {
    const test = args.shift()!;
    if (test === '!' || test === '-not') negate = true;
    else if (test === '-print') continue;
    else if (test === '-xdev' || test === '-mount') result.oneFileSystem = true;
    else if (test === '-print0') result.print0 = true;
    else if (test === '-exec') {
      const end = args.findIndex((arg) => arg === ';' || arg === '+');
      if (end < 0) throw new UsageError("missing argument to `-exec'");
      result.exec = args.splice(0, end + 1).slice(0, -1);
    } else {
      const value = args.shift();
      if (value === undefined) throw new UsageError(`missing argument to \`${test}'`);
      if (test === '-name' || test === '-iname') {
        const fold = (text: string) => (test === '-iname' ? text.toLowerCase() : text);
        add((full) => matches([{ text: fold(value), quoted: false }], fold(basename(full))));
      } else if (test === '-path') add((_, shown) => matches([{ text: value, quoted: false }], shown));
      else if (test === '-type')
        add(
          (full) =>
            ({ f: 'file', d: 'directory', l: 'symlink', c: 'char' })[value] === context.fs.lstat(full).type,
        );
      else if (test === '-maxdepth') result.maxDepth = Number(value);
      else throw new UsageError(`unknown predicate \`${test}'`);
    }
  }
  return result;
}

const find: Command = async (context) => {
  const args = [...context.args];
  const roots: string[] = [];
  while (args.length > 0 && !/^[-!]/.test(args[0])) roots.push(args.shift()!);
  try {
    const { filters, maxDepth, exec, print0, oneFileSystem } = findFilters(args, context);
    const visit = async (full: string, shown: string, depth: number, device: number): Promise<void> => {
      if (filters.every((filter) => filter(full, shown))) {
        if (exec) await context.run(exec.map((arg) => arg.replaceAll('{}', shown)));
        else await context.out(`${shown}${print0 ? '\0' : '\n'}`);
      }
      const { type, dev } = context.fs.lstat(full);
      if (depth >= maxDepth || context.signal.aborted || type !== 'directory') return;
      if (oneFileSystem && dev !== device) return;
      const [base, prefix] = [full === '/' ? '' : full, shown.replace(/\/$/, '')];
      for (const name of context.fs.readdir(full))
        await visit(`${base}/${name}`, `${prefix}/${name}`, depth + 1, device);
    };
    let status = 0;
    for (const root of roots.length > 0 ? roots : ['.']) {
      const full = context.path(root);
      if (context.fs.exists(full)) await visit(full, root, 0, context.fs.lstat(full).dev);
      else status = await context.fail(`'${root}': No such file or directory`);
    }
    return status;
  } catch (error) {
    if (error instanceof UsageError) return context.fail(error.message);
    throw error;
  }
};

export const fileTools = (clock: VirtualClock): Record<string, [Command, string]> => ({
  ls: [ls, 'list files'],
  mkdir: [mkdir, 'make folders'],
  rmdir: [rmdir, 'remove empty folders'],
  rm: [rm, 'remove files'],
  cp: [cp, 'copy files'],
  mv: [mv, 'move or rename files'],
  ln: [ln, 'make links'],
  touch: [touch(clock), 'make empty files, or set their time'],
  chmod: [chmod, 'change permission bits'],
  chown: [chown, 'change owner and group'],
  truncate: [truncate, 'set the size of files'],
  stat: [stat, 'describe files'],
  mknod: [mknod, 'make a device node'],
  readlink: [readlink, 'where a link leads'],
  realpath: [
    tool('', async (context, flags) =>
      onEach(context, flags.operands, 'cannot resolve', (full) =>
        context.out(`${context.fs.realpath(full)}\n`),
      ),
    ),
    'absolute path without links',
  ],
  basename: [
    async (context) => {
      const [path = '', suffix = ''] = context.args;
      const name = basename(path);
      await context.out(
        `${suffix && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name}\n`,
      );
      return 0;
    },
    'last part of a path',
  ],
  dirname: [
    async (context) => {
      await context.out(`${dirname(context.args[0] ?? '')}\n`);
      return 0;
    },
    'a path without its last part',
  ],
  du: [du, 'space that files take, in kilobytes'],
  find: [find, 'files below a folder that pass tests'],
});
