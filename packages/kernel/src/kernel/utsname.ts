// SPDX-License-Identifier: MIT
/** What uname says. */
export const UTS_SYSNAME = 'Linux';
export const UTS_NODENAME = 'pagewalk';
export const UTS_RELEASE = '6.1.0-pagewalk';
export const UTS_VERSION = '#1 SMP PREEMPT_DYNAMIC Pagewalk 0.1.0';
export const UTS_MACHINE = 'wasm64';
