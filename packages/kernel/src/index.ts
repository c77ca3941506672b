// SPDX-License-Identifier: MIT
export * from './machine/layout.js';
export { RAM_MAX, RAM_MIN, Ram } from './machine/ram.js';
