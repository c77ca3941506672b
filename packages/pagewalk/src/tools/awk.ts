// SPDX-License-Identifier: MIT
/** awk, as POSIX describes it. */

import type { Command } from '../shell/command.js';
import { UsageError, withUsage } from './arguments.js';
import { AwkError } from './awk/ast.js';
import { Awk } from './awk/interpreter.js';
import { unescapeAwk } from './awk/lexer.js';
import { parseAwk } from './awk/parser.js';

interface Options {
  program: string;
  separator?: string;
  assignments: [name: string, text: string][];
  operands: string[];
}

/** Options end at the program: what follows it is the program's own. */
function parseOptions(args: readonly string[], readFile: (name: string) => string): Options {
  const queue = [...args];
  const sources: string[] = [];
  const options: Options = { program: '', assignments: [], operands: [] };
  while (queue.length > 0 && /^-./.test(queue[0])) {
    const arg = queue.shift()!;
    if (arg === '--') break;
    const letter = arg[1];
    if (!'Fvf'.includes(letter)) throw new UsageError(`unknown option ${arg}`);
    const value = arg.length > 2 ? arg.slice(2) : queue.shift();
    if (value === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
    if (letter === 'F') options.separator = value === 't' ? '\t' : unescapeAwk(value);
    else if (letter === 'f') sources.push(readFile(value));
    else {
      const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(value);
      if (!match) throw new UsageError(`improper assignment: -v ${value}`);
      options.assignments.push([match[1], match[2]]);
    }
  }
  if (sources.length === 0) {
    const program = queue.shift();
    if (program === undefined) throw new UsageError("usage: awk [-F FS] [-v NAME=VALUE] 'PROGRAM' [FILE]...");
    sources.push(program);
  }
  return { ...options, program: sources.join('\n'), operands: queue };
}

export const awk: Command = (context) =>
  withUsage(
    context,
    async () => {
      const readFile = (name: string) => new TextDecoder().decode(context.fs.readFile(context.path(name)));
      const { program, separator, assignments, operands } = parseOptions(context.args, readFile);
      try {
        const run = new Awk(parseAwk(program), context, operands);
        if (separator !== undefined) run.setVariable('FS', separator);
        for (const [name, text] of assignments) run.assignText(name, text);
        return await run.run();
      } catch (error) {
        if (error instanceof AwkError) return context.fail(error.message, 2);
        throw error;
      }
    },
    2,
  );
