// SPDX-License-Identifier: MIT
/** modinfo: what a module says of itself. */

import { UTS_RELEASE } from '@pagewalk/kernel/kernel/utsname';
import { FsError } from '../fs/filesystem.js';
import type { Command, CommandContext } from '../shell/command.js';
import { parseFlags, withUsage } from './arguments.js';
import { moduleName, wordLines } from './module_index.js';
import { customSection } from './wasm_section.js';

/** Key-value pairs of a module file, in the order of the file. */
export function readModinfo(image: Uint8Array): [key: string, value: string][] {
  const section = customSection(image, 'modinfo');
  if (!section) return [];
  return new TextDecoder()
    .decode(section)
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
}

/** `parm` and `parmtype` of each parameter become one line, `name:description (type)`, after all others. */
export function modinfoLines(entries: readonly [string, string][]): [key: string, value: string][] {
  const split = (value: string): [string, string] => [
    value.slice(0, value.indexOf(':')),
    value.slice(value.indexOf(':') + 1),
  ];
  const types = new Map(entries.filter(([key]) => key === 'parmtype').map(([, value]) => split(value)));
  const described = new Map(entries.filter(([key]) => key === 'parm').map(([, value]) => split(value)));
  const parameters = new Set(
    entries.filter(([key]) => key.startsWith('parm')).map(([, value]) => split(value)[0]),
  );
  const lines = [...parameters].map((name): [string, string] => {
    const type = types.get(name);
    const description = described.get(name);
    if (description === undefined) return ['parm', `${name}:${type}`];
    return ['parm', `${name}:${description}${type ? ` (${type})` : ''}`];
  });
  return [...entries.filter(([key]) => !key.startsWith('parm')), ...lines];
}

const MODINFO_LETTERS: Record<string, string> = {
  a: 'author',
  d: 'description',
  l: 'license',
  p: 'parm',
  n: 'filename',
};

export const modinfo: Command = (context) =>
  withUsage(context, async () => {
    const long = {
      field: 'F',
      author: 'a',
      description: 'd',
      license: 'l',
      parameters: 'p',
      filename: 'n',
      null: '0',
    };
    const flags = parseFlags(context.args, 'F:adlpn0', long);
    if (flags.operands.length === 0) {
      await context.err('modinfo: ERROR: missing module or filename.\n');
      return 1;
    }
    const letter = Object.keys(MODINFO_LETTERS).find((item) => flags.has(item));
    const field = flags.value('F') ?? (letter && MODINFO_LETTERS[letter]);
    let status = 0;
    for (const file of flags.operands)
      status ||= await describeModule(context, file, field, flags.has('0') ? '\0' : '\n');
    return status;
  });

/** A file as it is named; a module's name is looked up where modprobe would. */
function pathOf(context: CommandContext, file: string): string {
  if (file.includes('/') || file.endsWith('.ko')) return file;
  const library = `/lib/modules/${UTS_RELEASE}`;
  const found = wordLines(context.fs, `${library}/modules.dep`)
    .map(([path]) => path.replace(/:$/, ''))
    .find((path) => moduleName(path) === moduleName(file));
  return found === undefined ? file : `${library}/${found}`;
}

async function describeModule(
  context: CommandContext,
  file: string,
  field: string | undefined,
  end: string,
): Promise<number> {
  const path = pathOf(context, file);
  let image: Uint8Array;
  try {
    image = context.fs.readFile(context.path(path));
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    await context.err(`modinfo: ERROR: Module ${file} not found.\n`);
    return 1;
  }
  const entries: [string, string][] = [['filename', path], ...modinfoLines(readModinfo(image))];
  if (entries.length === 1) {
    await context.err(`modinfo: ERROR: could not get modinfo from '${moduleName(file)}': Invalid argument\n`);
    return 1;
  }
  for (const [key, value] of entries) {
    if (field === undefined) await context.out(`${`${key}:`.padEnd(16)}${value}${end}`);
    else if (key === field) await context.out(`${value}${end}`);
  }
  return 0;
}
