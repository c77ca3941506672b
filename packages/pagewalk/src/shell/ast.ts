// SPDX-License-Identifier: MIT
/** The shell's language as a tree. */

export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'parameter'; quoted: boolean; parameter: Parameter }
  | { kind: 'command'; quoted: boolean; body: List }
  | { kind: 'arithmetic'; quoted: boolean; expression: Word };

/** A word as written: its parts side by side. An empty quoted string is one empty quoted text. */
export type Word = Part[];

export interface Parameter {
  name: string;
  /** `${#name}`. */
  length?: boolean;
  /** `${!name}`. */
  indirect?: boolean;
  /** `:-`, `##`, `//`, `^^`, … ; `:` is a substring. */
  operator?: string;
  argument?: Word;
  /** Replacement of `/` and `//`; length of `:`. */
  second?: Word;
}

export interface Redirect {
  fd: number;
  /** `&>` writes both outputs; `<<` has its body in `target`. */
  operator: '<' | '>' | '>>' | '>|' | '<>' | '>&' | '<&' | '<<' | '<<<' | '&>' | '&>>';
  target: Word;
}

export interface Assignment {
  name: string;
  append: boolean;
  value: Word;
}

export type Condition =
  | { kind: 'unary'; operator: string; operand: Word }
  | { kind: 'binary'; operator: string; left: Word; right: Word }
  | { kind: 'not'; operand: Condition }
  | { kind: 'and' | 'or'; left: Condition; right: Condition };

export type CommandBody =
  | { kind: 'simple'; assignments: Assignment[]; words: Word[] }
  | { kind: 'group'; body: List }
  | { kind: 'subshell'; body: List }
  | { kind: 'if'; clauses: { condition: List; body: List }[]; otherwise?: List }
  | { kind: 'while'; until: boolean; condition: List; body: List }
  | { kind: 'for'; name: string; words?: Word[]; body: List }
  | { kind: 'forArithmetic'; start: Word; condition: Word; step: Word; body: List }
  | { kind: 'case'; word: Word; clauses: { patterns: Word[]; body: List; fallThrough: boolean }[] }
  | { kind: 'function'; name: string; body: Command }
  | { kind: 'condition'; condition: Condition }
  | { kind: 'arithmetic'; expression: Word };

export type Command = CommandBody & { redirects: Redirect[]; line: number };

export interface Pipeline {
  negated: boolean;
  timed: boolean;
  commands: Command[];
  /** `|&`: the standard error of the command at this index goes into the pipe too. */
  bothOutputs: boolean[];
  /** Source text, as job status shows it. */
  text: string;
}

export interface AndOr {
  first: Pipeline;
  rest: { operator: '&&' | '||'; pipeline: Pipeline }[];
  background: boolean;
}

export type List = AndOr[];

/** What the input has that the language does not; `incomplete` if more input could mend it. */
export class ShellSyntaxError extends Error {
  override name = 'ShellSyntaxError';
  constructor(
    message: string,
    readonly line: number,
    readonly incomplete: boolean,
  ) {
    super(message);
  }
}
