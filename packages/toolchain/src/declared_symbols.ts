// SPDX-License-Identifier: MIT
/** Which symbols the kernel headers promise: what `extern` declares, and so the kernel has to export. */

import type { HeaderTree } from './compile.js';

export interface DeclaredSymbols {
  readonly functions: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
}

/** Attributes that look like a function's name and parameters. */
const ATTRIBUTE =
  /\b(?:__printf|__scanf|__alloc_size__|__section|__aligned|__acquires|__releases|__must_hold)\s*\([^()]*\)/g;

/** Reads the declarations of every header; those inside of macros, whose lines end in a backslash, are not promises. */
export function declaredSymbols(headers: HeaderTree): DeclaredSymbols {
  const functions = new Set<string>();
  const variables = new Set<string>();
  for (const text of headers.values()) {
    const code = text
      .replace(/\/\*[\s\S]*?\*\//g, ' ')
      .replace(/^#[^\n]*(?:\\\n[^\n]*)*/gm, '')
      .replace(/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)/g, ' ')
      .replace(ATTRIBUTE, ' ');
    for (const [, declaration] of code.matchAll(/^extern\s+([^;{]+);/gm)) {
      const called = /^[^(]*?\b(\w+)\s*\(/.exec(declaration);
      if (called) functions.add(called[1]);
      else for (const name of declaration.split(',').map(variableName)) if (name) variables.add(name);
    }
  }
  return { functions, variables };
}

const variableName = (declarator: string) => /(\w+)\s*(?:\[[^\]]*\])*\s*$/.exec(declarator)?.[1];
