// SPDX-License-Identifier: MIT
/** ls and stat: what files are. */

import type { Stat } from '../fs/filesystem.js';
import { normalize, type Vfs } from '../fs/vfs.js';
import type { CommandContext } from '../shell/command.js';
import { onEach } from './on_each.js';
import { tool } from './text.js';
import { groupName, userName } from './users.js';

const TYPE_LETTERS = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
} as const;

/** `drwxr-xr-x`, `drwxrwxrwt`. */
export function modeText({ type, mode }: Stat): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  const special = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const;
  for (const [bit, at, letter] of special)
    if (mode & bit) bits[at] = bits[at] === '-' ? letter.toUpperCase() : letter;
  return TYPE_LETTERS[type] + bits.join('');
}

const TYPE_WORDS = {
  file: 'regular file',
  directory: 'directory',
  symlink: 'symbolic link',
  char: 'character special file',
  block: 'block special file',
  fifo: 'fifo',
  socket: 'socket',
} as const;

const dateText = (ms: number): string => {
  const date = new Date(ms);
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][
    date.getUTCMonth()
  ];
  const two = (value: number) => String(value).padStart(2, '0');
  return `${month} ${String(date.getUTCDate()).padStart(2)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
};

export const humanSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024; unit++) value /= 1024;
  return unit === 0 ? String(bytes) : `${value < 10 ? value.toFixed(1) : Math.ceil(value)}${' KMGT'[unit]}`;
};

function longLine(context: CommandContext, full: string, name: string, human: boolean): string {
  const stat = context.fs.lstat(full);
  const size = stat.device ? stat.device.join(', ') : human ? humanSize(stat.size) : String(stat.size);
  const target = stat.type === 'symlink' ? ` -> ${context.fs.readlink(full)}` : '';
  const user = userName(context.fs, stat.uid).padEnd(8);
  const group = groupName(context.fs, stat.gid).padEnd(8);
  const links = String(stat.nlink).padStart(4);
  return `${modeText(stat)} ${links} ${user} ${group} ${size.padStart(9)} ${dateText(stat.mtimeMs)} ${name}${target}`;
}

export const ls = tool('laAh1dRrtSFi', async (context, flags) => {
  const print = async (entries: [full: string, name: string][]) => {
    const sorted = [...entries];
    if (flags.has('t')) sorted.sort(([a], [b]) => context.fs.lstat(b).mtimeMs - context.fs.lstat(a).mtimeMs);
    if (flags.has('S')) sorted.sort(([a], [b]) => context.fs.lstat(b).size - context.fs.lstat(a).size);
    if (flags.has('r')) sorted.reverse();
    const mark = (full: string, name: string) =>
      flags.has('F') && context.fs.isDirectory(full) ? `${name}/` : name;
    const number = (full: string) => (flags.has('i') ? `${context.fs.lstat(full).ino} ` : '');
    const lines = sorted.map(([full, name]) => {
      const shown = mark(full, name);
      return number(full) + (flags.has('l') ? longLine(context, full, shown, flags.has('h')) : shown);
    });
    if (lines.length === 0) return;
    await context.out(
      !flags.has('l') && !flags.has('1') && context.stdout.isTerminal
        ? columns(lines)
        : `${lines.join('\n')}\n`,
    );
  };
  const visible = (name: string) => flags.has('a') || flags.has('A') || !name.startsWith('.');
  const paths = flags.operands.length > 0 ? flags.operands : ['.'];
  const folders: string[] = [];
  const files: [string, string][] = [];
  const status = await onEach(context, paths, 'cannot access', (full, file) => {
    const { type } = context.fs.lstat(full);
    // A long list tells of the link itself, unless a slash asks for what it leads to.
    const isLink = flags.has('l') && type === 'symlink' && !file.endsWith('/');
    if (!flags.has('d') && !isLink && context.fs.isDirectory(full)) folders.push(file);
    else files.push([full, file]);
  });
  await print(files);
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const full = context.path(folder);
    const names = context.fs.readdir(full).filter(visible);
    if (paths.length > 1 || flags.has('R'))
      await context.out(`${files.length > 0 || folder !== paths[0] ? '\n' : ''}${folder}:\n`);
    if (flags.has('l')) await context.out(`total ${totalBlocks(context, full, names)}\n`);
    const dots: [string, string][] = flags.has('a')
      ? [
          [full, '.'],
          [normalize(full, '..'), '..'],
        ]
      : [];
    await print([
      ...dots,
      ...names.map((name): [string, string] => [`${full === '/' ? '' : full}/${name}`, name]),
    ]);
    if (flags.has('R'))
      folders.unshift(
        ...names
          .filter((name) => context.fs.lstat(`${full}/${name}`).type === 'directory')
          .map((name) => `${folder}/${name}`),
      );
  }
  return status === 0 ? 0 : 2;
});

/** Kilobytes that files of a folder take. */
function totalBlocks(context: CommandContext, folder: string, names: readonly string[]): number {
  const blocks = names.map((name) => context.fs.lstat(`${folder}/${name}`).blocks);
  return Math.ceil(blocks.reduce((sum, count) => sum + count, 0) / 2);
}

/** Names in columns on a line of 80 characters. */
function columns(names: readonly string[]): string {
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const across = Math.max(1, Math.floor(80 / width));
  const rows = Math.ceil(names.length / across);
  const lines = Array.from({ length: rows }, (_, row) =>
    names
      .filter((_, index) => index % rows === row)
      .map((name) => name.padEnd(width))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** `2026-01-01 00:00:00.010000000 +0000`. */
const timeText = (ms: number): string => {
  const seconds = new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const ns = Math.round((ms - Math.floor(ms / 1000) * 1000) * 1e6);
  return `${seconds}.${String(ns).padStart(9, '0')} +0000`;
};

const typeWords = ({ type, size }: Stat): string =>
  type === 'file' && size === 0 ? 'regular empty file' : TYPE_WORDS[type];

/** What `stat` tells without -c. */
function description(fs: Vfs, file: string, target: string, entry: Stat): string {
  const octal = entry.mode.toString(8).padStart(4, '0');
  const owner = (id: number, name: string) => `(${String(id).padStart(5)}/${name.padStart(8)})`;
  const device = `${entry.dev >>> 20},${entry.dev & 0xfffff}`;
  const special = entry.device ? `     Device type: ${entry.device.join(',')}` : '';
  return [
    `  File: ${file}${target}`,
    `  Size: ${String(entry.size).padEnd(10)}\tBlocks: ${String(entry.blocks).padEnd(10)} IO Block: 4096   ${typeWords(entry)}`,
    `Device: ${device}\tInode: ${String(entry.ino).padEnd(11)} Links: ${String(entry.nlink).padEnd(5)}${special}`.trimEnd(),
    `Access: (${octal}/${modeText(entry)})  Uid: ${owner(entry.uid, userName(fs, entry.uid))}   Gid: ${owner(entry.gid, groupName(fs, entry.gid))}`,
    `Access: ${timeText(entry.atimeMs)}`,
    `Modify: ${timeText(entry.mtimeMs)}`,
    `Change: ${timeText(entry.ctimeMs)}`,
    ' Birth: -',
  ].join('\n');
}

export const stat = tool('c:L', async (context, flags) => {
  const results: string[] = [];
  const status = await onEach(context, flags.operands, 'cannot statx', (full, file) => {
    const entry = flags.has('L') ? context.fs.stat(full) : context.fs.lstat(full);
    const target = entry.type === 'symlink' ? ` -> ${context.fs.readlink(full)}` : '';
    const fields: Record<string, string> = {
      n: file,
      N: `'${file}'${target && ` -> '${target.slice(4)}'`}`,
      s: String(entry.size),
      a: entry.mode.toString(8),
      A: modeText(entry),
      F: typeWords(entry),
      X: String(Math.floor(entry.atimeMs / 1000)),
      Y: String(Math.floor(entry.mtimeMs / 1000)),
      Z: String(Math.floor(entry.ctimeMs / 1000)),
      x: timeText(entry.atimeMs),
      y: timeText(entry.mtimeMs),
      z: timeText(entry.ctimeMs),
      U: userName(context.fs, entry.uid),
      G: groupName(context.fs, entry.gid),
      u: String(entry.uid),
      g: String(entry.gid),
      i: String(entry.ino),
      h: String(entry.nlink),
      b: String(entry.blocks),
      B: '512',
      d: String(entry.dev),
      t: entry.device ? entry.device[0].toString(16) : '0',
      T: entry.device ? entry.device[1].toString(16) : '0',
    };
    const format = flags.value('c');
    results.push(
      format === undefined
        ? description(context.fs, file, target, entry)
        : format.replace(/%([a-zA-Z])/g, (all, letter) => fields[letter] ?? all),
    );
  });
  for (const text of results) await context.out(`${text}\n`);
  return status;
});
