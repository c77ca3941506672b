// SPDX-License-Identifier: MIT
/**
 * Writes random C programs that mean the same on every machine: no undefined behaviour (given -fwrapv), nothing that
 * depends on the size of a pointer, and an end: every loop and call takes fuel.
 *
 * A program works on one `struct area`, so that its data can be put anywhere, and on globals. `run(area, seed)`
 * returns a hash of all that it computed.
 */

/** A small seeded generator (Marsaglia's xorshift). */
export class Random {
  private x: number;
  constructor(seed: number) {
    this.x = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }
  below(n: number): number {
    this.x ^= this.x << 13;
    this.x ^= this.x >>> 17;
    this.x ^= this.x << 5;
    return (this.x >>> 0) % n;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

const TYPES = ['s8', 'u8', 's16', 'u16', 's32', 'u32', 's64', 'u64'] as const;
type Type = (typeof TYPES)[number];
const BITS: Record<Type, number> = { s8: 8, u8: 8, s16: 16, u16: 16, s32: 32, u32: 32, s64: 64, u64: 64 };

const PRELUDE = `
typedef signed char s8; typedef unsigned char u8; typedef short s16; typedef unsigned short u16;
typedef int s32; typedef unsigned u32; typedef long long s64; typedef unsigned long long u64;
typedef __SIZE_TYPE__ size;
void *memcpy(void *, const void *, size); void *memmove(void *, const void *, size); void *memset(void *, int, size);
struct record { u8 a; s16 b; u32 c; s64 d; double e; s8 f[5]; } ;
struct node { struct node *next; s32 value; struct node *other; u64 weight; };
struct area {
  u8 pad; s8 s8[97]; u8 u8[97]; s16 s16[97]; u16 u16[97]; s32 s32[97]; u32 u32[97]; s64 s64[97]; u64 u64[97];
  double f64[33]; float f32[33]; struct record records[64]; struct node nodes[150]; u8 bytes[9000];
};
static int fuel, depth; static u64 hash; static s32 counter; static u16 shorts[5] = {1, 2, 3}; static u64 big = 1;
#define DIVISION(t) \\
  static t div_##t(t a, t b) { return b == 0 || b == (t)-1 ? a : a / b; } \\
  static t mod_##t(t a, t b) { return b == 0 || b == (t)-1 ? a : a % b; }
DIVISION(s32) DIVISION(u32) DIVISION(s64) DIVISION(u64)
static void mix(u64 x) { hash = (hash ^ x) * 0x100000001b3ULL; hash ^= hash >> 29; }
static u16 ld16(struct area *A, u32 i) { u16 x; memcpy(&x, A->bytes + i % 8900, 2); return x; }
static u32 ld32(struct area *A, u32 i) { u32 x; memcpy(&x, A->bytes + i % 8900, 4); return x; }
static u64 ld64(struct area *A, u32 i) { u64 x; memcpy(&x, A->bytes + i % 8900, 8); return x; }
static void st16(struct area *A, u32 i, u16 x) { memcpy(A->bytes + i % 8900, &x, 2); }
static void st32(struct area *A, u32 i, u32 x) { memcpy(A->bytes + i % 8900, &x, 4); }
static void st64(struct area *A, u32 i, u64 x) { memcpy(A->bytes + i % 8900, &x, 8); }
static s32 whole(double d) { return d > -1e9 && d < 1e9 ? (s32)d : 7; }
static s32 chase(struct area *A, u32 i, int n) {
  struct node *p = &A->nodes[i % 150]; s32 s = 0;
  while (n-- > 0 && p) { s = s * 31 + p->value; p = p->weight & 1 ? p->other : p->next; }
  return s;
}
static void relink(struct area *A, u32 i, u32 j) {
  struct node *p = &A->nodes[i % 150], *q = &A->nodes[j % 150];
  struct node *t = p->next; p->next = q->other; q->other = t; q->weight += p->value;
}
static struct record make(u32 x, s64 y) { struct record r = {x, y, x * 3, y - x, x / 2.0, {x, y, 3}}; return r; }
static s64 digest(struct record r) { return r.a + r.b * 3 + r.c * 5LL + r.d + whole(r.e) + r.f[x_of(r) % 5]; }
`.replace('static s64 digest', 'static u32 x_of(struct record r) { return r.c ^ r.a; }\nstatic s64 digest');

const MAIN = `
static void setup(struct area *A, u32 seed) {
  u32 x = seed * 2654435761u + 12345;
  u8 *p = (u8 *)A;
  for (u32 i = 0; i < sizeof A->bytes; i++) { x ^= x << 13; x ^= x >> 17; x ^= x << 5; A->bytes[i] = x; }
#define SETUP(t) for (u32 i = 0; i < 97; i++) { x = x * 1664525u + 1013904223u; A->t[i] = (u64)x * x >> (i & 31); }
  SETUP(s8) SETUP(u8) SETUP(s16) SETUP(u16) SETUP(s32) SETUP(u32) SETUP(s64) SETUP(u64)
  for (u32 i = 0; i < 33; i++) { A->f64[i] = (s32)ld32(A, i * 9) / 16.0; A->f32[i] = (s16)ld16(A, i * 7) / 4.0f; }
  for (u32 i = 0; i < 64; i++) A->records[i] = make(ld32(A, i * 5), (s32)ld32(A, i * 3));
  for (u32 i = 0; i < 150; i++) {
    A->nodes[i].next = &A->nodes[ld16(A, i * 11) % 150]; A->nodes[i].value = ld32(A, i);
    A->nodes[i].other = i % 7 ? &A->nodes[(i * 37 + 1) % 150] : 0; A->nodes[i].weight = ld64(A, i * 13);
  }
  counter = seed; big = seed; fuel = 20000; depth = 0; hash = 0xcbf29ce484222325ULL;
}
static void finish(struct area *A) {
#define FINISH(t) for (u32 i = 0; i < 97; i++) mix(A->t[i]);
  FINISH(s8) FINISH(u8) FINISH(s16) FINISH(u16) FINISH(s32) FINISH(u32) FINISH(s64) FINISH(u64)
  for (u32 i = 0; i < 33; i++) { mix(whole(A->f64[i])); mix(whole(A->f32[i])); }
  for (u32 i = 0; i < 64; i++) mix(digest(A->records[i]));
  for (u32 i = 0; i < 150; i++) { mix(A->nodes[i].value); mix(A->nodes[i].weight); mix(chase(A, i, 5)); }
  for (u32 i = 0; i < 9000; i++) mix(A->bytes[i]);
  mix(counter); mix(big); for (int i = 0; i < 5; i++) mix(shorts[i]);
}
int run(struct area *A, u32 seed) {
  setup(A, seed);
  mix(F0(A, seed, seed * 3, seed));
  finish(A);
  return (int)(hash ^ hash >> 32);
}
int area_size(void) { return sizeof(struct area); }
`;

class Generator {
  private readonly functions = 4;
  private scope: { name: string; type: Type }[] = [];
  private loops = 0;
  private names = 0;

  constructor(private readonly r: Random) {}

  program(): string {
    const prototypes = [];
    const bodies = [];
    for (let i = this.functions - 1; i >= 0; i--) {
      prototypes.push(`static s64 F${i}(struct area *A, u32 p, s64 q, s16 w);`);
      bodies.push(this.func(i));
    }
    const table = Array.from({ length: 4 }, () => `F${this.r.below(this.functions)}`);
    return [
      PRELUDE,
      ...prototypes,
      `static s64 (*table[])(struct area *, u32, s64, s16) = {${table}};`,
      ...bodies,
      MAIN,
    ].join('\n');
  }

  private func(index: number): string {
    this.scope = [
      { name: 'p', type: 'u32' },
      { name: 'q', type: 's64' },
      { name: 'w', type: 's16' },
    ];
    this.loops = 0;
    const body = this.block(index, 2, 3 + this.r.below(4));
    const inline = this.r.chance(50) ? '__attribute__((noinline)) ' : '';
    return `${inline}static s64 F${index}(struct area *A, u32 p, s64 q, s16 w) {
  if (--fuel < 0 || depth > 30) return p;
  depth++;
${body}  s64 result = ${this.expr('s64', 2)};
  depth--;
  return result;
}`;
  }

  private block(index: number, depth: number, statements: number): string {
    const outer = [...this.scope];
    let text = '';
    for (let i = 0; i < statements; i++) text += `  ${this.statement(index, depth)}\n`;
    this.scope = outer;
    return text;
  }

  private fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  private statement(index: number, depth: number): string {
    const { r } = this;
    const e = (type: Type = 'u32') => this.expr(type, 1);
    const nested = () => `{\n${this.block(index, depth - 1, 1 + r.below(2))}}`;
    const kind = r.below(depth > 0 ? 20 : 14);
    switch (kind) {
      case 0:
      case 1: {
        const type = r.pick(TYPES);
        const name = this.fresh('v');
        const text = `${type} ${name} = ${this.expr(type, 2)};`;
        this.scope.push({ name, type });
        return text;
      }
      case 2:
      case 3:
      case 4: {
        const { text, type } = this.place();
        return r.chance(60)
          ? `${text} = ${this.expr(type, 2)};`
          : `${text} ${r.pick(['+=', '-=', '*=', '^=', '|=', '&='])} ${this.expr(type, 2)};`;
      }
      case 5:
        return `mix(${this.expr('u64', 2)});`;
      case 6:
        return `memcpy(A->bytes + ${e()} % 3000, A->bytes + 4000 + ${e()} % 2000, ${e()} % ${r.pick([9, 100, 1000])});`;
      case 7:
        return `memmove(A->bytes + ${e()} % 4000, A->bytes + ${e()} % 4000, ${e()} % ${r.pick([17, 300, 4900])});`;
      case 8:
        return `memset(A->bytes + ${e()} % 6000, ${e('s32')}, ${e()} % ${r.pick([5, 64, 2500])});`;
      case 9:
        return `st${r.pick([16, 32, 64])}(A, ${e()}, ${this.expr('u64', 2)});`;
      case 10:
        return r.chance(50)
          ? `A->records[${e()} % 64] = A->records[${e()} % 64];`
          : `A->records[${e()} % 64] = make(${e()}, ${e('s64')});`;
      case 11:
        return `relink(A, ${e()}, ${e()});`;
      case 12: {
        const [array, type] = r.pick([
          ['f64', 'double'],
          ['f32', 'float'],
        ] as const);
        const operand = `A->${array}[${e()} % 33]`;
        return `${operand} = (${type})whole(${operand}) ${r.pick(['+', '-', '*'])} (${type})(${this.expr('s16', 2)}) / ${1 + r.below(9)};`;
      }
      case 13:
        return this.loops > 0 && r.chance(50)
          ? `if (${e()} % 7 == ${r.below(7)}) ${r.pick(['break', 'continue'])};`
          : `counter ${r.pick(['++', '--', '+= p', '^= (s32)q'])};`;
      case 14:
      case 15:
        return `if (${this.condition()}) ${nested()}${r.chance(50) ? ` else ${nested()}` : ''}`;
      case 16:
      case 17: {
        const name = this.fresh('i');
        this.loops++;
        const limit = r.chance(70) ? String(1 + r.below(12)) : `(int)(${e()} % 20)`;
        this.scope.push({ name, type: 's32' });
        const body = nested();
        this.scope.pop();
        this.loops--;
        const counterLoop = `s32 ${name} = 0; ${name} < ${limit} && --fuel > 0; ${name}++`;
        return r.chance(70)
          ? `for (${counterLoop}) ${body}`
          : `{ s32 ${name} = ${limit}; while (${name}-- > 0 && --fuel > 0) ${body} }`;
      }
      case 18: {
        const saved = this.loops;
        this.loops = 0; // a break here would leave the switch
        const labels = Array.from({ length: 2 + r.below(6) }, (_, i) => (r.chance(80) ? i : i * 1000 + 7));
        const cases = [...new Set(labels)].map(
          (label) => `case ${label}: ${nested()} ${r.chance(70) ? 'break;' : '/* falls through */'}\n`,
        );
        this.loops = saved;
        return `switch (${e()} % 8) {\n${cases.join('')}default: ${nested()}\n}`;
      }
      default: {
        const labels = Array.from({ length: 3 }, () => this.fresh('L'));
        const parts = labels.map((label) => `${label}: mix(${this.expr('u32', 2)});`);
        return `{ static void *const to[] = {${labels.map((l) => `&&${l}`)}}; goto *to[${e()} % 3];\n${parts.join('\n')} }`;
      }
    }
  }

  /** Something that can be assigned to. */
  private place(): { text: string; type: Type } {
    const { r } = this;
    const i = () => this.expr('u32', 1);
    switch (r.below(6)) {
      case 0:
      case 1: {
        const { name, type } = r.pick(this.scope.filter(({ name }) => !name.startsWith('i')));
        return { text: name, type };
      }
      case 2:
        return { text: `shorts[${i()} % 5]`, type: 'u16' };
      case 3: {
        const [field, type] = r.pick([
          ['a', 'u8'],
          ['b', 's16'],
          ['c', 'u32'],
          ['d', 's64'],
        ] as const);
        return { text: `A->records[${i()} % 64].${field}`, type };
      }
      default: {
        const type = r.pick(TYPES);
        return { text: `A->${type}[${i()} % 97]`, type };
      }
    }
  }

  private condition(): string {
    const type = this.r.pick(TYPES);
    const operator = this.r.pick(['<', '>', '==', '!=', '<=', '>=']);
    return `${this.expr(type, 1)} ${operator} ${this.expr(type, 1)}`;
  }

  private constant(type: Type): string {
    const { r } = this;
    const value = r.pick([0, 1, 2, 7, 31, 100, 127, 128, 255, 4095, 32768, 65535, 0x7fffffff, 0x12345678]);
    return r.chance(25) ? `(${type})-${value}` : `(${type})${value}${BITS[type] === 64 ? 'LL' : ''}`;
  }

  private leaf(type: Type): string {
    const { r } = this;
    switch (r.below(5)) {
      case 0:
        return this.constant(type);
      case 1:
        return r.pick(['counter', 'big', 'hash', `shorts[${r.below(5)}]`]);
      default:
        return r.pick(this.scope).name;
    }
  }

  /** An expression; its value is cast to the type. */
  private expr(type: Type, depth: number): string {
    return `(${type})(${this.inner(type, depth)})`;
  }

  private inner(type: Type, depth: number): string {
    const { r } = this;
    if (depth <= 0) return this.leaf(type);
    const e = (t: Type = type) => this.expr(t, depth - 1);
    switch (r.below(18)) {
      case 0:
      case 1:
      case 2:
        return `${e()} ${r.pick(['+', '-', '*', '&', '|', '^'])} ${e()}`;
      case 3: {
        const wide = BITS[type] === 64 ? 'u64' : 'u32';
        return `${e(wide)} ${r.pick(['<<', '>>'])} (${e('u32')} & ${wide === 'u64' ? 63 : 31})`;
      }
      case 4: {
        const wide = BITS[type] === 64 ? 's64' : 's32';
        return `${e(wide)} >> (${e('u32')} & ${wide === 's64' ? 63 : 31})`;
      }
      case 5:
      case 6: {
        const t = r.pick(['s32', 'u32', 's64', 'u64'] as const);
        return `${r.pick(['div', 'mod'])}_${t}(${e(t)}, ${e(t)})`;
      }
      case 7:
        return `${r.pick(['-', '~', '!'])}${e()}`;
      case 8:
        return `${this.condition()} ? ${e()} : ${e()}`;
      case 9:
        return `(${this.condition()}) ${r.pick(['&&', '||'])} (${this.condition()})`;
      case 10:
      case 11:
        return `A->${r.pick(TYPES)}[${e('u32')} % 97]`;
      case 12:
        return `ld${r.pick([16, 32, 64])}(A, ${e('u32')})`;
      case 13:
        return `A->records[${e('u32')} % 64].${r.pick(['a', 'b', 'c', 'd', 'f[3]'])}`;
      case 14:
        return r.chance(50) ? `chase(A, ${e('u32')}, 20)` : `A->nodes[${e('u32')} % 150].value`;
      case 15:
        return this.call(depth);
      case 16:
        return r.pick([
          `digest(make(${e('u32')}, ${e('s64')}))`,
          `whole(A->f64[${e('u32')} % 33] * ${1 + r.below(5)})`,
          `whole(A->f32[${e('u32')} % 33] - ${r.below(9)})`,
          `__builtin_popcountll(${e('u64')})`,
          `__builtin_clz(${e('u32')} | 1)`,
          `__builtin_ctzll(${e('u64')} | 4)`,
          `__builtin_bswap32(${e('u32')})`,
        ]);
      default:
        return this.leaf(type);
    }
  }

  /** Calls any function, itself included: fuel ends it. The depth is that of the arguments. */
  private call(depth: number): string {
    const [p, q, w] = [this.expr('u32', depth - 2), this.expr('s64', depth - 2), this.expr('s16', depth - 2)];
    const callee = this.r.chance(40)
      ? `table[${this.expr('u32', 1)} % 4]`
      : `F${this.r.below(this.functions)}`;
    return `fuel > 10000 ? ${callee}(A, ${p}, ${q}, ${w}) : 3`;
  }
}

export function generateProgram(seed: number): string {
  return new Generator(new Random(seed)).program();
}
