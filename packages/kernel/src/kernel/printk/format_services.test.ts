// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { makeTestEnv } from '../../lib/testing.js';
import { makeFormatContext } from './format_services.js';

it('%pB names the function of the call before a return address', () => {
  /** Two functions of 16 bytes, one behind the other. */
  const symbolize = (address: number) => {
    if (address < 0x100 || address >= 0x120) return `0x${address.toString(16).padStart(16, '0')}`;
    return `${address < 0x110 ? 'first' : 'second'}+0x${(address & 15).toString(16)}/0x10 [m]`;
  };
  const { services } = makeFormatContext(makeTestEnv({ symbolize }));
  expect(services.symbolize(0x110, 'S')).toBe('second+0x0/0x10 [m]');
  expect(services.symbolize(0x110, 'B')).toBe('first+0x10/0x10 [m]');
  expect(services.symbolize(0x11f, 'B')).toBe('second+0xf/0x10 [m]');
  expect(services.symbolize(0x120, 'B')).toBe('second+0x10/0x10 [m]');
  expect(services.symbolize(0x90, 'B')).toBe('0x0000000000000090');
  expect(services.symbolize(0x115, 's')).toBe('second [m]');
});
