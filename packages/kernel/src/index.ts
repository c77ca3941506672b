// SPDX-License-Identifier: MIT
export type { BootOptions } from './boot.js';
export type { ModuleInfo } from './kernel/module/main.js';
export { SnapshotError } from './machine/image_file.js';
export * from './machine/layout.js';
export { RAM_MAX, RAM_MIN, Ram } from './machine/ram.js';
export {
  boot,
  type Checkpoint,
  type CommandResult,
  type DmesgRecord,
  Machine,
  type MachineOptions,
} from './machine.js';
