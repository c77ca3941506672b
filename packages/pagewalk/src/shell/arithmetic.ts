// SPDX-License-Identifier: MIT
/** `$((…))`: C's integer operators on signed 64-bit numbers. */

export interface Variables {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

export class ArithmeticError extends Error {
  override name = 'ArithmeticError';
}

const TOKEN =
  /\s*(0[xX][0-9a-fA-F]+|[0-9]+#[0-9a-zA-Z]+|[0-9]+|[A-Za-z_][A-Za-z0-9_]*|<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),])/y;
const LEVELS: string[][] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const MAX_DEPTH = 64;

/** Value of an expression; an empty one is 0. */
export function evaluate(text: string, variables: Variables, depth = 0): bigint {
  return new Evaluator(text, variables, depth).run();
}

class Evaluator {
  private readonly tokens: string[] = [];
  private next = 0;

  constructor(
    private readonly text: string,
    private readonly variables: Variables,
    private readonly depth: number,
  ) {
    TOKEN.lastIndex = 0;
    let at = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
      this.tokens.push(match[1]);
      at = TOKEN.lastIndex;
    }
    if (text.slice(at).trim() !== '')
      this.fail(`syntax error: invalid arithmetic operator (error token is "${text.slice(at).trim()}")`);
    if (depth > MAX_DEPTH) this.fail('expression recursion level exceeded');
  }

  private fail(message: string): never {
    throw new ArithmeticError(`${this.text.trim()}: ${message}`);
  }

  run(): bigint {
    if (this.tokens.length === 0) return 0n;
    const value = this.comma(true);
    if (this.next < this.tokens.length) {
      this.fail(`syntax error in expression (error token is "${this.tokens.slice(this.next).join(' ')}")`);
    }
    return value;
  }

  private accept(token: string): boolean {
    if (this.tokens[this.next] !== token) return false;
    this.next++;
    return true;
  }

  /** `live` is false in the branch that is not taken: no assignment, no division by zero there. */
  private comma(live: boolean): bigint {
    let value = this.assignment(live);
    while (this.accept(',')) value = this.assignment(live);
    return value;
  }

  private assignment(live: boolean): bigint {
    const name = this.tokens[this.next];
    const operator = this.tokens[this.next + 1];
    if (/^[A-Za-z_]/.test(name ?? '') && /^([-+*/%&|^]|<<|>>)?=$/.test(operator ?? '')) {
      this.next += 2;
      const right = this.assignment(live);
      const value =
        operator === '=' ? right : this.apply(operator.slice(0, -1), this.variable(name), right, live);
      if (live) this.variables.set(name, value.toString());
      return value;
    }
    return this.conditional(live);
  }

  private conditional(live: boolean): bigint {
    const condition = this.binary(0, live);
    if (!this.accept('?')) return condition;
    const yes = this.assignment(live && condition !== 0n);
    if (!this.accept(':')) this.fail("`:' expected for conditional expression");
    const no = this.assignment(live && condition === 0n);
    return condition !== 0n ? yes : no;
  }

  private binary(level: number, live: boolean): bigint {
    if (level === LEVELS.length) return this.power(live);
    let left = this.binary(level + 1, live);
    for (;;) {
      const operator = LEVELS[level].find((item) => this.tokens[this.next] === item);
      if (!operator) return left;
      this.next++;
      if (operator === '&&') left = BigInt(this.binary(level + 1, live && left !== 0n) !== 0n && left !== 0n);
      else if (operator === '||')
        left = BigInt(this.binary(level + 1, live && left === 0n) !== 0n || left !== 0n);
      else left = this.apply(operator, left, this.binary(level + 1, live), live);
    }
  }

  private power(live: boolean): bigint {
    const base = this.unary(live);
    if (!this.accept('**')) return base;
    const exponent = this.power(live);
    if (exponent < 0n) this.fail('exponent less than 0');
    let result = 1n;
    for (
      let left = exponent, square = base;
      left > 0n;
      left >>= 1n, square = BigInt.asIntN(64, square * square)
    ) {
      if (left & 1n) result = BigInt.asIntN(64, result * square);
    }
    return result;
  }

  private unary(live: boolean): bigint {
    const token = this.tokens[this.next];
    if (token === '++' || token === '--') {
      this.next++;
      const name = this.tokens[this.next++];
      return this.store(name, this.variable(name) + (token === '++' ? 1n : -1n), live);
    }
    if (this.accept('-')) return BigInt.asIntN(64, -this.unary(live));
    if (this.accept('+')) return this.unary(live);
    if (this.accept('!')) return BigInt(this.unary(live) === 0n);
    if (this.accept('~')) return ~this.unary(live);
    return this.primary(live);
  }

  private primary(live: boolean): bigint {
    const token = this.tokens[this.next++];
    if (token === '(') {
      const value = this.comma(live);
      if (!this.accept(')')) this.fail("missing `)'");
      return value;
    }
    if (token === undefined || !/^[A-Za-z0-9_]/.test(token)) {
      this.fail(`syntax error: operand expected${token ? ` (error token is "${token}")` : ''}`);
    }
    if (/^[0-9]/.test(token)) return this.number(token);
    const value = this.variable(token);
    if (this.accept('++')) this.store(token, value + 1n, live);
    else if (this.accept('--')) this.store(token, value - 1n, live);
    return value;
  }

  private store(name: string, value: bigint, live: boolean): bigint {
    const wrapped = BigInt.asIntN(64, value);
    if (live) this.variables.set(name, wrapped.toString());
    return wrapped;
  }

  private number(token: string): bigint {
    const based = /^([0-9]+)#(.+)$/.exec(token);
    try {
      if (based)
        return [...based[2]].reduce(
          (sum, digit) => sum * BigInt(based[1]) + BigInt(Number.parseInt(digit, 36)),
          0n,
        );
      return BigInt.asIntN(64, BigInt(/^0[0-7]+$/.test(token) ? `0o${token}` : token));
    } catch {
      this.fail(`value too great for base (error token is "${token}")`);
    }
  }

  /** A variable's text is an expression itself; unset is 0. */
  private variable(name: string): bigint {
    const text = this.variables.get(name) ?? '';
    return /^-?[1-9][0-9]{0,17}$/.test(text) ? BigInt(text) : evaluate(text, this.variables, this.depth + 1);
  }

  private apply(operator: string, left: bigint, right: bigint, live: boolean): bigint {
    switch (operator) {
      case '+':
        return BigInt.asIntN(64, left + right);
      case '-':
        return BigInt.asIntN(64, left - right);
      case '*':
        return BigInt.asIntN(64, left * right);
      case '/':
      case '%':
        if (right === 0n) {
          if (live) this.fail('division by 0');
          return 0n;
        }
        return BigInt.asIntN(64, operator === '/' ? left / right : left % right);
      case '<<':
        return BigInt.asIntN(64, left << (right & 63n));
      case '>>':
        return left >> (right & 63n);
      case '&':
        return left & right;
      case '|':
        return left | right;
      case '^':
        return left ^ right;
      case '==':
        return BigInt(left === right);
      case '!=':
        return BigInt(left !== right);
      case '<':
        return BigInt(left < right);
      case '>':
        return BigInt(left > right);
      case '<=':
        return BigInt(left <= right);
      default:
        return BigInt(left >= right);
    }
  }
}
