// SPDX-License-Identifier: MIT
/**
 * Writes random C functions that call `yield` everywhere: in conditions, arguments, loops, switches, through pointers
 * and recursively. `run(input)` returns a hash; every loop and call takes fuel.
 */

import { Random } from './generate.js';

const FUNCTIONS = 5;
const PRELUDE = `
extern int yield(int x); extern long yield64(long x); extern void note(int);
typedef unsigned u32; typedef long s64;
static int fuel, depth;
static u32 hash;
static void mix(u32 x) { hash = (hash ^ x) * 16777619u; hash ^= hash >> 13; }
static int whole(double d) { return d > -1e9 && d < 1e9 ? (int)d : 7; }
`;

class YieldingGenerator {
  private names = 0;
  private loops = 0;
  private labels = 0;

  constructor(private readonly r: Random) {}

  program(): string {
    const { r } = this;
    const numbers = Array.from({ length: FUNCTIONS }, (_, i) => i);
    const prototypes = numbers.map((i) => `static int F${i}(int a, s64 b, double c);`);
    const table = Array.from({ length: 4 }, () => `F${r.below(FUNCTIONS)}`);
    return [
      PRELUDE,
      ...prototypes,
      `static int (*const table[])(int, s64, double) = { ${table.join(', ')} };`,
      ...numbers.map((i) => this.func(i)),
      `int run(int input) {
  fuel = 120; depth = 0; hash = 2166136261u;
  mix(F0(input, input * 3L, input / 4.0));
  return (int)hash;
}`,
    ].join('\n');
  }

  private func(index: number): string {
    const inline = this.r.chance(60) ? '__attribute__((noinline)) ' : '';
    this.loops = 0;
    const label = `out${this.labels++}`;
    return `${inline}static int F${index}(int a, s64 b, double c) {
  int v = a, w = 1; s64 x = b; double y = c; int arr[6] = { 1, a, 3, 4, 5, 6 };
  if (--fuel < 0 || depth > 12) return a;
  depth++;
${this.block(3, 3 + this.r.below(4), label)}
${label}:
  depth--;
  mix(v ^ w ^ (u32)x ^ arr[w & 3]); mix(whole(y));
  return v + w;
}`;
  }

  private block(depth: number, statements: number, label: string): string {
    return Array.from({ length: statements }, () => `  ${this.statement(depth, label)}`).join('\n');
  }

  private statement(depth: number, label: string): string {
    const { r } = this;
    const nested = () => `{\n${this.block(depth - 1, 1 + r.below(3), label)}\n}`;
    const e = (n = 2) => this.expr(n);
    switch (r.below(depth > 0 ? 16 : 9)) {
      case 0:
      case 1:
        return `${r.pick(['v', 'w', `arr[(${e(1)}) & 5]`])} ${r.pick(['=', '+=', '^=', '-=', '*='])} ${e()};`;
      case 2:
        return `x ${r.pick(['=', '+=', '^='])} ${r.chance(50) ? `yield64(${e(1)} & 255)` : `(s64)${e()} << 3`};`;
      case 3:
        return `y = y * 0.5 + ${e()};`;
      case 4:
        return `note(${e(1)} & 1023);`;
      case 5:
        return `mix(${e()});`;
      case 6:
        return `if (${e(1)} % 9 == ${r.below(9)}) goto ${label};`;
      case 7:
        return this.loops > 0
          ? `if (${e(1)} % 5 == ${r.below(5)}) ${r.pick(['break', 'continue'])};`
          : `v = ${e()};`;
      case 8:
        return `v += table[(u32)${e(1)} % 4](${e(1)}, x + ${e(1)}, y);`;
      case 9:
      case 10:
        return `if (${this.condition()}) ${nested()}${r.chance(60) ? ` else ${nested()}` : ''}`;
      case 11:
      case 12:
        return this.loop(nested);
      case 13: {
        const outer = this.loops;
        this.loops = 0;
        const cases = Array.from({ length: 2 + r.below(5) }, (_, i) => {
          const end = r.chance(70) ? 'break;' : '';
          return `case ${i}: ${nested()} ${end}`;
        });
        this.loops = outer;
        return `switch ((u32)${e()} % 7) {\n${cases.join('\n')}\ndefault: ${r.chance(50) ? 'w++;' : `w = ${e()};`}\n}`;
      }
      case 14:
        return `v = F${r.below(FUNCTIONS)}(${e(1)}, ${r.chance(40) ? 'yield64(v & 15)' : 'x'}, ${r.chance(40) ? `yield(w & 7) * 0.5` : 'y'});`;
      default:
        return nested();
    }
  }

  private loop(nested: () => string): string {
    const { r } = this;
    const name = `i${this.names++}`;
    const limit = 1 + r.below(5);
    this.loops++;
    const body = nested();
    this.loops--;
    if (r.chance(50)) return `for (int ${name} = 0; ${name} < ${limit} && --fuel > 0; ${name}++) ${body}`;
    if (r.chance(50))
      return `{ int ${name} = 0; while (${name}++ < ${limit} && yield(${name}) < 9 && --fuel > 0) ${body} }`;
    return `{ int ${name} = ${limit}; do ${body} while (--${name} > 0 && --fuel > 0 && yield(${name})); }`;
  }

  private condition(): string {
    const { r } = this;
    const one = () => `${this.expr(1)} % ${2 + r.below(5)} ${r.pick(['==', '!=', '<', '>'])} ${r.below(3)}`;
    return r.chance(50) ? one() : `${one()} ${r.pick(['&&', '||'])} ${one()}`;
  }

  private expr(depth: number): string {
    const { r } = this;
    if (depth === 0) return r.pick(['v', 'w', 'a', '(int)x', 'whole(y)', String(r.below(100)), 'arr[2]']);
    const e = () => this.expr(depth - 1);
    switch (r.below(8)) {
      case 0:
      case 1:
        return `yield(${e()} & 31)`;
      case 2:
        return `(${e()} > ${e()} ? ${e()} : ${e()})`;
      case 3:
        return `(int)(yield64(${e()} & 7) >> 32)`;
      case 4:
        return `(${e()} ${r.pick(['&&', '||'])} ${e()})`;
      default:
        return `(${e()} ${r.pick(['+', '-', '*', '^', '|', '&'])} ${e()})`;
    }
  }
}

export const generateYielding = (seed: number): string => new YieldingGenerator(new Random(seed)).program();
