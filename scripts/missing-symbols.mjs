// SPDX-License-Identifier: MIT
// Lists what the kernel headers declare and the kernel does not export yet, and what it exports undeclared.
// Run after a build: node scripts/missing-symbols.mjs

import { kernelExports } from '@pagewalk/kernel/kernel_exports';
import { Machine } from '@pagewalk/kernel/machine';
import { declaredSymbols } from '@pagewalk/toolchain/declared_symbols';
import { loadHeaders } from '@pagewalk/toolchain/headers.node';

const { kernel } = new Machine({ memory: 64 * 2 ** 20 });
const exported = new Set(Object.keys(kernelExports(kernel)));
const variables = new Set(kernel.data.variables.map((v) => v.name));
const declared = declaredSymbols(loadHeaders());

const list = (title, names) => console.log(`${title} (${names.length}):\n  ${names.sort().join('\n  ')}\n`);
list(
  'functions declared, not exported',
  [...declared.functions].filter((f) => !exported.has(f)),
);
list(
  'variables declared, not there',
  [...declared.variables].filter((v) => !variables.has(v)),
);
list(
  'functions exported, not declared',
  [...exported].filter((f) => !declared.functions.has(f)),
);
