// SPDX-License-Identifier: MIT
/**
 * Takes out of a kernel log what differs from run to run or from machine to machine, so that a log of ours can be
 * compared with one of a real kernel, line by line.
 */

/** Lines of a recorded file's section: `=== dmesg`, `=== run.sh output`. */
export function sectionOf(recording: string, title: string): string[] {
  const lines = recording.split('\n');
  const start = lines.indexOf(`=== ${title}`);
  if (start < 0) throw new Error(`no section ${JSON.stringify(title)}`);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('=== '));
  return end < 0 ? rest : rest.slice(0, end);
}

/** Registers and what stands beside them; the machine's own name. */
const NOISE =
  /^(R(AX|DX|BP|10|13): |FS: {2}|CS: {2}|RSP: |Code: |Hardware name: |CR2: [0-9a-f]+ CR3: | +\? |DR[036]: )/;

/** What the user program was doing: there is none here. */
const USER_PROGRAM = /^(RIP: 0033:|RSP: 002b:)/;

/** A line of a call trace. */
const FRAME = /^ \S+\+OFF|^ \.\.\. \d+ frames/;

/** Each in turn, on every line that is left. */
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [/\bCPU: \d+/g, 'CPU: N'],
  [/\bCPU#\d+/g, 'CPU#N'],
  [/\bPID: \d+/g, 'PID: N'],
  [/^(note: )?(\w+)\[\d+\]/, '$1$2[N]'],
  [/\[(\w+):\d+\]$/, '[$1:N]'],
  [/ age=\d+ cpu=\d+ pid=\d+/, ' age=N cpu=N pid=N'],
  [/ 6\.1\.0-\S+ #1.*$/, ' RELEASE'],
  // Names that the compiler makes of a function's parts.
  [/\.(constprop|isra|part|cold|llvm)(\.\d+)?\b/g, ''],
  [/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '+OFF'],
  // Our traces name the line: ` (file.c:12)`.
  [/^((?: |RIP: ).*\+OFF(?: \[\w+\])?) \([^ ]+:\d+\)$/, '$1'],
  [/\/src\/(\w+\.c:\d+)/, '$1'],
  // What is in the first page is an offset from NULL.
  [/\b(0x)?(?!0{13})[0-9a-f]{16}\b/g, 'ADDR'],
  [/\b0x[0-9a-f]{9,15}\b/g, 'ADDR'],
  [/@offset=\d+/g, '@offset=N'],
  [/\bpfn:(0x)?[0-9a-f]+/g, 'pfn:N'],
  [/\bpid \d+, tgid \d+ \((\w+)\), ts \d+, free_ts \d+/, 'pid N, tgid N ($1), ts N, free_ts N'],
  [/^PGD [1-9a-f].*/, 'PGD ENTRIES'],
  [/ +$/, ''],
];

/** Texts of log records (a record may hold several lines), with or without `[   12.345678] ` before each line. */
export function normalize(records: readonly string[]): string[] {
  const lines: string[] = [];
  let inUserProgram = false;
  for (const raw of records.flatMap((record) => record.split('\n'))) {
    const line = raw.replace(/^\[ *\d+\.\d{6}\] /, '');
    if (USER_PROGRAM.test(line)) inUserProgram = true;
    else if (line === ' </TASK>') inUserProgram = false;
    if (inUserProgram || NOISE.test(line)) continue;
    const text = REPLACEMENTS.reduce((all, [pattern, by]) => all.replace(pattern, by), line);
    // A function that calls itself stands once: how deep it got is not the point.
    if (!(FRAME.test(text) && text === lines.at(-1))) lines.push(text);
  }
  return lines;
}

/** The same, where the amounts of memory differ as well: numbers become N, marks of migrate types go. */
export function withoutAmounts(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replace(/(\d+\*\d+kB) \([UMEHI]+\)/g, '$1').replace(/\b\d+(?=kB|KB|\b)/g, 'N'),
  );
}

/** A line in which Linux and Pagewalk are known to differ; null: the line is missing. */
export interface KnownDifference {
  readonly linux: string | null;
  readonly here: string | null;
}

/**
 * What the recorded log would be if the known differences were all there is. Throws for one that does not occur:
 * the list may only shrink.
 */
export function applyDifferences(linux: readonly string[], known: readonly KnownDifference[]): string[] {
  const lines: (string | null)[] = [...linux];
  for (const { linux: from, here } of known) {
    const at = from === null ? lines.length : lines.indexOf(from);
    if (at < 0) throw new Error(`this difference is gone: ${JSON.stringify(from)}`);
    lines[at] = here;
  }
  return lines.filter((line) => line !== null);
}
