// SPDX-License-Identifier: MIT
import type { DmesgRecord, Machine } from '@pagewalk/kernel/machine';

export type Step =
  | { readonly do: 'insmod'; readonly module: string; readonly parameters?: string }
  | { readonly do: 'rmmod'; readonly module: string }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'read'; readonly path: string }
  | { readonly do: 'clear' };

export interface Replayed {
  readonly outputs: readonly string[];
  readonly dmesg: readonly DmesgRecord[];
  readonly hash: string;
}

export function perform(machine: Machine, step: Step, modules: Record<string, Uint8Array>): string;
export function replay(
  machine: Machine,
  steps: readonly Step[],
  modules: Record<string, Uint8Array>,
): Replayed;
