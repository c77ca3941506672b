// SPDX-License-Identifier: MIT
/** Tools that read text and print text. */

import { FsError } from '../fs/filesystem.js';
import type { Command, CommandContext } from '../shell/command.js';
import { concat, Input, readAll } from '../shell/stream.js';
import { count, type Flags, parseFlags, UsageError, withUsage } from './arguments.js';
import { echo, printf, unescapeText } from './printf.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Streams of the files named, or of standard input; a file that cannot be read is reported. */
export async function eachInput(
  context: CommandContext,
  files: readonly string[],
  action: (input: Input, name: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const file of files.length > 0 ? files : ['-']) {
    let opened: Input | undefined;
    try {
      const input =
        file === '-' ? context.stdin : new Input(context.fs.openRead(context.path(file), context.signal));
      if (file !== '-') opened = input;
      await action(input, file);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      status = await context.fail(`${file}: ${error.reason}`);
    } finally {
      opened?.close();
    }
  }
  return status;
}

export const tool =
  (
    spec: string,
    body: (context: CommandContext, flags: Flags) => Promise<number>,
    long: Record<string, string> = {},
  ): Command =>
  (context) =>
    withUsage(context, () => body(context, parseFlags(context.args, spec, long)));

/** Lines of a text; the last newline ends the last line. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

async function allLines(
  context: CommandContext,
  files: readonly string[],
): Promise<{ lines: string[]; status: number }> {
  const lines: string[] = [];
  const status = await eachInput(context, files, async (input) => {
    lines.push(...linesOf(decoder.decode(await readAll(input))));
  });
  return { lines, status };
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const cat = tool('nAbeEstTuv', async (context, flags) => {
  let number = 0;
  return eachInput(context, flags.operands, async (input) => {
    if (!flags.has('n') && !flags.has('A') && !flags.has('E') && !flags.has('T')) {
      for (let chunk = await input.read(); chunk; chunk = await input.read())
        await context.stdout.write(chunk);
      return;
    }
    for (let line = await input.line(); line; line = await input.line()) {
      const tabs = flags.has('A') || flags.has('T') ? line.text.replaceAll('\t', '^I') : line.text;
      const end = flags.has('A') || flags.has('E') ? '$' : '';
      await context.out(
        `${flags.has('n') ? `${String(++number).padStart(6)}\t` : ''}${tabs}${end}${line.terminated ? '\n' : ''}`,
      );
    }
  });
});

/** `-5` is `-n 5`. */
const modernCount = (args: readonly string[]) =>
  args.flatMap((arg, index) =>
    /^-[0-9]+$/.test(arg) && !/^-[nc]$/.test(args[index - 1] ?? '') ? ['-n', arg.slice(1)] : [arg],
  );

const headOrTail =
  (body: (context: CommandContext, flags: Flags, input: Input) => Promise<void>): Command =>
  (context) =>
    withUsage(context, async () => {
      const flags = parseFlags(modernCount(context.args), 'n:c:qv', { lines: 'n', bytes: 'c', quiet: 'q' });
      const titled = (flags.operands.length > 1 && !flags.has('q')) || flags.has('v');
      let first = true;
      return eachInput(context, flags.operands, async (input, name) => {
        if (titled)
          await context.out(`${first ? '' : '\n'}==> ${name === '-' ? 'standard input' : name} <==\n`);
        first = false;
        await body(context, flags, input);
      });
    });

const head = headOrTail(async (context, flags, input) => {
  const bytes = flags.value('c');
  const wanted = bytes ?? flags.value('n') ?? '10';
  if (wanted.startsWith('-')) {
    const all = await readAll(input);
    const drop = count(wanted.slice(1), `number of ${bytes ? 'bytes' : 'lines'}`);
    if (bytes) return context.stdout.write(all.subarray(0, Math.max(0, all.length - drop)));
    const lines = linesOf(decoder.decode(all));
    return context.out(joined(lines.slice(0, Math.max(0, lines.length - drop))));
  }
  let left = count(wanted, `number of ${bytes ? 'bytes' : 'lines'}`);
  while (left > 0) {
    const chunk = await input.read();
    if (!chunk) return;
    let take = 0;
    if (bytes) take = Math.min(left, chunk.length);
    else for (let lines = 0; take < chunk.length && lines < left; take++) if (chunk[take] === 10) lines++;
    left -= bytes ? take : chunk.subarray(0, take).reduce((sum, byte) => sum + Number(byte === 10), 0);
    await context.stdout.write(chunk.subarray(0, take));
    input.unread(chunk.subarray(take));
  }
});

const tail = headOrTail(async (context, flags, input) => {
  const bytes = flags.value('c');
  const wanted = bytes ?? flags.value('n') ?? '10';
  const number = count(wanted.replace(/^[-+]/, ''), `number of ${bytes ? 'bytes' : 'lines'}`);
  const all = await readAll(input);
  let start: number;
  if (bytes) start = wanted.startsWith('+') ? number - 1 : all.length - number;
  else start = wanted.startsWith('+') ? lineStart(all, number - 1) : lineStartFromEnd(all, number);
  await context.stdout.write(all.subarray(Math.max(0, start)));
});

function lineStart(bytes: Uint8Array, skip: number): number {
  let at = 0;
  for (let line = 0; line < skip && at < bytes.length; line++) at = bytes.indexOf(10, at) + 1 || bytes.length;
  return at;
}

function lineStartFromEnd(bytes: Uint8Array, lines: number): number {
  if (lines === 0) return bytes.length;
  let at = bytes[bytes.length - 1] === 10 ? bytes.length - 1 : bytes.length;
  for (let line = 0; line < lines; line++) {
    if (at <= 0) return 0;
    at = bytes.lastIndexOf(10, at - 1);
    if (at < 0) return 0;
  }
  return at + 1;
}

const wc = tool('lwcm', async (context, flags) => {
  const rows: { counts: number[]; name: string }[] = [];
  const status = await eachInput(context, flags.operands, async (input, name) => {
    const bytes = await readAll(input);
    const text = decoder.decode(bytes);
    const lines = bytes.reduce((sum, byte) => sum + Number(byte === 10), 0);
    rows.push({
      counts: [lines, text.split(/\s+/).filter(Boolean).length, [...text].length, bytes.length],
      name,
    });
  });
  if (rows.length > 1) {
    rows.push({
      counts: [0, 1, 2, 3].map((i) => rows.reduce((sum, row) => sum + row.counts[i], 0)),
      name: 'total',
    });
  }
  const all = !['l', 'w', 'c', 'm'].some((letter) => flags.has(letter));
  const shown = ['l', 'w', 'm', 'c'].map((letter) => (all ? letter !== 'm' : flags.has(letter)));
  const columns = shown.filter(Boolean).length;
  const width =
    columns === 1 && rows.length === 1
      ? 1
      : flags.operands.length === 0
        ? 7
        : Math.max(...rows.map((row) => String(row.counts[3]).length));
  for (const { counts, name } of rows) {
    const numbers = counts.filter((_, index) => shown[index]).map((value) => String(value).padStart(width));
    await context.out(`${numbers.join(' ')}${name === '-' ? '' : ` ${name}`}\n`);
  }
  return status;
});

/** A field list such as `1,3-5,7-`. */
function fieldList(text: string): (index: number) => boolean {
  const ranges = text.split(',').map((item) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(item);
    if (!match || item === '' || item === '-') throw new UsageError(`invalid field range '${item}'`);
    const from = match[1] ? Number(match[1]) : 1;
    return [from, match[2] ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : from];
  });
  return (index) => ranges.some(([from, to]) => index >= from && index <= to);
}

const cut = tool('f:d:c:b:s', async (context, flags) => {
  const characters = flags.value('c') ?? flags.value('b');
  const fields = flags.value('f');
  if (!characters && !fields) throw new UsageError('you must specify a list of bytes, characters, or fields');
  const wanted = fieldList(characters ?? fields!);
  const delimiter = flags.value('d') ?? '\t';
  return eachInput(context, flags.operands, async (input) => {
    for (let line = await input.line(); line; line = await input.line()) {
      const separator = characters ? '' : delimiter;
      if (!characters && !line.text.includes(delimiter)) {
        if (!flags.has('s')) await context.out(`${line.text}\n`);
        continue;
      }
      await context.out(
        `${line.text
          .split(separator)
          .filter((_, index) => wanted(index + 1))
          .join(separator)}\n`,
      );
    }
  });
});

/** Characters of a `tr` set: ranges, classes and escapes. */
function characterSet(text: string): string[] {
  const classes: Record<string, string> = {
    upper: 'A-Z',
    lower: 'a-z',
    digit: '0-9',
    alpha: 'A-Za-z',
    alnum: 'A-Za-z0-9',
    space: ' \t\n\r\f\v',
    punct: '!-/:-@[-`{-~',
  };
  const plain = unescapeText(text.replace(/\[:([a-z]+):\]/g, (_, name) => classes[name] ?? ''));
  return [
    ...plain.replace(/([\s\S])-([\s\S])/g, (_, from: string, to: string) => {
      let range = '';
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++)
        range += String.fromCharCode(code);
      return range;
    }),
  ];
}

const tr = tool('dscC', async (context, flags) => {
  const [first, second] = flags.operands;
  if (first === undefined) throw new UsageError('missing operand');
  const from = characterSet(first);
  const to = second === undefined ? [] : characterSet(second);
  const inFirst = (character: string) => from.includes(character) !== (flags.has('c') || flags.has('C'));
  const squeezed = second === undefined ? inFirst : (character: string) => to.includes(character);
  let previous = '';
  for (let chunk = await context.stdin.read(); chunk; chunk = await context.stdin.read()) {
    let output = '';
    for (const character of decoder.decode(chunk)) {
      if (flags.has('d') && inFirst(character)) continue;
      const index = from.indexOf(character);
      const mapped =
        flags.has('d') || to.length === 0 || !inFirst(character)
          ? character
          : to[Math.min(index < 0 ? to.length : index, to.length - 1)];
      if (flags.has('s') && mapped === previous && squeezed(mapped)) continue;
      output += mapped;
      previous = mapped;
    }
    await context.out(output);
  }
  return 0;
});

const sort = tool(
  'nrufk:t:o:bhV',
  async (context, flags) => {
    const { lines, status } = await allLines(context, flags.operands);
    const field = flags.value('k');
    const separator = flags.value('t');
    const numeric = flags.has('n') || flags.has('h') || /n/.test(field ?? '');
    const reverse = flags.has('r') || /r/.test(field ?? '');
    const key = (line: string) => {
      if (!field) return line;
      const [from, to] = field.split(',').map((item) => Number.parseInt(item, 10));
      const parts = separator ? line.split(separator) : line.trim().split(/\s+/);
      return parts.slice(from - 1, to || undefined).join(separator ?? ' ');
    };
    const units: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
    const value = (text: string) =>
      (Number.parseFloat(text) || 0) * (flags.has('h') ? (units[/[KMGT]/.exec(text)?.[0] ?? ''] ?? 1) : 1);
    const fold = (text: string) => (flags.has('f') ? text.toUpperCase() : text);
    const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    const compare = (a: string, b: string) =>
      numeric ? value(key(a)) - value(key(b)) : byText(fold(key(a)), fold(key(b)));
    lines.sort(
      (a, b) =>
        (reverse ? -compare(a, b) : compare(a, b)) ||
        (flags.has('u') ? 0 : reverse ? byText(b, a) : byText(a, b)),
    );
    const unique = flags.has('u')
      ? lines.filter((line, index) => index === 0 || compare(lines[index - 1], line) !== 0)
      : lines;
    const output = flags.value('o');
    if (output) context.fs.writeFile(context.path(output), encoder.encode(joined(unique)));
    else await context.out(joined(unique));
    return status;
  },
  { reverse: 'r', unique: 'u', 'numeric-sort': 'n' },
);

const uniq = tool('cdui', async (context, flags) => {
  const { lines, status } = await allLines(context, flags.operands.slice(0, 1));
  const fold = (text: string) => (flags.has('i') ? text.toLowerCase() : text);
  for (let at = 0; at < lines.length; ) {
    let end = at + 1;
    while (end < lines.length && fold(lines[end]) === fold(lines[at])) end++;
    const repeated = end - at > 1;
    if (!(flags.has('d') && !repeated) && !(flags.has('u') && repeated)) {
      await context.out(`${flags.has('c') ? `${String(end - at).padStart(7)} ` : ''}${lines[at]}\n`);
    }
    at = end;
  }
  return status;
});

const tee = tool('ai', async (context, flags) => {
  const files = flags.operands.map((file) => context.fs.openWrite(context.path(file), flags.has('a')));
  for (let chunk = await context.stdin.read(); chunk; chunk = await context.stdin.read()) {
    for (const sink of [context.stdout, ...files]) await sink.write(chunk);
  }
  for (const file of files) file.close?.();
  return 0;
});

const seq = tool('s:wf:', async (context, flags) => {
  const numbers = flags.operands.map((text) => {
    if (!/^-?\d+(\.\d+)?$/.test(text)) throw new UsageError(`invalid floating point argument: '${text}'`);
    return Number(text);
  });
  if (numbers.length === 0) throw new UsageError('missing operand');
  const first = numbers.length > 1 ? numbers[0] : 1;
  const step = numbers.length > 2 ? numbers[1] : 1;
  const last = numbers[numbers.length - 1];
  if (step === 0) throw new UsageError(`invalid Zero increment value: '0'`);
  const digits = Math.max(...flags.operands.map((text) => (text.split('.')[1] ?? '').length));
  const width = flags.has('w') ? Math.max(first.toFixed(digits).length, last.toFixed(digits).length) : 0;
  const values: string[] = [];
  for (let index = 0; step > 0 ? first + index * step <= last : first + index * step >= last; index++) {
    values.push((first + index * step).toFixed(digits).padStart(width, '0'));
    if (context.signal.aborted) return 130;
  }
  if (values.length > 0) await context.out(`${values.join(flags.value('s') ?? '\n')}\n`);
  return 0;
});

const tac = tool('', async (context, flags) => {
  const { lines, status } = await allLines(context, flags.operands);
  await context.out(joined(lines.reverse()));
  return status;
});

const yes: Command = async (context) => {
  const block = encoder.encode(`${context.args.join(' ') || 'y'}\n`.repeat(1024));
  while (!context.signal.aborted) await context.stdout.write(block);
  return 130;
};

const rev = tool('', (context, flags) =>
  eachInput(context, flags.operands, async (input) => {
    for (let line = await input.line(); line; line = await input.line())
      await context.out(`${[...line.text].reverse().join('')}\n`);
  }),
);

const nl = tool('b:', async (context, flags) => {
  const { lines, status } = await allLines(context, flags.operands);
  let number = 0;
  await context.out(
    joined(lines.map((line) => (line === '' ? '       ' : `${String(++number).padStart(6)}\t${line}`))),
  );
  return status;
});

const cmp = tool('s', async (context, flags) => {
  const [first, second] = flags.operands;
  if (second === undefined) throw new UsageError('two files are needed');
  const [a, b] = [first, second].map((file) =>
    file === '-' ? concat([]) : context.fs.readFile(context.path(file)),
  );
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0 && a.length === b.length) return 0;
  if (!flags.has('s')) {
    const line = a.subarray(0, at < 0 ? a.length : at).reduce((sum, byte) => sum + Number(byte === 10), 1);
    await context.out(
      at < 0 ? `cmp: EOF on ${first}\n` : `${first} ${second} differ: byte ${at + 1}, line ${line}\n`,
    );
  }
  return 1;
});

export const textTools: Record<string, [Command, string]> = {
  echo: [echo, 'print arguments'],
  printf: [printf, 'print arguments in a format'],
  cat: [cat, 'print files'],
  head: [head, 'first lines of files'],
  tail: [tail, 'last lines of files'],
  wc: [wc, 'count lines, words and bytes'],
  cut: [cut, 'columns or fields of lines'],
  tr: [tr, 'replace or delete characters'],
  sort: [sort, 'sort lines'],
  uniq: [uniq, 'drop or count repeated lines'],
  tee: [tee, 'copy standard input to files and standard output'],
  seq: [seq, 'print a sequence of numbers'],
  tac: [tac, 'print lines in reverse order'],
  rev: [rev, 'reverse each line'],
  nl: [nl, 'number lines'],
  yes: [yes, 'print a line until killed'],
  cmp: [cmp, 'compare two files byte by byte'],
};
