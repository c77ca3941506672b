// SPDX-License-Identifier: MIT
/**
 * Translates a function so that it can be suspended in a call and resumed later: its frame is saved to memory while
 * the stack unwinds, and restored while it is wound up again.
 *
 * The idea is Asyncify's (Alon Zakai, "Pause and Resume WebAssembly with Binaryen's Asyncify", 2019): a function
 * called while REG.suspend says `rewinding` restores its locals, goes straight to the call in which it was suspended,
 * and makes that call again; the innermost one, into the kernel, then returns for real. To be able to go there,
 *
 * - values that lie on the operand stack across such a call, or across a block's border, are kept in locals
 *   ("slots", one for each depth and type);
 * - a sequence of code with such calls in it begins with a jump by call site, `k`:
 *
 *       block L2 · block L1 · block L0 · br_table k · end L0
 *         code before the first call
 *       end L1   ← resume at site 1
 *         call 1, code before the second
 *       end L2   ← resume at site 2
 *         call 2, the rest
 *
 *   with k = 0 in normal running; a block, loop or if around a call is passed through in the same way.
 *
 * After such a call, if REG.suspend says `unwinding`, the function saves its locals and k and returns at once.
 */

import { REG, SUSPEND } from '../../machine/layout.js';
import { Asm, OP, VOID } from './assembler.js';
import { FormatError, Reader, Writer } from './binary.js';
import { FunctionTranslator, TRAP } from './function_translator.js';
import { F32, F64, I32, I64 } from './object.js';
import { type Construct, effectOf, type Node, StructureParser, sitesOf } from './structure.js';

/** A label of the code as written (`original`), or one that this translation adds. */
interface Label {
  readonly original: boolean;
  /** What a branch to it carries, and where on the stack that then lies. */
  readonly carries: readonly number[];
  readonly height: number;
}

const ADDED: Label = { original: false, carries: [], height: 0 };

const LOAD_OP = { [I32]: OP.i32_load, [I64]: OP.i64_load, [F32]: 0x2a, [F64]: 0x2b } as Record<
  number,
  number
>;
const STORE_OP = { [I32]: OP.i32_store, [I64]: OP.i64_store, [F32]: 0x38, [F64]: 0x39 } as Record<
  number,
  number
>;

export class SuspendableTranslator extends FunctionTranslator {
  /** Types on the operand stack; of these the topmost `resident` are really there, the others in slots. */
  private stack: number[] = [];
  private resident = 0;
  private labels: Label[] = [];
  /** Slot locals by depth and type. */
  private readonly slots = new Map<string, number>();
  private readonly slotTypes: number[] = [];
  private localTypes: number[] = [];
  /** Local that holds the site to resume at; 0 in normal running. */
  private k = 0;
  private reachable = true;
  /** Where the body begins, after its local declarations. */
  private start = 0;

  /** @param maySuspend which calls may suspend: by opcode, and index of callee or type */
  constructor(
    private readonly maySuspend: (op: number, index: number) => boolean,
    ...parts: ConstructorParameters<typeof FunctionTranslator>
  ) {
    super(...parts);
  }

  override translate(): Writer {
    const { type } = this;
    if (type.results.length > 1) throw new FormatError('function with several results');
    this.localTypes = this.readLocalTypes();
    // The fixed extra locals, k, then slots as they are needed.
    this.k = this.localTypes.length + 8;
    this.start = this.in.at;
    const nodes = new StructureParser(this.object, this.in, this.maySuspend).body();
    if (!this.in.done) throw new FormatError('code after the end of a function');

    const { out } = this;
    out.block(VOID).block(VOID);
    this.labels = [ADDED, { original: true, carries: type.results, height: 0 }];
    this.sequence(nodes);
    if (this.reachable) this.spill();
    out.end();
    this.leave(type.results);
    out.return().end();
    const saved = this.savedLocals();
    this.save(saved);
    const entry = this.entryCode(saved);
    return this.assemble(entry);
  }

  private readLocalTypes(): number[] {
    const r = new Reader(this.localsHeader.bytes, 0, this.localsHeader.length);
    const types = [...this.type.params];
    while (!r.done) {
      const n = r.uleb();
      const type = r.u8();
      for (let i = 0; i < n; i++) types.push(type);
    }
    return types;
  }

  private leave(results: readonly number[]): void {
    this.out.i32(0).get(this.extra.fp).mem(OP.i32_store, REG.ssp);
    if (results.length > 0) this.out.get(this.slot(0, results[0]));
  }

  /** Locals that a suspended function must find again. */
  private savedLocals(): { local: number; type: number }[] {
    const own = this.localTypes.map((type, local) => ({ local, type }));
    const slots = this.slotTypes.map((type, i) => ({ local: this.k + 1 + i, type }));
    return [...own, ...slots, { local: this.k, type: I32 }];
  }

  /** Saves the frame and returns a value that nobody looks at. */
  private save(saved: readonly { local: number; type: number }[]): void {
    const { out, extra } = this;
    const bytes = 8 * saved.length;
    out.i32(0).mem(OP.i32_load, REG.frames).tee(extra.e).i32(bytes).op(OP.i32_add).tee(extra.v32);
    out.i32(0).mem(OP.i32_load, REG.framesEnd).op(OP.i32_gt_u).if();
    this.trap(TRAP.stackOverflow);
    out.end();
    saved.forEach(({ local, type }, i) => {
      out
        .get(extra.e)
        .get(local)
        .mem(STORE_OP[type], 8 * i);
    });
    out.i32(0).get(extra.v32).mem(OP.i32_store, REG.frames);
    out.i32(0).get(extra.fp).mem(OP.i32_store, REG.ssp);
    const [result] = this.type.results;
    if (result === I32) out.i32(0);
    else if (result === I64) out.i64(0);
    else if (result === F32) out.u8(0x43, 0, 0, 0, 0);
    else if (result === F64) out.u8(0x44, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** What comes before the body: the shadow stack's frame, and while rewinding the saved locals. */
  private entryCode(saved: readonly { local: number; type: number }[]): Asm {
    const body = this.out.finish();
    const { out, extra } = this;
    out.length = 0;
    this.in.at = this.start;
    this.enter();
    out.i32(0).mem(OP.i32_load, REG.suspend).i32(SUSPEND.rewinding).op(OP.i32_eq).if();
    out
      .i32(0)
      .i32(0)
      .mem(OP.i32_load, REG.frames)
      .i32(8 * saved.length)
      .op(OP.i32_sub)
      .tee(extra.e);
    out.mem(OP.i32_store, REG.frames);
    saved.forEach(({ local, type }, i) => {
      out
        .get(extra.e)
        .mem(LOAD_OP[type], 8 * i)
        .set(local);
    });
    out.end();
    return new Asm().raw(out.bytes, 0, out.length).raw(body);
  }

  private assemble(code: Asm): Writer {
    const { groups, slotTypes } = this;
    const body = new Writer();
    body.uleb(groups + 5 + slotTypes.length).raw(this.localsHeader.bytes, 0, this.localsHeader.length);
    body.uleb(3).u8(I64).uleb(3).u8(I32).uleb(1).u8(F32).uleb(1).u8(F64).uleb(1).u8(I32);
    for (const type of slotTypes) body.uleb(1).u8(type);
    return body.raw(code.bytes, 0, code.length).u8(OP.end);
  }

  private slot(depth: number, type: number): number {
    const key = `${depth}:${type}`;
    let local = this.slots.get(key);
    if (local === undefined) {
      local = this.k + this.slotTypes.push(type);
      this.slots.set(key, local);
    }
    return local;
  }

  /** Moves what is on the real stack into slots. */
  private spill(): void {
    if (this.resident > 0) this.lastConst = undefined;
    for (let depth = this.stack.length - 1; this.resident > 0; depth--, this.resident--)
      this.out.set(this.slot(depth, this.stack[depth]));
  }

  /** Brings the topmost `n` values onto the real stack. */
  private need(n: number): void {
    if (this.resident >= n) return;
    this.spill();
    this.lastConst = undefined;
    if (n > this.stack.length) throw new FormatError('operand stack underflow');
    for (let depth = this.stack.length - n; depth < this.stack.length; depth++)
      this.out.get(this.slot(depth, this.stack[depth]));
    this.resident = n;
  }

  /** Code with calls that may suspend begins with a jump to the one to resume at. */
  private sequence(nodes: readonly Node[]): void {
    const ranges = nodes.map((node) => sitesOf([node]));
    const stops = nodes.map((_, i) => i).filter((i) => ranges[i].first > 0);
    if (stops.length > 0) this.dispatch(stops.map((i) => ranges[i]));
    nodes.forEach((node, i) => {
      if (stops.includes(i)) {
        if (this.reachable) this.spill();
        this.out.end();
        this.labels.pop();
        this.reachable = true;
      }
      if (this.reachable) this.node(node);
    });
  }

  private dispatch(ranges: readonly { first: number; last: number }[]): void {
    const { out } = this;
    this.spill();
    for (let i = 0; i <= ranges.length; i++) {
      out.block(VOID);
      this.labels.push(ADDED);
    }
    const { first } = ranges[0];
    const { last } = ranges[ranges.length - 1];
    out
      .get(this.k)
      .i32(first)
      .op(OP.i32_sub)
      .u8(OP.br_table)
      .uleb(last - first + 1);
    for (let site = first; site <= last; site++) {
      const stop = ranges.findIndex((range) => site >= range.first && site <= range.last);
      out.uleb(stop < 0 ? 0 : stop + 1);
    }
    out.uleb(0).end();
    this.labels.pop();
  }

  private node(node: Node): void {
    if (node.kind === 'construct') return this.construct(node);
    this.in.at = node.at;
    if (node.kind === 'call') return this.suspendableCall(node.site);
    if (node.kind === 'branch') return this.branch(node.op);
    if (node.op === OP.unreachable) {
      this.instruction();
      this.dead();
      return;
    }
    this.plain();
  }

  private dead(): void {
    this.reachable = false;
    this.resident = 0;
  }

  /** An instruction without control flow, or a call that never suspends. */
  private plain(): void {
    const r = new Reader(this.in.bytes, this.in.at, this.in.end);
    const { pops, pushes } = effectOf(this.object, r, this.stack, (local) => this.localTypes[local]);
    this.need(pops);
    this.instruction();
    this.stack.length -= pops;
    this.stack.push(...pushes);
    this.resident += pushes.length - pops;
  }

  private suspendableCall(site: number): void {
    const { out } = this;
    this.spill();
    this.plain();
    // The slots still hold the arguments, which the call will need again: the result must not go there yet.
    out.i32(0).mem(OP.i32_load, REG.suspend).i32(SUSPEND.unwinding).op(OP.i32_eq);
    out.if().i32(site).set(this.k).br(this.labels.length).end();
    out.i32(0).set(this.k);
    this.spill();
  }

  private construct(node: Construct): void {
    const { out } = this;
    const { op, type } = node;
    this.spill();
    if (op === OP.if) this.condition(node);
    const height = this.stack.length - type.params.length;
    this.in.at = node.at;
    this.in.u8();
    out.u8(op, VOID);
    this.labels.push({ original: true, carries: op === OP.loop ? type.params : type.results, height });
    if (op === OP.loop) {
      this.pc = node.at;
      this.tick();
    }
    const before = [...this.stack];
    this.sequence(node.body);
    if (this.reachable) this.spill();
    if (op === OP.if) {
      out.else();
      this.stack = before;
      this.reachable = true;
      this.resident = 0;
      this.sequence(node.otherwise);
      if (this.reachable) this.spill();
    }
    out.end();
    this.labels.pop();
    this.stack = [...before.slice(0, height), ...type.results];
    this.resident = 0;
    this.reachable = true;
  }

  /** The condition of an if; while rewinding, whichever arm holds the site. */
  private condition({ body, otherwise }: Construct): void {
    const { out } = this;
    const condition = this.slot(this.stack.length - 1, I32);
    this.stack.pop();
    const inThen = sitesOf(body);
    const inElse = sitesOf(otherwise);
    if (inThen.first === 0 && inElse.first === 0) {
      out.get(condition);
      return;
    }
    out.get(this.k).op(OP.i32_eqz).if(I32).get(condition).else();
    if (inThen.first === 0) out.i32(0);
    else out.get(this.k).i32(inThen.last).op(OP.i32_le_u);
    out.end();
  }

  /** Depth in the written code → depth in the translated code. */
  private depthOf(original: number): { depth: number; label: Label } {
    let left = original;
    for (let i = this.labels.length - 1; i >= 0; i--) {
      const label = this.labels[i];
      if (!label.original) continue;
      if (left-- === 0) return { depth: this.labels.length - 1 - i, label };
    }
    throw new FormatError(`branch to label ${original}, which does not exist`);
  }

  /** Copies what a branch carries to where its target expects it; all values are in slots. */
  private carry({ carries, height }: Label): void {
    const from = this.stack.length - carries.length;
    if (from === height) return;
    carries.forEach((type, i) => {
      this.out.get(this.slot(from + i, type)).set(this.slot(height + i, type));
    });
  }

  private branch(op: number): void {
    const { in: r, out } = this;
    r.u8();
    if (op === OP.br_if) return this.branchIf(r.uleb());
    this.spill();
    if (op === OP.br_table) return this.branchTable();
    const outermost = this.labels.filter((l) => l.original).length - 1;
    const { depth, label } = this.depthOf(op === OP.return ? outermost : r.uleb());
    this.carry(label);
    out.br(depth);
    this.dead();
  }

  private branchIf(original: number): void {
    const { out } = this;
    const { depth, label } = this.depthOf(original);
    this.spill();
    out.get(this.slot(this.stack.length - 1, I32));
    this.stack.pop();
    if (this.stack.length - label.carries.length === label.height || label.carries.length === 0) {
      out.brIf(depth);
      return;
    }
    out.if();
    this.carry(label);
    out.br(depth + 1).end();
  }

  private branchTable(): void {
    const { in: r, out } = this;
    const targets = r.vector(() => r.uleb()).map((d) => this.depthOf(d));
    const otherwise = this.depthOf(r.uleb());
    const index = this.slot(this.stack.length - 1, I32);
    this.stack.pop();
    if (otherwise.label.carries.length === 0) {
      out.get(index).u8(OP.br_table).uleb(targets.length);
      for (const { depth } of targets) out.uleb(depth);
      out.uleb(otherwise.depth);
    } else {
      targets.forEach(({ depth, label }, i) => {
        out.get(index).i32(i).op(OP.i32_eq).if();
        this.carry(label);
        out.br(depth + 1).end();
      });
      this.carry(otherwise.label);
      out.br(otherwise.depth);
    }
    this.dead();
  }
}
