// SPDX-License-Identifier: MIT
/** `test`, `[` and `[[`. */

import { FsError, type Stat } from '../fs/filesystem.js';
import { normalize } from '../fs/vfs.js';
import { evaluate } from './arithmetic.js';
import type { Condition } from './ast.js';
import { type ExpansionScope, expandSegments, expandText } from './expand.js';
import { matches } from './pattern.js';

function statOf(scope: ExpansionScope, path: string, followLinks: boolean): Stat | undefined {
  try {
    const full = normalize(scope.cwd, path);
    return followLinks ? scope.fs.stat(full) : scope.fs.lstat(full);
  } catch (error) {
    if (error instanceof FsError) return undefined;
    throw error;
  }
}

export function unaryTest(operator: string, operand: string, scope: ExpansionScope): boolean {
  if (operator === '-n') return operand !== '';
  if (operator === '-z') return operand === '';
  if (operator === '-v') return scope.get(operand) !== undefined;
  if (operator === '-t') return false;
  if (operator === '-o') return false;
  const stat = statOf(scope, operand, operator !== '-L' && operator !== '-h');
  if (!stat) return false;
  switch (operator) {
    case '-d':
      return stat.type === 'directory';
    case '-f':
      return stat.type === 'file';
    case '-c':
      return stat.type === 'char';
    case '-h':
    case '-L':
      return stat.type === 'symlink';
    case '-s':
      return stat.size > 0;
    case '-x':
      return stat.type === 'directory' || (stat.mode & 0o111) !== 0;
    default:
      return ['-e', '-a', '-r', '-w', '-O', '-G'].includes(operator);
  }
}

const NUMERIC: Record<string, (left: bigint, right: bigint) => boolean> = {
  '-eq': (left, right) => left === right,
  '-ne': (left, right) => left !== right,
  '-lt': (left, right) => left < right,
  '-le': (left, right) => left <= right,
  '-gt': (left, right) => left > right,
  '-ge': (left, right) => left >= right,
};

export class TestError extends Error {
  override name = 'TestError';
}

function integer(text: string): bigint {
  if (!/^\s*[-+]?[0-9]+\s*$/.test(text)) throw new TestError(`${text}: integer expression expected`);
  return BigInt(text.trim().replace(/^\+/, ''));
}

export function binaryTest(
  operator: string,
  left: string,
  right: string,
  scope: ExpansionScope,
): boolean | undefined {
  if (operator === '=' || operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  if (operator in NUMERIC) return NUMERIC[operator](integer(left), integer(right));
  const times = () => [left, right].map((path) => statOf(scope, path, true)?.mtimeMs ?? -1);
  if (operator === '-nt') return times()[0] > times()[1];
  if (operator === '-ot') return times()[0] < times()[1];
  return undefined;
}

/** `[[ … ]]`. */
export async function holds(condition: Condition, scope: ExpansionScope): Promise<boolean> {
  switch (condition.kind) {
    case 'not':
      return !(await holds(condition.operand, scope));
    case 'and':
      return (await holds(condition.left, scope)) && (await holds(condition.right, scope));
    case 'or':
      return (await holds(condition.left, scope)) || (await holds(condition.right, scope));
    case 'unary':
      return unaryTest(condition.operator, await expandText(condition.operand, scope), scope);
    case 'binary': {
      const { operator } = condition;
      const left = await expandText(condition.left, scope);
      if (operator === '=' || operator === '==' || operator === '!=') {
        return matches(await expandSegments(condition.right, scope), left) === (operator !== '!=');
      }
      const right = await expandText(condition.right, scope);
      if (operator === '=~') return new RegExp(right, 'u').test(left);
      if (operator in NUMERIC) return NUMERIC[operator](evaluate(left, scope), evaluate(right, scope));
      return binaryTest(operator, left, right, scope) ?? false;
    }
  }
}

/** Arguments of `test`: 0 true, 1 false, 2 wrong. */
export function testCommand(args: readonly string[], scope: ExpansionScope): boolean {
  const [value, rest] = orTest(args, scope);
  if (rest.length > 0) throw new TestError(`${rest[0]}: unexpected argument`);
  return value;
}

type Parsed = [value: boolean, rest: readonly string[]];

function orTest(args: readonly string[], scope: ExpansionScope): Parsed {
  let [value, rest] = andTest(args, scope);
  while (rest[0] === '-o') {
    const [right, after] = andTest(rest.slice(1), scope);
    [value, rest] = [value || right, after];
  }
  return [value, rest];
}

function andTest(args: readonly string[], scope: ExpansionScope): Parsed {
  let [value, rest] = oneTest(args, scope);
  while (rest[0] === '-a') {
    const [right, after] = oneTest(rest.slice(1), scope);
    [value, rest] = [value && right, after];
  }
  return [value, rest];
}

function oneTest(args: readonly string[], scope: ExpansionScope): Parsed {
  if (args.length === 0) return [false, args];
  if (args.length >= 3) {
    const value = binaryTest(args[1], args[0], args[2], scope);
    if (value !== undefined) return [value, args.slice(3)];
  }
  if (args[0] === '!' && args.length > 1) {
    const [value, rest] = oneTest(args.slice(1), scope);
    return [!value, rest];
  }
  if (args[0] === '(' && args.length > 1) {
    const [value, rest] = orTest(args.slice(1), scope);
    if (rest[0] !== ')') throw new TestError("`)' expected");
    return [value, rest.slice(1)];
  }
  if (/^-[a-zA-Z]$/.test(args[0]) && args.length > 1)
    return [unaryTest(args[0], args[1], scope), args.slice(2)];
  return [args[0] !== '', args.slice(1)];
}
