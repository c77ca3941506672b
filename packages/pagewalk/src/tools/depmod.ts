// SPDX-License-Identifier: MIT
/** depmod: finds out who needs whom. */

import { UTS_RELEASE } from '@pagewalk/kernel/kernel/utsname';
import type { Command } from '../shell/command.js';
import { parseFlags, withUsage } from './arguments.js';
import { dependencies, indexFiles, modulesBelow } from './module_index.js';

export const depmod: Command = (context) =>
  withUsage(context, async () => {
    const flags = parseFlags(context.args, 'aAnveb:', {
      all: 'a',
      quick: 'A',
      'dry-run': 'n',
      show: 'n',
      verbose: 'v',
    });
    const release = flags.operands[0] ?? UTS_RELEASE;
    const folder = `/lib/modules/${release}`;
    if (!context.fs.isDirectory(folder)) {
      await context.err(`depmod: ERROR: could not open directory ${folder}: No such file or directory\n`);
      await context.err('depmod: FATAL: could not search modules: No such file or directory\n');
      return 1;
    }
    const modules = modulesBelow(context.fs, folder);
    const { of, cycles } = dependencies(modules);
    for (const cycle of cycles) await context.err(`depmod: ERROR: Cycle detected: ${cycle}\n`);
    if (cycles.length > 0) return 1;
    if (flags.has('v'))
      for (const module of modules)
        for (const needed of of.get(module)!)
          await context.out(
            `${folder}/${module.path} needs "${shared(module.undefined, needed.exports)}": ${folder}/${needed.path}\n`,
          );
    for (const [name, text] of Object.entries(indexFiles(modules))) {
      if (flags.has('n')) await context.out(text);
      else context.fs.writeFile(`${folder}/${name}`, new TextEncoder().encode(text));
    }
    return 0;
  });

const shared = (wanted: readonly string[], offered: readonly string[]): string =>
  wanted.find((name) => offered.includes(name)) ?? '';
