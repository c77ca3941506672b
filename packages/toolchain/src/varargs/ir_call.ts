// SPDX-License-Identifier: MIT
/** Reads a call of a variadic function in LLVM's textual intermediate representation, and writes it. */

export interface IrArgument {
  /** As it stands in the call: type, attributes, value. */
  readonly text: string;
  readonly type: string;
  readonly value: string;
}

export interface IrCall {
  /** Everything up to the list of arguments, and everything behind it. */
  readonly before: string;
  readonly after: string;
  readonly callee: string;
  readonly arguments: readonly IrArgument[];
  /** How many arguments the callee's type names. */
  readonly nrFixed: number;
  /** Number of the `!DILocation`; undefined without debugging information. */
  readonly location: string | undefined;
}

const NAME = /[@%](?:[\w.$-]+|"[^"]*")/.source;
const VARIADIC_CALL = new RegExp(
  `^\\s*(?:${NAME} = )?(?:\\w+ )?call [^@%(]*\\(([^()]*)\\.\\.\\.\\) (${NAME})\\(`,
);
const VALUE = new RegExp(`(${NAME}|[a-z]+(?: inbounds| nuw| nsw)* \\(.*\\)|[^\\s()]+)$`);

/** Where the list that opens before `start` closes, and the texts between its commas. */
function listFrom(line: string, start: number): { items: string[]; end: number } {
  const items: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = start;
  for (let at = start; at < line.length; at++) {
    const c = line[at];
    if (c === '"') quoted = !quoted;
    if (quoted) continue;
    if (depth === 0 && (c === ',' || c === ')')) {
      const item = line.slice(from, at).trim();
      if (item !== '') items.push(item);
      from = at + 1;
      if (c === ')') return { items, end: at };
    } else if ('([{<'.includes(c)) depth++;
    else if (')]}>'.includes(c)) depth--;
  }
  return { items, end: line.length };
}

function argumentOf(text: string): IrArgument {
  const type = text.includes(' byval(') ? 'byval' : text.slice(0, text.indexOf(' '));
  return { text, type, value: VALUE.exec(text)?.[1] ?? '' };
}

/** The call in a line; undefined if there is none, or its callee takes a fixed number of arguments. */
export function parseCall(line: string): IrCall | undefined {
  const match = VARIADIC_CALL.exec(line);
  if (!match) return undefined;
  const start = match[0].length;
  const { items, end } = listFrom(line, start);
  return {
    before: line.slice(0, start),
    after: line.slice(end),
    callee: match[2].slice(1),
    arguments: items.map(argumentOf),
    nrFixed: match[1].split(',').length - 1,
    location: /, !dbg (!\d+)/.exec(line.slice(end))?.[1],
  };
}
