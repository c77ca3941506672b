// SPDX-License-Identifier: MIT
/**
 * A machine without a kernel, for unit tests: RAM whose direct map and static data are the only mapped guest
 * memory, a clock, seeded randomness and a log that keeps its lines.
 */

import { Clock } from '../machine/clock.js';
import { KERNEL_DATA_START, PAGE_MASK_LOW, PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { RAM_MIN, Ram } from '../machine/ram.js';
import type { BootParameters, CurrentTask, Env, GuestMemory, Reports } from './env.js';
import { type GuestAccess, readBytes, readCString, writeBytes } from './guest_access.js';
import { Random } from './random.js';
import { STATIC_DATA_PADDR, StaticData } from './static_data.js';

/** What stands for an oops: guest memory that is not mapped was accessed. */
export class TestFault extends Error {
  override name = 'TestFault';
  constructor(
    readonly address: Vaddr,
    readonly write: boolean,
  ) {
    super(
      `${write ? 'write' : 'read'} of unmapped address ${address < 0 ? '-' : ''}0x${Math.abs(address).toString(16)}`,
    );
  }
}

/** Guest memory of the direct map and the static data, less the pages in `holes` (physical page numbers). */
export class TestGuest implements GuestMemory {
  readonly holes = new Set<number>();
  /** Pages that may be read but not written. */
  readonly readOnly = new Set<number>();
  private readonly mem: GuestAccess;

  constructor(
    private readonly ram: Ram,
    private readonly data: StaticData,
  ) {
    this.mem = { ram, guest: this };
  }

  translate(address: Vaddr, write = false): number {
    let p = address - PAGE_OFFSET;
    const inData = address - KERNEL_DATA_START;
    if (inData >= 0 && inData < this.data.end - STATIC_DATA_PADDR) p = STATIC_DATA_PADDR + inData;
    const page = Math.floor(p / PAGE_SIZE);
    if (!(p >= 0 && p < this.ram.size) || this.holes.has(page)) return -1;
    return write && this.readOnly.has(page) ? -1 : p;
  }

  read(address: Vaddr, bytes: number): Uint8Array {
    this.check(address, bytes, false);
    return readBytes(this.mem, address, bytes);
  }

  write(address: Vaddr, bytes: Uint8Array): void {
    this.check(address, bytes.length, true);
    writeBytes(this.mem, address, bytes);
  }

  readString(address: Vaddr, max?: number): Uint8Array {
    return readCString(this.mem, address, max);
  }

  readU32(address: Vaddr): number {
    return Number(BigInt.asUintN(32, this.readU64Partial(address, 4)));
  }

  readU64(address: Vaddr): bigint {
    return this.readU64Partial(address, 8);
  }

  private readU64Partial(address: Vaddr, bytes: number): bigint {
    return this.read(address, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  private check(address: Vaddr, bytes: number, write: boolean): void {
    // Steps are counted from the start: beyond 2^53 an address plus 1 is the same number.
    for (let done = 0; done < bytes; done += PAGE_SIZE - ((address + done) & PAGE_MASK_LOW))
      if (this.translate(address + done, write) < 0) throw new TestFault(address + done, write);
  }
}

export interface TestEnv extends Env, GuestAccess {
  readonly guest: TestGuest;
  /** What was logged, `<level>text`. */
  readonly lines: string[];
  /** Makes `current()` answer with these values from now on. */
  setCurrent(task: Partial<CurrentTask>): void;
}

export interface TestEnvOptions {
  ram?: Ram;
  seed?: number;
  parameters?: Record<string, string>;
  nrCpus?: number;
  symbolize?: (address: Vaddr) => string;
}

/** Reports that only log: a bug throws. */
function testReports(lines: string[], symbolize: (address: Vaddr) => string): Reports {
  return {
    bug(file, line, symbol) {
      throw new Error(`kernel BUG at ${file}:${line}! (${symbol})`);
    },
    warn(file, line, symbol, message) {
      if (message) lines.push(`<4>${message}`);
      lines.push(`<4>WARNING: at ${file}:${line} ${symbol}`);
    },
    dumpStack: () => lines.push('<6>Call Trace:'),
    callerAddress: () => 0,
    stackTrace: () => [],
    symbolize,
    taint: () => {},
  };
}

/** Makes the environment; static data may still be declared afterwards. */
export function makeTestEnv(options: TestEnvOptions = {}): TestEnv {
  const ram = options.ram ?? new Ram(RAM_MIN);
  ram.steps = Number.NEGATIVE_INFINITY; // no timer tick ends what a walk counts
  const data = new StaticData();
  const clock = new Clock(ram, data.declare('test_clock', 8));
  const random = new Random(ram, data);
  random.boot(options.seed ?? 1);
  const lines: string[] = [];
  const parameters: BootParameters = new Map(Object.entries(options.parameters ?? {}));
  const symbolize =
    options.symbolize ??
    ((address: Vaddr) => `0x${BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0')}`);
  let task: CurrentTask = { pid: 1, comm: 'init', cpu: 0 };
  return {
    ram,
    data,
    clock,
    random,
    parameters,
    log: { log: (level, text) => lines.push(...text.split('\n').map((line) => `<${level}>${line}`)) },
    reports: testReports(lines, symbolize),
    guest: new TestGuest(ram, data),
    current: () => task,
    nrCpus: options.nrCpus ?? 1,
    cpu: () => task.cpu,
    lines,
    setCurrent: (changes) => {
      task = { ...task, ...changes };
    },
  };
}
