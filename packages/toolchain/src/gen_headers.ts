// SPDX-License-Identifier: MIT
/**
 * The part of the header tree that the kernel's struct schemas give: `generated/*.h`.
 *
 * The text is made afresh whenever a header tree is built, and never checked in: so C and TypeScript cannot
 * disagree about a struct, and there is no file to forget.
 */

import * as device_types from '@pagewalk/kernel/drivers/base/device_types';
import * as fs_types from '@pagewalk/kernel/fs/fs_types';
import * as vfs_types from '@pagewalk/kernel/fs/vfs_types';
import * as cred from '@pagewalk/kernel/kernel/cred';
import * as module_types from '@pagewalk/kernel/kernel/module_types';
import * as sched from '@pagewalk/kernel/kernel/sched';
import * as sysctl_types from '@pagewalk/kernel/kernel/sysctl_types';
import * as time_types from '@pagewalk/kernel/kernel/time_types';
import * as utsname from '@pagewalk/kernel/kernel/utsname';
import * as kobject_types from '@pagewalk/kernel/lib/kobject_types';
import * as list from '@pagewalk/kernel/lib/list';
import * as lock_types from '@pagewalk/kernel/lib/lock_types';
import * as rbtree from '@pagewalk/kernel/lib/rbtree';
import type { Fields, Struct } from '@pagewalk/kernel/lib/struct';
import * as timespec from '@pagewalk/kernel/lib/timespec';
import * as address_space_types from '@pagewalk/kernel/mm/address_space_types';
import * as mm_types from '@pagewalk/kernel/mm/mm_types';
import * as mmzone from '@pagewalk/kernel/mm/mmzone';
import * as page from '@pagewalk/kernel/mm/page';
import * as slab from '@pagewalk/kernel/mm/slab';

type Schema = Readonly<Record<string, unknown>>;

/** Schema modules in the order in which C needs them; the key names the header. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  list,
  timespec,
  rbtree,
  lock_types,
  module_types,
  page,
  mmzone,
  slab,
  mm_types,
  cred,
  sched,
  fs_types,
  address_space_types,
  vfs_types,
  time_types,
  kobject_types,
  device_types,
  sysctl_types,
};

const isStruct = (value: unknown): value is Struct<Fields> =>
  typeof value === 'object' && value !== null && 'assertions' in value && 'define' in value;

/** The structs that a schema module exports, in order of definition. */
function structsOf(schema: Schema): Struct<Fields>[] {
  return Object.values(schema).filter(isStruct);
}

/**
 * Order in which C can define the structs: one that contains another by value comes after it.
 * (The properties of an ES module's namespace come in alphabetical order.)
 */
function inOrder(structs: Struct<Fields>[]): Struct<Fields>[] {
  const ordered: Struct<Fields>[] = [];
  const visit = (s: Struct<Fields>) => {
    if (ordered.includes(s)) return;
    const body = s.define();
    for (const other of structs)
      if (other !== s && new RegExp(`^\\t+(struct )?${other.name} \\w`, 'm').test(body)) visit(other);
    ordered.push(s);
  };
  for (const s of structs) visit(s);
  return ordered;
}

const NOTICE =
  '/* SPDX-License-Identifier: MIT */\n/* Made from the struct schemas of the kernel. */\n#pragma once\n\n';

/** A struct that is first named in a parameter list would be known there only. */
function forwardDeclarations(definitions: readonly string[]): string {
  const names = new Set([...definitions.join('\n').matchAll(/\bstruct (\w+)/g)].map((match) => match[1]));
  return [...names].map((name) => `struct ${name};\n`).join('');
}

/** The generated headers: file name under `generated/` → text. */
export function generatedHeaders(): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const definitions = inOrder(structsOf(schema)).map((s) => s.define());
    headers.set(`${name}.h`, NOTICE + forwardDeclarations(definitions) + definitions.join('\n'));
  }
  headers.set(
    'utsrelease.h',
    `${NOTICE}#define UTS_RELEASE "${utsname.UTS_RELEASE}"\n#define UTS_MACHINE "${utsname.UTS_MACHINE}"\n`,
  );
  return headers;
}

/** `_Static_assert`s on the size of every shared struct and the offset of every member. */
export function structAssertions(): string {
  return Object.values(SCHEMAS)
    .flatMap((schema) => structsOf(schema))
    .map((s) => s.assertions())
    .join('\n');
}
