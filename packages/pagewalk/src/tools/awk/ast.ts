// SPDX-License-Identifier: MIT
/** An awk program as a tree. */

export type Target =
  | { kind: 'variable'; name: string }
  | { kind: 'field'; index: Expression }
  | { kind: 'element'; name: string; subscripts: Expression[] };

export type Expression =
  | Target
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'regex'; source: string }
  /** Parentheses: `print (a, b) > "file"` has several inside. */
  | { kind: 'group'; items: Expression[] }
  | { kind: 'assign'; operator: string; target: Target; value: Expression }
  | { kind: 'conditional'; test: Expression; yes: Expression; no: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'match'; negated: boolean; left: Expression; right: Expression }
  | { kind: 'in'; subscripts: Expression[]; name: string }
  | { kind: 'unary'; operator: string; operand: Expression }
  | { kind: 'step'; prefix: boolean; by: 1 | -1; target: Target }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'builtin'; name: string; args: Expression[] }
  | { kind: 'getline'; from: 'main' | 'file' | 'command'; source?: Expression; target?: Target };

export interface Redirection {
  operator: '>' | '>>' | '|';
  target: Expression;
}

export type Statement =
  | { kind: 'expression'; expression: Expression }
  | { kind: 'print'; formatted: boolean; args: Expression[]; redirection?: Redirection }
  | { kind: 'block'; body: Statement[] }
  | { kind: 'if'; test: Expression; yes: Statement; no?: Statement }
  | { kind: 'while'; test: Expression; body: Statement }
  | { kind: 'do'; test: Expression; body: Statement }
  | { kind: 'for'; start?: Statement; test?: Expression; step?: Statement; body: Statement }
  | { kind: 'forIn'; variable: string; array: string; body: Statement }
  | { kind: 'delete'; name: string; subscripts?: Expression[] }
  | { kind: 'leave'; how: 'next' | 'nextfile' | 'break' | 'continue' }
  | { kind: 'exit' | 'return'; value?: Expression };

export interface Rule {
  pattern?: Expression;
  /** The second one of a range `first, last`. */
  end?: Expression;
  body?: Statement;
}

export interface Program {
  begin: Statement[];
  rules: Rule[];
  end: Statement[];
  functions: Map<string, { parameters: string[]; body: Statement }>;
}

/** The program is no awk, or did what none may: a message, exit status 2. */
export class AwkError extends Error {
  override name = 'AwkError';
}
