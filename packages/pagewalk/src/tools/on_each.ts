// SPDX-License-Identifier: MIT
/** Commands that do the same to each of their operands. */

import { FsError } from '../fs/filesystem.js';
import type { CommandContext } from '../shell/command.js';
import { UsageError } from './arguments.js';

/** Runs an action on each operand; what fails is reported as `NAME: WORDS 'FILE': REASON`. */
export async function onEach(
  context: CommandContext,
  files: readonly string[],
  words: string,
  action: (full: string, file: string) => Promise<void> | void,
): Promise<number> {
  if (files.length === 0) throw new UsageError('missing operand');
  let status = 0;
  for (const file of files) {
    try {
      await action(context.path(file), file);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      status = await context.fail(`${words} '${file}': ${error.reason}`);
    }
  }
  return status;
}
