// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryFs } from '../fs.js';
import { make } from '../make.js';

const version = spawnSync('make', ['--version'], { encoding: 'utf8' });
const hasGnuMake = version.status === 0 && version.stdout.startsWith('GNU Make 4');

const VARIABLES = `E :=
A = a.c sub/b.c   c.h
B := x%y %.c %
C = $(A) $(B)
rev = $(2)-$(1)
join2 = $(1)$(1)
`;

const word = fc.constantFrom(
  'a.c',
  'sub/b.c',
  'x',
  '%.c',
  '%.o',
  '%',
  'dir/',
  '.hidden',
  'a.b.c',
  '/abs/p.c',
  'a,b'.slice(0, 1),
  '-DX=1',
);
const { expression } = fc.letrec<{ expression: string; list: string }>((tie) => ({
  list: fc
    .array(fc.oneof({ depthSize: 'small' }, word, tie('expression')), { maxLength: 4 })
    .map((ws) => ws.join(' ')),
  expression: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constantFrom(
      '$(A)',
      '$(B)',
      '$(C)',
      '$(E)',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: make's syntax
      '${A}',
      '$(A:.c=.o)',
      '$(A:%.c=o/%.o)',
      '$$',
      '$(none)',
      '$(C:%=<%>)',
    ),
    fc
      .tuple(
        fc.constantFrom(
          'strip',
          'sort',
          'words',
          'firstword',
          'lastword',
          'dir',
          'notdir',
          'suffix',
          'basename',
          'value',
          'origin',
          'flavor',
        ),
        tie('list'),
      )
      .map(([name, list]) => `$(${name} ${list})`),
    fc
      .tuple(
        fc.constantFrom(
          'filter',
          'filter-out',
          'findstring',
          'addsuffix',
          'addprefix',
          'join',
          'if',
          'or',
          'and',
          'call rev',
          'call join2',
          'word 2',
          'wordlist 1,2',
        ),
        tie('list'),
        tie('list'),
      )
      .map(([name, a, b]) =>
        name.startsWith('word')
          ? `$(${name},${a} ${b})`
          : name.startsWith('call')
            ? `$(${name},${a},${b})`
            : `$(${name} ${a},${b})`,
      ),
    fc
      .tuple(fc.constantFrom('patsubst'), word, word, tie('list'))
      .map(([name, a, b, c]) => `$(${name} ${a},${b},${c})`),
    fc
      .tuple(fc.constantFrom('subst', 'if', 'foreach v'), tie('list'), tie('list'), tie('list'))
      .map(([name, a, b, c]) =>
        name === 'foreach v' ? `$(foreach v,${a},[$(v)]${b})` : `$(${name} ${a},${b},${c})`,
      ),
  ),
}));

test.skipIf(!hasGnuMake)('expansions agree with GNU make', async () => {
  const batches = fc.sample(fc.array(expression, { minLength: 100, maxLength: 100 }), {
    numRuns: 20,
    seed: 42,
  });
  for (const batch of batches) {
    const text = `${VARIABLES}${batch.map((e, i) => `$(info ${i}: [${e}])\n`).join('')}all: ;\n`;
    const gnu = spawnSync('make', ['-f', '-'], {
      input: text,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    let stdout = '';
    const print = (more: string) => {
      stdout += more;
    };
    const sh = async () => ({ status: 0, stdout: '' });
    await make(
      [],
      { cwd: '/', fs: new MemoryFs({ '/Makefile': text }), sh, stdout: print, stderr: print },
      async () => 0,
    );
    const [ours, theirs] = [stdout, gnu.stdout + gnu.stderr].map((t) =>
      t.replaceAll('-:', 'Makefile:').split('\n'),
    );
    expect(ours).toEqual(theirs);
  }
});
