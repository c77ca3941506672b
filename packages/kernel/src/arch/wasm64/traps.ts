// SPDX-License-Identifier: MIT
/**
 * Exceptions of the CPU: page faults, general protection faults, divide errors, invalid opcodes, stack overflow,
 * and what an indirect call may run into. Kernel mode only until programs exist.
 */

import { hex64, type Kallsyms } from '../../kernel/kallsyms.js';
import type { Oops } from '../../kernel/oops.js';
import { type Handle, PAGE_SIZE, REG, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { PageTables } from '../../mm/pgtable.js';
import type { Functions } from './functions.js';
import {
  type Mmu,
  type MmuHandlers,
  PF_INSTR,
  PF_PROT,
  PF_RSVD,
  PF_USER,
  PF_WRITE,
  WALK_BUS_ERROR,
  WALK_NONCANONICAL,
} from './mmu.js';
import { TRAP } from './translate.js';

export interface TrapEnvironment {
  readonly ram: Ram;
  readonly oops: Oops;
  readonly kallsyms: Kallsyms;
  readonly functions: Functions;
  pageTables(): PageTables;
  mmu(): Mmu;
  /** The kernel function that a call instruction at an address calls, if it names one. */
  calleeAt(site: Vaddr): Vaddr | undefined;
  /** A line about what lies at an address that a page fault met, if there is something to say. */
  describeAddress?(address: Vaddr): string | undefined;
}

const hex32 = (word: number) => (word >>> 0).toString(16).padStart(8, '0');

const TABLE_NAMES = ['PGD', 'PUD', 'PMD', 'PTE'];

export class Traps implements MmuHandlers {
  constructor(private readonly env: TrapEnvironment) {}

  fault(lo: number, hi: number, _size: number, code: number, pc: number): void {
    const address = hi * 4294967296 + (lo >>> 0);
    const rip = this.instruction(pc);
    if (code & WALK_BUS_ERROR) this.machineCheck(address, rip);
    // Beyond ±2^53 a number is not exact, but the halves are.
    if (code & WALK_NONCANONICAL) this.generalProtection(hex32(hi) + hex32(lo), rip);
    this.pageFault(address, code, rip);
  }

  /**
   * Address of the instruction that a trap names: the guest's, or for pc 0 (the kernel itself made the access) that
   * of the kernel function that the guest has called.
   */
  private instruction(pc: number): Vaddr {
    const { oops, calleeAt } = this.env;
    if (pc !== 0) return oops.fullAddress(pc);
    const site = oops.callerAddress();
    const callee = calleeAt(site);
    return callee === undefined ? site : callee + 0x10;
  }

  /** @linux arch/x86/mm/fault.c:page_fault_oops full */
  private pageFault(address: Vaddr, code: number, rip: Vaddr): never {
    const { oops } = this.env;
    const lines: string[] = [];
    if (code & PF_INSTR && code & PF_PROT)
      lines.push(
        address < 0
          ? 'kernel tried to execute NX-protected page - exploit attempt? (uid: 0)'
          : 'unable to execute userspace code (SMEP?) (uid: 0)',
      );
    lines.push(
      address >= 0 && address < PAGE_SIZE
        ? `BUG: kernel NULL pointer dereference, address: ${hex64(address)}`
        : `BUG: unable to handle page fault for address: ${hex64(address)}`,
    );
    const kind = code & PF_INSTR ? 'instruction fetch' : code & PF_WRITE ? 'write access' : 'read access';
    const who = code & PF_USER ? 'user' : 'supervisor';
    lines.push(`#PF: ${who} ${kind} in ${code & PF_USER ? 'user' : 'kernel'} mode`);
    const reason =
      code & PF_RSVD
        ? 'reserved bit violation'
        : code & PF_PROT
          ? 'permissions violation'
          : 'not-present page';
    lines.push(`#PF: error_code(0x${code.toString(16).padStart(4, '0')}) - ${reason}`);
    const what = this.env.describeAddress?.(address);
    if (what !== undefined) lines.push(what);
    lines.push(this.dumpPageTable(address));
    return oops.die(lines, 'Oops', code, { rip, cr2: address }, 9);
  }

  /** @linux arch/x86/mm/fault.c:dump_pagetable full */
  private dumpPageTable(address: Vaddr): string {
    const { ram } = this.env;
    const path = this.env.pageTables().path(address);
    const value = (entry: Handle) => hex64(ram.s64(entry)).replace(/^0+(?=.)/, '');
    const parts = path.map((entry, level) => `${TABLE_NAMES[level]} ${value(entry)} `);
    // With four levels the P4D is the PGD's entry.
    parts.splice(1, 0, `P4D ${value(path[0])} `);
    return parts.join('');
  }

  /** @linux arch/x86/kernel/traps.c:DEFINE_IDTENTRY_ERRORCODE partial: general protection faults only */
  private generalProtection(address: string, rip: Vaddr): never {
    const hint = `general protection fault, probably for non-canonical address 0x${address}`;
    this.env.oops.die([], hint, 0, { rip }, 11);
  }

  /** A page-table entry leads to where no RAM is: on real hardware the bus reports it. */
  private machineCheck(address: Vaddr, rip: Vaddr): never {
    const what = `mce: [Hardware Error]: Machine check: access outside of memory through address ${hex64(address)}`;
    this.env.oops.die([what], 'machine check', 0, { rip, cr2: address }, 11);
  }

  /** The translator's `trap` helper. */
  trap(kind: number, pc: number): never {
    const { oops, ram } = this.env;
    const rip = oops.fullAddress(pc);
    switch (kind) {
      case TRAP.divideError:
        return oops.die([], 'divide error', 0, { rip }, 11);
      case TRAP.stackOverflow: {
        const word = (r: number) => ram.host32[(r >> 2) + 1] * 4294967296 + (ram.host32[r >> 2] >>> 0);
        const low = word(REG.spLimit);
        const header = `BUG: TASK stack guard page was hit at ${hex64(low - 8)} (stack is ${hex64(low)}..${hex64(low + 0x3fff)})`;
        return oops.die([header], 'stack guard page', 0, { rip }, 11);
      }
      case TRAP.notSupported:
        return oops.die(
          ['memory.size and memory.grow have no meaning in a kernel'],
          'invalid opcode',
          0,
          { rip },
          11,
        );
      default:
        return oops.die([], 'invalid opcode', 0, { rip }, 11);
    }
  }

  /** The CPU was sent to an address where no function is. */
  jumpTo(address: Vaddr): never {
    return this.env.oops.die([], 'invalid opcode', 0, { rip: address }, 11);
  }

  /**
   * Host table index of the function at an address, for a call with a signature. What no fetch can reach, what is
   * no function, and what cannot be called so, is an oops.
   * @param pc low 32 bits of the address of the call instruction; 0 if the kernel makes the call
   */
  target(address: Vaddr, signature: number, pc = 0): number {
    const { functions } = this.env;
    const walked = this.env.mmu().walk(address, PF_INSTR);
    if (walked < 0) {
      const code = walked & 0x7fffffff;
      if (code & WALK_NONCANONICAL) this.generalProtection(hex64(address), this.instruction(pc));
      if (code & WALK_BUS_ERROR) this.machineCheck(address, address);
      // The CPU has jumped: the instruction it cannot fetch is the one it names.
      this.pageFault(address, code, address);
    }
    const index = functions.indexFor(address, signature);
    return index < 0 ? this.jumpTo(address) : index;
  }

  /** An indirect call whose target is not in the fetch TLB. */
  fetch(lo: number, hi: number, signature: number, pc: number): number {
    const index = this.target(hi * 4294967296 + (lo >>> 0), signature, pc);
    this.env.mmu().fillFetch(lo, hi, signature, index);
    return index;
  }
}
