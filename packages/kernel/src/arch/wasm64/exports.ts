// SPDX-License-Identifier: MIT
/**
 * How the kernel's functions are offered to C.
 *
 * A signature is a string: the result, a colon, the parameters, one letter each:
 *
 * | letter | C | TypeScript |
 * | --- | --- | --- |
 * | v | void (result only) | undefined |
 * | i | int | number, -2^31 ≤ n < 2^31 |
 * | u | unsigned int, gfp_t | number, 0 ≤ n < 2^32 |
 * | b | bool | boolean |
 * | p | any pointer | signed address |
 * | l | long | signed number, exact within ±2^53 |
 * | z | size_t, unsigned long | unsigned number, exact below 2^53 |
 * | q | u64 or s64 whose every bit counts | bigint |
 * | … | variadic tail (last parameter only) | signed address of the argument area |
 *
 * In the argument area of a variadic call each argument lies at the next address aligned to its own size
 * (int and unsigned 4 bytes, pointers, long, long long and double 8): the wasm64 C ABI.
 */
// biome-ignore lint/suspicious/noExplicitAny: the signature string, not the type, describes the arguments
export type KernelFunction = (...args: any[]) => unknown;

/** Symbol name → signature and implementation. */
export type KernelExports = { readonly [symbol: string]: readonly [signature: string, fn: KernelFunction] };

/** Everything that is offered, by symbol name. */
export type ExportTable = Map<string, readonly [signature: string, fn: KernelFunction]>;

/** One table of many parts; of two functions of a name the later one counts. */
export function exportTable(parts: readonly KernelExports[]): ExportTable {
  const table: ExportTable = new Map();
  for (const part of parts) for (const name in part) table.set(name, part[name]);
  return table;
}
