// SPDX-License-Identifier: MIT
/** Compiles a file once more, with the arguments of printf-like calls fitted to their formats. */

import type { ToolRequest, ToolResult } from '../clang.js';
import { fitArguments } from './fit.js';
import { type FormatWarning, formatWarnings } from './warnings.js';

/** A compile that was successful. */
export interface Compiled {
  /** The command; `-c SOURCE -o OBJECT` at its end. */
  readonly args: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly object: Uint8Array;
  readonly stderr: string;
}

export interface Refitted {
  readonly object: Uint8Array;
  /** Warnings about calls that stay as they are. */
  readonly unfitted: readonly FormatWarning[];
}

const IR = '/.fitted.ll';

/**
 * The object with every call fitted that a warning tells of. Without warnings that is the one there is, at no cost.
 * Any failure leaves the object that clang made at first.
 */
export async function fitObject(
  compiled: Compiled,
  run: (request: ToolRequest) => Promise<ToolResult>,
): Promise<Refitted> {
  const { args, files, object, stderr } = compiled;
  const warnings = formatWarnings(stderr);
  if (warnings.length === 0) return { object, unfitted: [] };
  const output = args.at(-1)!;
  const common = args.slice(0, -4);
  // Line tables say which call a warning is about, even if the module does without them.
  if (args.includes('-g0')) common.push('-gline-tables-only');

  const toIr = ['-S', '-emit-llvm', '-Xclang', '-disable-llvm-passes', args.at(-3)!, '-o', IR];
  const made = (await run({ args: [...common, ...toIr], files, outputs: [IR] })).outputs[IR];
  if (!made) return { object, unfitted: warnings };
  const { ir, nrFitted, unfitted } = fitArguments(new TextDecoder().decode(made), warnings);
  if (nrFitted === 0) return { object, unfitted };
  const request = { args: [...common, '-c', IR, '-o', output], files: { [IR]: ir }, outputs: [output] };
  const fitted = (await run(request)).outputs[output];
  return fitted ? { object: fitted, unfitted } : { object, unfitted: warnings };
}
