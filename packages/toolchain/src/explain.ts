// SPDX-License-Identifier: MIT
/**
 * Adds a line to clang's diagnostics where they come from what this machine is, rather than from a mistake: x86
 * assembly, gcc extensions that clang lacks, headers that are not there. Each points into docs/limits.md.
 */

import type { FormatWarning } from './varargs/warnings.js';

const LIMITS = 'docs/limits.md';

interface Explanation {
  readonly pattern: RegExp;
  readonly section: string;
  /** `$1` is the first group of the pattern. */
  readonly text: string;
}

const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern:
      /<inline asm>|unknown register name '[^']*' in asm|invalid (?:input|output) constraint '[^']*' in asm/,
    section: 'assembly',
    text: 'the machine is wasm64: assembly for other processors cannot be assembled',
  },
  {
    pattern: /error: function definition is not allowed here/,
    section: 'nested-functions',
    text: 'functions inside of functions are an extension of gcc that clang does not have',
  },
  {
    pattern: /fatal error: '((?:linux|asm|net|crypto|uapi|drm|media|sound|scsi)\/[^']+)' file not found/,
    section: 'headers',
    text: 'Pagewalk has no <$1>',
  },
];

const BROKEN_FUNCTION = 'Broken function found';

/** clang's diagnostics, and after them what explains them. */
export function explain(stderr: string): string {
  let out = stderr;
  for (const { pattern, section, text } of EXPLANATIONS) {
    const found = pattern.exec(stderr);
    if (found) out += `note: ${text.replace('$1', found[1] ?? '')} (${LIMITS}#${section})\n`;
  }
  return out;
}

/** What to say when clang crashed and is run again with -O0. Its last words name the function it broke on. */
export function explainCrash(stderr: string): string {
  const called = /^ptr @(\w+?)(?:_bitcast)?(?:_invalid)?$/m.exec(stderr)?.[1];
  const cause = stderr.includes(BROKEN_FUNCTION)
    ? `${called ? `'${called}'` : 'a function'} is called directly through a cast to another type`
    : 'clang crashed';
  return `warning: ${cause}, which clang cannot compile with optimization: compiled with -O0 instead (${LIMITS}#wrong-casts)\n`;
}

/** What to say of calls whose arguments have other sizes than their formats say, and that could not be changed. */
export function explainUnfitted(warnings: readonly FormatWarning[]): string {
  const places = new Set(warnings.map(({ file, line }) => `${file}:${line}`));
  return [...places]
    .map(
      (place) =>
        `note: ${place}: the arguments from this one on may print wrong (${LIMITS}#format-arguments)\n`,
    )
    .join('');
}
