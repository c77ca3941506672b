// SPDX-License-Identifier: MIT
/**
 * What becomes of an exception that the kernel's own code throws and nobody expects: a mistake of ours, or a
 * structure in RAM that guest code has overwritten and that nothing checks.
 *
 * The machine panics, and says what the exception was; the host goes on. Tests have it thrown instead, so that a
 * mistake shows where it is: only those that corrupt memory on purpose choose `panic`.
 */
export const internalErrors: { action: 'panic' | 'throw' } = { action: 'panic' };
