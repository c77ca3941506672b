// SPDX-License-Identifier: MIT
/**
 * The structure of a function's code: blocks, loops and ifs as a tree, the types that each instruction takes and
 * leaves, and which calls may suspend. What `suspend.ts` works on.
 */

import { OP } from './assembler.js';
import { FormatError, type Reader } from './binary.js';
import { LOADS, STORES, skipImmediates } from './instructions.js';
import { F32, F64, type FunctionType, I32, I64, type ObjectFile } from './object.js';

/** Instructions by their place in the reader's bytes. */
export type Node =
  | { readonly kind: 'plain' | 'branch'; readonly at: number; readonly op: number }
  /** A call that may suspend; sites are numbered from 1 in the order of the code. */
  | { readonly kind: 'call'; readonly at: number; readonly site: number }
  | Construct;

export interface Construct {
  readonly kind: 'construct';
  readonly at: number;
  /** OP.block, OP.loop or OP.if. */
  readonly op: number;
  readonly type: FunctionType;
  readonly body: readonly Node[];
  /** The else arm of an if. */
  readonly otherwise: readonly Node[];
}

/** First and last call site within some nodes; { 0, 0 } if there is none. */
export interface SiteRange {
  readonly first: number;
  readonly last: number;
}

export function sitesOf(nodes: readonly Node[]): SiteRange {
  let first = 0;
  let last = 0;
  for (const node of nodes) {
    const range =
      node.kind === 'call'
        ? { first: node.site, last: node.site }
        : node.kind === 'construct'
          ? sitesOf([...node.body, ...node.otherwise])
          : { first: 0, last: 0 };
    if (range.first === 0) continue;
    if (first === 0) first = range.first;
    last = range.last;
  }
  return { first, last };
}

const ELSE = OP.else;
const TAIL_CALL = 0x12;
const TAIL_CALL_INDIRECT = 0x13;
/** Instructions after which the rest of a sequence cannot be reached. */
const TERMINATORS = new Set<number>([
  OP.unreachable,
  OP.br,
  OP.br_table,
  OP.return,
  TAIL_CALL,
  TAIL_CALL_INDIRECT,
]);
const BRANCHES = new Set<number>([OP.br, OP.br_if, OP.br_table, OP.return]);

export class StructureParser {
  private sites = 0;

  /** @param maySuspend whether the call instruction at a place, of some opcode and callee or type index, may suspend */
  constructor(
    private readonly object: ObjectFile,
    private readonly r: Reader,
    private readonly maySuspend: (op: number, index: number) => boolean,
  ) {}

  /** Parses a function's body from the reader's place to its final `end`. */
  body(): Node[] {
    return this.sequence().nodes;
  }

  private sequence(): { nodes: Node[]; endedBy: number } {
    const { r } = this;
    const nodes: Node[] = [];
    let reachable = true;
    for (;;) {
      const at = r.at;
      const op = r.u8();
      if (op === OP.end || op === ELSE) return { nodes, endedBy: op };
      const node = this.node(at, op);
      if (reachable) nodes.push(node);
      if (TERMINATORS.has(op)) reachable = false;
    }
  }

  private node(at: number, op: number): Node {
    const { r } = this;
    if (op === OP.block || op === OP.loop || op === OP.if) {
      const type = blockType(this.object, r.sleb());
      const { nodes: body, endedBy } = this.sequence();
      const otherwise = endedBy === ELSE ? this.sequence().nodes : [];
      return { kind: 'construct', at, op, type, body, otherwise };
    }
    if (op === OP.call || op === OP.call_indirect) {
      const index = r.uleb();
      if (op === OP.call_indirect) r.uleb();
      if (this.maySuspend(op, index)) return { kind: 'call', at, site: ++this.sites };
      return { kind: 'plain', at, op };
    }
    if (op === TAIL_CALL || op === TAIL_CALL_INDIRECT)
      throw new FormatError('a tail call in a function that may sleep: build without -mtail-call');
    skipImmediates(r, op);
    return { kind: BRANCHES.has(op) ? 'branch' : 'plain', at, op };
  }
}

/** A block type as the format encodes it: a type index, a value type, or nothing. */
function blockType(object: ObjectFile, encoded: number): FunctionType {
  if (encoded >= 0) {
    const type = object.types[encoded];
    if (!type) throw new FormatError(`block of type ${encoded}, which does not exist`);
    return type;
  }
  return { params: [], results: encoded === -64 ? [] : [encoded & 0x7f] };
}

/** What an instruction without control flow takes from the stack (how many) and leaves there (types). */
export interface Effect {
  readonly pops: number;
  readonly pushes: readonly number[];
}

const LOAD_TYPES: Record<number, number> = { 40: I32, 41: I64, 42: F32, 43: F64 };
/** Opcodes from → to: operand count, result type. */
const RANGES: readonly (readonly [from: number, to: number, pops: number, push: number])[] = [
  [0x45, 0x45, 1, I32],
  [0x46, 0x4f, 2, I32],
  [0x50, 0x50, 1, I32],
  [0x51, 0x66, 2, I32],
  [0x67, 0x69, 1, I32],
  [0x6a, 0x78, 2, I32],
  [0x79, 0x7b, 1, I64],
  [0x7c, 0x8a, 2, I64],
  [0x8b, 0x91, 1, F32],
  [0x92, 0x98, 2, F32],
  [0x99, 0x9f, 1, F64],
  [0xa0, 0xa6, 2, F64],
  [0xa7, 0xab, 1, I32],
  [0xac, 0xb1, 1, I64],
  [0xb2, 0xb6, 1, F32],
  [0xb7, 0xbb, 1, F64],
  [0xbc, 0xbc, 1, I32],
  [0xbd, 0xbd, 1, I64],
  [0xbe, 0xbe, 1, F32],
  [0xbf, 0xbf, 1, F64],
  [0xc0, 0xc1, 1, I32],
  [0xc2, 0xc4, 1, I64],
];

/**
 * The effect of the instruction at the reader's place.
 * @param stack types on the stack, for instructions that take any type
 */
export function effectOf(
  object: ObjectFile,
  r: Reader,
  stack: readonly number[],
  localType: (local: number) => number,
): Effect {
  const op = r.u8();
  if (LOADS[op] !== undefined) return { pops: 1, pushes: [LOAD_TYPES[op] ?? (op <= 0x2f ? I32 : I64)] };
  if (STORES[op] !== undefined) return { pops: 2, pushes: [] };
  switch (op) {
    case 0x01:
      return { pops: 0, pushes: [] };
    case OP.drop:
      return { pops: 1, pushes: [] };
    case OP.select:
      return { pops: 3, pushes: [stack[stack.length - 2]] };
    case 0x1c:
      return { pops: 3, pushes: r.vector(() => r.u8()) };
    case OP.local_get:
      return { pops: 0, pushes: [localType(r.uleb())] };
    case OP.local_set:
      return { pops: 1, pushes: [] };
    case OP.local_tee:
      return { pops: 1, pushes: [localType(r.uleb())] };
    case OP.global_get:
      return { pops: 0, pushes: [I64] };
    case OP.global_set:
      return { pops: 1, pushes: [] };
    case 0x3f:
      return { pops: 0, pushes: [I64] };
    case 0x40:
      return { pops: 1, pushes: [I64] };
    case OP.i32_const:
      return { pops: 0, pushes: [I32] };
    case OP.i64_const:
      return { pops: 0, pushes: [I64] };
    case 0x43:
      return { pops: 0, pushes: [F32] };
    case 0x44:
      return { pops: 0, pushes: [F64] };
    case OP.call:
      return callEffect(typeOfFunction(object, r.uleb()), 0);
    case OP.call_indirect:
      return callEffect(object.types[r.uleb()], 1);
    case 0xfc:
      return prefixedEffect(r.uleb());
  }
  const range = RANGES.find(([from, to]) => op >= from && op <= to);
  if (!range) throw new FormatError(`instruction 0x${op.toString(16)} does not belong in a module`);
  return { pops: range[2], pushes: [range[3]] };
}

const callEffect = (type: FunctionType, target: number): Effect => ({
  pops: type.params.length + target,
  pushes: type.results,
});

function prefixedEffect(sub: number): Effect {
  if (sub <= 3) return { pops: 1, pushes: [I32] };
  if (sub <= 7) return { pops: 1, pushes: [I64] };
  return { pops: 3, pushes: [] };
}

/** Type of a function by its index, imports first. */
export function typeOfFunction(object: ObjectFile, fn: number): FunctionType {
  const type = object.imports[fn]?.type ?? object.functions[fn - object.imports.length]?.type;
  if (type === undefined) throw new FormatError(`call of function ${fn}, which does not exist`);
  return object.types[type];
}

/**
 * Functions that may suspend: those that call what may suspend, directly or through a pointer.
 * @param importSuspends whether an imported function may suspend
 * @returns by index of defined function
 */
export function findSuspending(
  object: ObjectFile,
  calls: readonly { readonly callees: readonly number[]; readonly indirect: boolean }[],
  importSuspends: (index: number) => boolean,
): boolean[] {
  const n = object.imports.length;
  const suspends = calls.map(({ callees }) => callees.some((f) => f < n && importSuspends(f)));
  if (!suspends.includes(true)) return suspends;
  // Where any function of an object may sleep, a function pointer may lead to it.
  calls.forEach(({ indirect }, i) => {
    if (indirect) suspends[i] = true;
  });
  for (let changed = true; changed; ) {
    changed = false;
    calls.forEach(({ callees }, i) => {
      if (suspends[i] || !callees.some((f) => f >= n && suspends[f - n])) return;
      suspends[i] = true;
      changed = true;
    });
  }
  return suspends;
}
