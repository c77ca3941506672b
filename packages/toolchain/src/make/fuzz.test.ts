// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryFs } from '../fs.js';
import { make } from '../make.js';
import { MAKE_CASES } from './cases.js';

const PIECES = [
  ...MAKE_CASES.flatMap(({ files }) => Object.values(files).flatMap((text) => text.split(/(?<=\n)|(?= )/))),
  '$(',
  ')',
  '${',
  '}',
  ':',
  '::',
  '=',
  ':=',
  '+=',
  '?=',
  '%',
  '\\\n',
  '\t',
  '#',
  'ifeq (',
  'else',
  'endif',
  ',',
  'define x\n',
  'endef\n',
  '$(eval ',
  '$(call ',
  '$(foreach ',
  '$(shell ',
  '$(word 1e9,',
  '$@',
  '$<',
  '|',
  ';',
  '"',
  'include Makefile\n',
  'export',
  'a: a\n',
  '%: %.x\n\t@true\n',
  '\0',
  '가',
];

async function run(makefile: string): Promise<{ status: number; stderr: string }> {
  let stderr = '';
  const context = {
    cwd: '/m',
    fs: new MemoryFs({ '/m/Makefile': makefile, '/m/a.c': '' }),
    sh: async () => ({ status: 0, stdout: 'x y\n' }),
    stdout: () => {},
    stderr: (more: string) => {
      stderr += more;
    },
  };
  const status = await make(['all'], context, async () => 0);
  return { status, stderr };
}

test.each([
  ['include Makefile\n', 'Makefile:1: *** makefiles include each other without end.  Stop.\n'],
  ['all:\n\t@$(MAKE) --no-print-directory\n', 'make[51]: *** make calls itself without end.  Stop.\n'],
  ['f = $(call f)$(call f)\nall: $(f)\n', 'Makefile:1: *** functions nest too deeply.  Stop.\n'],
  [
    'f = $(foreach a,1 2 3 4 5 6 7 8 9 10,$(g))\ng = $(foreach a,1 2 3 4 5 6 7,$(h))\nh = $(a)\nall: ; @echo $(f)\n',
    '',
  ],
  [`x := 1234567890\n${'x := $(x)$(x)\n'.repeat(30)}`, 'Makefile:23: *** expansion does not end.  Stop.\n'],
])('a makefile without end has one: %j', async (makefile, message) => {
  const { status, stderr } = await run(makefile);
  expect(status).toBe(message === '' ? 0 : 2);
  expect(stderr.split('\n')[0]).toBe(message.trimEnd());
});

/** A makefile of any content ends in a status, never in an exception, and soon. */
test('any text is a makefile, or an error in make’s own words', { timeout: 60_000 }, async () => {
  const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(text, async (makefile) => {
      const { status, stderr } = await run(makefile);
      expect([0, 2]).toContain(status);
      if (status === 2) expect(stderr).not.toBe('');
    }),
    { numRuns: 3000, seed: 1 },
  );
});
