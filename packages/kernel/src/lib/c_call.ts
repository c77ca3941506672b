// SPDX-License-Identifier: MIT
/** How the kernel's TypeScript calls a C function by its address; `arch` provides it. */

import type { Vaddr } from '../machine/layout.js';

/**
 * @param fn address of the function
 * @param signature as in KernelExports: `i:pp`
 * @param args numbers, in the forms that KernelExports describes
 * @returns the result; 0 for void
 */
export type CallC = (fn: Vaddr, signature: string, ...args: number[]) => number;
