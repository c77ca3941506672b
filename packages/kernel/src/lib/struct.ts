// SPDX-License-Identifier: MIT
/**
 * The struct schema: a C struct is defined once, here, in TypeScript. From the definition come
 *
 * - byte and word offsets (`Page.o.flags`, `Page.w.flags`) for hot paths: `ram.i32[page + Page.w._refcount]`;
 * - a typed view (`Page.at(ram, h)._refcount`) for everything else;
 * - the C declaration that modules include, and the assertions that make clang check it.
 *
 * Layout follows the x86-64 System V ABI: natural alignment, pointers and long of 8 bytes.
 */

import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** How a field's bytes become a TypeScript value. */
type Access = 'u8' | 's8' | 'u16' | 's16' | 'u32' | 's32' | 'u64' | 's64' | 'ptr' | 'struct' | 'bytes';

export interface Type<V> {
  readonly size: number;
  readonly align: number;
  readonly access: Access;
  /** C declaration of a member of this type called `name`, without the semicolon. */
  declare(name: string): string;
  /** For 'struct' access: the struct itself. */
  readonly struct?: Struct<Fields>;
  /** Phantom: the type of the value that a view gives. */
  readonly value?: V;
}

export type Fields = { readonly [name: string]: Type<unknown> | Union };
type ValueOf<T> = T extends Type<infer V> ? V : never;
/** Members of an anonymous union are visible in the struct itself. */
type Flat<F> = { [K in keyof F as F[K] extends Type<unknown> ? K : never]: F[K] } & UnionMembers<F>;
type UnionMembers<F> = Merge<
  { [K in keyof F]: F[K] extends Union<infer G> ? Merge<G[keyof G]> : never }[keyof F]
>;
type Merge<U> = (U extends unknown ? (u: U) => void : never) extends (m: infer M) => void ? M : unknown;
type Names<F> = Extract<keyof Flat<F>, string>;

/** An anonymous union of groups of members; every group starts at the same offset. */
export interface Union<G extends { [group: string]: Fields } = { [group: string]: Fields }> {
  readonly union: G;
}
export const union = <G extends { [group: string]: Fields }>(groups: G): Union<G> => ({ union: groups });

/** A view's properties: one a field, readable and writable (nested structs and byte arrays read-only). */
export type View<F> = { readonly h: Handle } & {
  -readonly [K in Names<F>]: ValueOf<Flat<F>[K & keyof Flat<F>]>;
};

export interface Struct<F extends Fields> extends Type<View<F>> {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  /** Byte offset of each field. */
  readonly o: { readonly [K in Names<F>]: number };
  /** Word (4-byte) offset of each field; NaN-free only for fields aligned to 4 bytes. */
  readonly w: { readonly [K in Names<F>]: number };
  /** A view of the struct at a handle. */
  at(ram: Ram, h: Handle): View<F>;
  /** The C definition: `struct name { … };` */
  define(): string;
  /** One `_Static_assert` for the size and each field's offset. */
  assertions(): string;
}

const scalar = <V = number>(c: string, size: number, access: Access): Type<V> => ({
  size,
  align: size,
  access,
  declare: (name) => `${c} ${name}`,
});

export const u8 = scalar('u8', 1, 'u8');
export const s8 = scalar('s8', 1, 's8');
export const bool = scalar('bool', 1, 'u8');
export const u16 = scalar('u16', 2, 'u16');
export const s16 = scalar('s16', 2, 's16');
export const u32 = scalar('u32', 4, 'u32');
export const s32 = scalar('s32', 4, 's32');
export const int = scalar('int', 4, 's32');
export const uint = scalar('unsigned int', 4, 'u32');
export const gfp = scalar('gfp_t', 4, 'u32');
export const u64 = scalar('u64', 8, 'u64');
export const s64 = scalar('s64', 8, 's64');
export const long = scalar('long', 8, 's64');
export const ulong = scalar('unsigned long', 8, 'u64');
/** An unsigned long that holds a guest address: read as a signed number. */
export const vaddr = scalar('unsigned long', 8, 's64');

/** A pointer to an object in the direct map, read as a handle. `c` is the pointed-to C type. */
export const ptr = (c: string): Type<Handle> => ({
  ...scalar('', 8, 'ptr'),
  declare: (name) => `${c} *${name}`,
});
/** A pointer that may point anywhere (module data, user memory), read as a signed address. */
export const addr = (c = 'void'): Type<number> => ({
  ...scalar('', 8, 's64'),
  declare: (name) => `${c} *${name}`,
});
/** A function pointer, read as a signed address. */
export const fn = (result: string, parameters: string): Type<number> => ({
  ...scalar('', 8, 's64'),
  declare: (name) => `${result} (*${name})(${parameters})`,
});
/** An array, read as the handle of its first element (byte arrays: as bytes). */
export const array = (element: Type<unknown>, length: number): Type<Uint8Array> => ({
  size: element.size * length,
  align: element.align,
  access: 'bytes',
  declare: (name) => element.declare(`${name}[${length}]`),
});
/** `char name[length]`. */
export const chars = (length: number): Type<Uint8Array> => array(scalar('char', 1, 's8'), length);

interface Member {
  name: string;
  type: Type<unknown>;
  offset: number;
}

const roundUp = (n: number, align: number) => Math.ceil(n / align) * align;

/** Places fields in order; returns the end offset and the alignment. */
function place(fields: Fields, start: number, members: Member[]): { end: number; align: number } {
  let at = start;
  let align = 1;
  for (const [name, type] of Object.entries(fields)) {
    if ('union' in type) {
      const groups = Object.values(type.union);
      const groupAlign = Math.max(...groups.map((g) => place(g, 0, []).align));
      const base = roundUp(at, groupAlign);
      const end = Math.max(...groups.map((g) => place(g, base, members).end));
      at = roundUp(end, groupAlign);
      align = Math.max(align, groupAlign);
    } else {
      const offset = roundUp(at, type.align);
      members.push({ name, type, offset });
      at = offset + type.size;
      align = Math.max(align, type.align);
    }
  }
  return { end: at, align };
}

function defineFields(fields: Fields, indent: string): string {
  return Object.entries(fields)
    .map(([name, type]) => {
      if (!('union' in type)) return `${indent}${type.declare(name)};\n`;
      const groups = Object.values(type.union).map((group) =>
        Object.keys(group).length === 1
          ? defineFields(group, `${indent}\t`)
          : `${indent}\tstruct {\n${defineFields(group, `${indent}\t\t`)}${indent}\t};\n`,
      );
      return `${indent}union {\n${groups.join('')}${indent}};\n`;
    })
    .join('');
}

interface Base {
  readonly ram: Ram;
  readonly h: Handle;
}

/** Getter and setter of one field. Each is a closure of its own, so that a call site stays monomorphic. */
function accessor({ type, offset }: Member): PropertyDescriptor & ThisType<Base> {
  const w = offset >> 2;
  switch (type.access) {
    case 'u32':
      return {
        get() {
          return this.ram.u32[this.h + w];
        },
        set(v: number) {
          this.ram.u32[this.h + w] = v;
        },
      };
    case 's32':
      return {
        get() {
          return this.ram.i32[this.h + w];
        },
        set(v: number) {
          this.ram.i32[this.h + w] = v;
        },
      };
    case 'ptr':
      return {
        get() {
          return this.ram.i32[this.h + w] >>> 2;
        },
        set(v: number) {
          this.ram.i32[this.h + w] = v << 2;
          this.ram.i32[this.h + w + 1] = v === 0 ? 0 : PAGE_OFFSET_HI;
        },
      };
    case 's64':
      return {
        get() {
          return this.ram.s64(this.h + w);
        },
        set(v: number) {
          this.ram.set64(this.h + w, v);
        },
      };
    case 'u64':
      return {
        get() {
          return this.ram.u64(this.h + w);
        },
        set(v: number) {
          this.ram.set64(this.h + w, v);
        },
      };
    case 'u16':
    case 's16': {
      const signed = type.access === 's16';
      return {
        get() {
          const v = this.ram.u16[(this.h << 1) + (offset >> 1)];
          return signed ? (v << 16) >> 16 : v;
        },
        set(v: number) {
          this.ram.u16[(this.h << 1) + (offset >> 1)] = v;
        },
      };
    }
    case 'u8':
    case 's8': {
      const signed = type.access === 's8';
      return {
        get() {
          const v = this.ram.u8[(this.h << 2) + offset];
          return signed ? (v << 24) >> 24 : v;
        },
        set(v: number) {
          this.ram.u8[(this.h << 2) + offset] = v;
        },
      };
    }
    case 'bytes':
      return {
        get() {
          return this.ram.u8.subarray((this.h << 2) + offset, (this.h << 2) + offset + type.size);
        },
      };
    case 'struct': {
      const inner = type.struct!;
      return {
        get() {
          return inner.at(this.ram, this.h + w);
        },
      };
    }
  }
}

/**
 * Defines a C struct.
 * @param name the C tag, without `struct`
 * @param fields members in order; see the types exported here
 * @param options `align`: minimum alignment; `typedef`: a name that C uses without `struct`
 */
export function struct<const F extends Fields>(
  name: string,
  fields: F,
  options: { align?: number; typedef?: boolean } = {},
): Struct<F> {
  const members: Member[] = [];
  const placed = place(fields, 0, members);
  const align = Math.max(placed.align, options.align ?? 1);
  const size = roundUp(placed.end, align);
  const tag = options.typedef ? name : `struct ${name}`;

  class StructView {
    // Only declared: a field would be defined before it is assigned, which takes longer than all else here.
    declare readonly ram: Ram;
    declare readonly h: Handle;
    constructor(ram: Ram, h: Handle) {
      this.ram = ram;
      this.h = h;
    }
  }
  for (const member of members) Object.defineProperty(StructView.prototype, member.name, accessor(member));

  const offsets = Object.fromEntries(members.map((m) => [m.name, m.offset]));
  const words = Object.fromEntries(
    members.map((m) => [m.name, m.offset % 4 === 0 ? m.offset / 4 : Number.NaN]),
  );
  const attribute = options.align ? ` __attribute__((aligned(${options.align})))` : '';
  const self: Struct<F> = {
    name,
    size,
    align,
    access: 'struct',
    o: offsets as Struct<F>['o'],
    w: words as Struct<F>['w'],
    at: (ram, h) => new StructView(ram, h) as unknown as View<F>,
    declare: (member) => `${tag} ${member}`,
    define: () =>
      options.typedef
        ? `typedef struct {\n${defineFields(fields, '\t')}}${attribute} ${name};\n`
        : `struct ${name} {\n${defineFields(fields, '\t')}}${attribute};\n`,
    assertions: () =>
      [
        `_Static_assert(sizeof(${tag}) == ${size}, "sizeof(${tag})");`,
        ...members.map(
          (m) => `_Static_assert(__builtin_offsetof(${tag}, ${m.name}) == ${m.offset}, "${tag}.${m.name}");`,
        ),
        '',
      ].join('\n'),
  };
  Object.defineProperty(self, 'struct', { value: self });
  return self;
}
