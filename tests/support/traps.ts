// SPDX-License-Identifier: MIT
import { GuestTrap } from '@pagewalk/kernel/arch/wasm64/testing';

/** What a piece of guest code runs into: kind, address and code; whatever else it throws passes through. */
export function trapOf(body: () => unknown): { kind: string; address: number; code: number } | undefined {
  try {
    body();
  } catch (error) {
    if (!(error instanceof GuestTrap)) throw error;
    return { kind: error.kind, address: error.address, code: error.code };
  }
  return undefined;
}
