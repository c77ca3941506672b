// SPDX-License-Identifier: MIT
/** The manual: every page has its sections, what it refers to exists, and its example builds, loads and unloads. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { closeToolchain, loadToolchain } from './cli/toolchain.js';
import { FakeMachine } from './fake_machine.js';
import { hostFolder } from './fs/host_folder.js';
import { bootMachine } from './kernel_machine.js';
import { hasOopsed } from './machine.js';
import { createSession } from './session.js';
import { runIn } from './testing.js';

const manual = fileURLToPath(new URL('../man', import.meta.url));
const pages = readdirSync(manual).flatMap((folder) =>
  readdirSync(join(manual, folder)).map((file) => ({
    page: `${file.replace('.md', '')}(${folder.slice(3)})`,
    name: file.replace('.md', ''),
    section: folder.slice(3),
    text: readFileSync(join(manual, folder, file), 'utf8'),
  })),
);
const functions = pages.filter(({ section }) => section === '9');

afterAll(closeToolchain);

const newSession = () => createSession({ machine: new FakeMachine(), manual: hostFolder(manual, false) });

test.each(functions)('$page has every section', ({ name, text }) => {
  expect([...text.matchAll(/^## (.*)$/gm)].map((match) => match[1])).toEqual(
    'NAME,SYNOPSIS,DESCRIPTION,RETURN VALUE,CONTEXT,EXAMPLE,SEE ALSO'.split(','),
  );
  expect(text).toMatch(/^# \S+\(9\)\n/);
  const long = text.split('\n').filter((line) => line.length > 125 && !line.includes(' - '));
  expect(long, name).toEqual([]);
});

test('what pages refer to exists', async () => {
  const session = newSession();
  const known = new Set([
    ...pages.map(({ page }) => page),
    ...[...session.commands.keys()].map((name) => `${name}(1)`),
  ]);
  for (const { page, text } of pages)
    for (const [reference] of (text.split('## SEE ALSO')[1] ?? '').matchAll(/[\w.]+\(\d\)/g))
      expect(known, page).toContain(reference);
});

test.each(functions)('$page: its example builds, loads and unloads', async ({ name, text }) => {
  const example = /## EXAMPLE\n\n```c\n([\s\S]*?)\n```/.exec(text)![1];
  const machine = bootMachine({ memory: 32 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  const toolchain = await loadToolchain();
  const { ko, stderr } = await toolchain.buildModule({
    name: 'example',
    sources: { 'example.c': `${example}\n` },
  });
  expect(stderr, name).toBe('');
  const { status, signal } = machine.insmod(ko!, '');
  const texts = () => machine.dmesg().map((record) => record.text);
  if (status === -2) {
    // A device's functions that this kernel does not offer yet: the page tells of Linux.
    expect(
      texts().some((line) => /Unknown symbol (__|_)?(proc|seq|single|misc|simple_read)/.test(line)),
      texts().join('\n'),
    ).toBe(true);
    return;
  }
  expect({ status, signal }, texts().join('\n')).toEqual({ status: 0, signal: undefined });
  expect(machine.rmmod('example')).toEqual({ status: 0 });
  expect(hasOopsed(machine.dmesg())).toBe(false);
});

test('man kmalloc', async () => {
  const { stdout, status } = await runIn(newSession(), 'man kmalloc');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^KMALLOC\(9\) +Pagewalk +KMALLOC\(9\)\n\nNAME\n {7}kmalloc, kzalloc, /);
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(stdout).toContain('\nCONTEXT\n       With GFP_KERNEL the call may sleep:');
});

test('a page is found by each of its names, by section, by word', async () => {
  const script = `for n in kfree 9\\ printk pr_info 'mutex_lock(9)' vmalloc.9 oops; do man $n | head -1 | cut -d' ' -f1; done
man -k vmalloc | head -3; man -f insmod; man rmmod | tail -2; man nosuch; man; man 1 kmalloc; man -k nosuchword`;
  const { stdout, stderr } = await runIn(newSession(), script);
  expect(stdout).toBe(`KMALLOC(9)
PRINTK(9)
PRINTK(9)
MUTEX(9)
VMALLOC(9)
OOPS(7)
kvmalloc (9)         - memory whose pages need not lie together
vmalloc (9)          - memory whose pages need not lie together
insmod (1)           - load a kernel module
SYNOPSIS
       rmmod NAME...
`);
  expect(stderr).toBe(`No manual entry for nosuch
What manual page do you want?
For example, try 'man kmalloc', 'man intro' or 'man -k memory'.
No manual entry for kmalloc in section 1
nosuchword: nothing appropriate.
`);
});

test('every command has a page', async () => {
  const session = newSession();
  for (const name of session.commands.keys()) {
    const { stdout, status } = await runIn(session, `man ${name}`);
    expect(status, name).toBe(0);
    expect(stdout).toMatch(/^NAME\n {7}\S+ - .+$/m);
  }
});
