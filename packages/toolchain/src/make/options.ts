// SPDX-License-Identifier: MIT
/** The command line of make. */

export interface MakeCommand {
  readonly goals: string[];
  readonly variables: { name: string; value: string; simple: boolean }[];
  /** -C, in order. */
  readonly directories: string[];
  /** -f */
  readonly files: string[];
  readonly keepGoing: boolean;
  readonly dryRun: boolean;
  readonly silent: boolean;
  readonly ignoreErrors: boolean;
  readonly alwaysMake: boolean;
  readonly noBuiltinRules: boolean;
  /** -w, --no-print-directory; undefined: decide by -C. */
  readonly printDirectory: boolean | undefined;
  readonly help: boolean;
  /** What MAKEFLAGS hands to a sub-make, quoted for a shell. */
  readonly flags: string;
}

export const USAGE = `Usage: make [options] [target] ...
Options:
  -B, --always-make           Make all targets, up to date or not.
  -C DIRECTORY                Change to DIRECTORY first.
  -f FILE                     Read FILE as the makefile.
  -i, --ignore-errors         Ignore errors of recipes.
  -j [N]                      Accepted; recipes run one at a time.
  -k, --keep-going            Go on with what does not depend on what failed.
  -n, --dry-run               Print recipes without running them.
  -r, --no-builtin-rules      Use no built-in rules.
  -s, --silent                Do not echo recipes.
  -w, --print-directory       Print the current directory.
      --no-print-directory    Do not.
  VARIABLE=VALUE              Override a variable of the makefile.
`;

type Flag = 'keepGoing' | 'dryRun' | 'silent' | 'ignoreErrors' | 'alwaysMake' | 'noBuiltinRules' | 'help';

const LETTERS: Readonly<Record<string, Flag | ''>> = {
  B: 'alwaysMake',
  b: '',
  e: '',
  h: 'help',
  i: 'ignoreErrors',
  k: 'keepGoing',
  m: '',
  n: 'dryRun',
  R: 'noBuiltinRules',
  r: 'noBuiltinRules',
  s: 'silent',
  S: '',
};

const LONG: Readonly<Record<string, string>> = {
  'always-make': 'B',
  'keep-going': 'k',
  'ignore-errors': 'i',
  'just-print': 'n',
  'dry-run': 'n',
  recon: 'n',
  silent: 's',
  quiet: 's',
  'no-builtin-rules': 'r',
  'no-builtin-variables': 'R',
  help: 'h',
  directory: 'C',
  file: 'f',
  makefile: 'f',
  jobs: 'j',
  'include-dir': 'I',
  'output-sync': 'O',
};

/** Options with an argument; of `j`, `l` and `O` it may be left out. */
const WITH_ARGUMENT = 'CfIoW';
const OPTIONAL_ARGUMENT = 'jlO';

const ASSIGNMENT = /^([^:=+?\s]+)(::?:?|\?|\+)?=(.*)$/s;

/** Parses arguments. A string is what is wrong with them. */
export function parseCommand(args: readonly string[]): MakeCommand | string {
  const set = new Set<Flag>();
  const goals: string[] = [];
  const variables: MakeCommand['variables'] = [];
  const directories: string[] = [];
  const files: string[] = [];
  let printDirectory: boolean | undefined;

  const option = (letter: string, value: string | undefined): void => {
    if (letter === 'C') directories.push(value ?? '.');
    else if (letter === 'f') files.push(value ?? '');
    else if (letter === 'w') printDirectory = true;
    else if (LETTERS[letter]) set.add(LETTERS[letter]);
  };

  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const assignment = ASSIGNMENT.exec(arg);
    if (arg.startsWith('--')) {
      if (arg === '--') continue;
      if (arg === '--no-print-directory' || arg === '--print-directory') {
        printDirectory = arg === '--print-directory';
        continue;
      }
      const [, name, value] = /^--([^=]*)(?:=(.*))?$/s.exec(arg)!;
      const letter = LONG[name];
      if (!letter) return `unrecognized option '${arg}'`;
      const needs = WITH_ARGUMENT.includes(letter);
      option(letter, value ?? (needs ? args[++i] : undefined));
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at];
        const rest = arg.slice(at + 1);
        if (WITH_ARGUMENT.includes(letter)) {
          const value = rest !== '' ? rest : args[++i];
          if (value === undefined) return `option requires an argument -- '${letter}'`;
          option(letter, value);
          break;
        }
        if (OPTIONAL_ARGUMENT.includes(letter)) {
          if (rest === '' && /^\d+$/.test(args[i + 1] ?? '')) i++;
          break;
        }
        if (letter !== 'w' && LETTERS[letter] === undefined) return `invalid option -- '${letter}'`;
        option(letter, undefined);
      }
    } else if (assignment) {
      const [, name, operator, value] = assignment;
      variables.push({ name, value, simple: operator?.startsWith(':') ?? false });
    } else goals.push(arg);
  }
  const letters = Object.keys(LETTERS).filter(
    (l) => LETTERS[l] && set.has(LETTERS[l]) && l !== 'R' && l !== 'h',
  );
  return {
    goals,
    variables,
    directories,
    files,
    keepGoing: set.has('keepGoing'),
    dryRun: set.has('dryRun'),
    silent: set.has('silent'),
    ignoreErrors: set.has('ignoreErrors'),
    alwaysMake: set.has('alwaysMake'),
    noBuiltinRules: set.has('noBuiltinRules'),
    help: set.has('help'),
    printDirectory,
    flags: makeflags(letters.join(''), printDirectory, variables),
  };
}

function makeflags(letters: string, print: boolean | undefined, variables: MakeCommand['variables']): string {
  const quote = (text: string) =>
    /^[\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const directory = print === undefined ? [] : [print ? '-w' : '--no-print-directory'];
  const assignments = variables.map((v) => quote(`${v.name}${v.simple ? ':' : ''}=${v.value}`));
  return [
    ...(letters ? [`-${letters}`] : []),
    ...directory,
    ...(assignments.length ? ['--'] : []),
    ...assignments,
  ].join(' ');
}
