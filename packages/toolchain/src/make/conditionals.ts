// SPDX-License-Identifier: MIT
/** `ifeq`, `ifneq`, `ifdef`, `ifndef`, `else`, `endif`. */

import { MakeError } from './error.js';
import type { Expander } from './expand.js';

interface Frame {
  /** Lines count now. */
  active: boolean;
  /** Some branch has been taken, or the whole lies in a branch that was not. */
  decided: boolean;
  sawElse: boolean;
}

const CONDITIONAL = /^(ifeq|ifneq|ifdef|ifndef|else|endif)\b/;

export const isConditional = (line: string): boolean =>
  CONDITIONAL.test(line) && !/^\w+\s*([:+?!]?=|:)/.test(line);

export class Conditionals {
  private readonly frames: Frame[] = [];

  get active(): boolean {
    return this.frames.every((frame) => frame.active);
  }

  get depth(): number {
    return this.frames.length;
  }

  /** Takes one conditional line. Throws MakeError for one that does not fit. */
  async line(line: string, expander: Expander, where: string): Promise<void> {
    const [, keyword] = CONDITIONAL.exec(line)!;
    const rest = line.slice(keyword.length).trim();
    if (keyword === 'endif') {
      if (!this.frames.pop()) throw new MakeError("extraneous 'endif'", where);
    } else if (keyword === 'else') await this.else(rest, expander, where);
    else {
      const reached = this.active;
      const active = reached && (await holds(keyword, rest, expander, where));
      this.frames.push({ active, decided: active || !reached, sawElse: false });
    }
  }

  private async else(rest: string, expander: Expander, where: string): Promise<void> {
    const frame = this.frames.at(-1);
    if (!frame) throw new MakeError("extraneous 'else'", where);
    if (frame.sawElse) throw new MakeError("only one 'else' per conditional", where);
    if (rest === '') {
      frame.sawElse = true;
      frame.active = !frame.decided;
    } else if (frame.decided) frame.active = false;
    else {
      const [, keyword] = CONDITIONAL.exec(rest) ?? [];
      if (!keyword?.startsWith('if')) throw new MakeError("extraneous text after 'else' directive", where);
      frame.active = await holds(keyword, rest.slice(keyword.length).trim(), expander, where);
    }
    frame.decided ||= frame.active;
  }
}

async function holds(keyword: string, rest: string, expander: Expander, where: string): Promise<boolean> {
  if (keyword === 'ifdef' || keyword === 'ifndef') {
    const name = (await expander.expand(rest)).trim();
    const defined = (expander.scope.get(name)?.value ?? '') !== '';
    return defined === (keyword === 'ifdef');
  }
  const [left, right] = compared(rest, where);
  return ((await expander.expand(left)) === (await expander.expand(right))) === (keyword === 'ifeq');
}

/** The two sides of `(a,b)`, `"a" "b"` or `'a' 'b'`. */
function compared(text: string, where: string): [string, string] {
  if (text.startsWith('(') && text.endsWith(')')) {
    let depth = 0;
    for (let i = 1; i < text.length - 1; i++) {
      if (text[i] === '(' || text[i] === '{') depth++;
      else if (text[i] === ')' || text[i] === '}') depth--;
      else if (text[i] === ',' && depth === 0) return [text.slice(1, i).trim(), text.slice(i + 1, -1).trim()];
    }
  }
  const quoted = /^(["'])(.*?)\1\s*(["'])(.*?)\3$/.exec(text);
  if (!quoted) throw new MakeError('invalid syntax in conditional', where);
  return [quoted[2], quoted[4]];
}
