// SPDX-License-Identifier: MIT
export type { BootOptions } from './boot.js';
export type { ModuleInfo } from './kernel/module/main.js';
export * from './machine/layout.js';
export { RAM_MAX, RAM_MIN, Ram } from './machine/ram.js';
export { boot, type CommandResult, type DmesgRecord, Machine, type MachineOptions } from './machine.js';
