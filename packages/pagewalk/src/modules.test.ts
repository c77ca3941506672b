// SPDX-License-Identifier: MIT
/** Modules that need others: depmod, modprobe, soft dependencies, aliases, and who is told of a module's state. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeToolchain, makeCommand } from './cli/toolchain.js';
import { bootMachine } from './kernel_machine.js';
import { createSession } from './session.js';
import type { Session } from './shell/state.js';
import { runIn } from './testing.js';

const simple = (name: string, more = '') => `#include <linux/module.h>
${more}
static int __init ${name}_init(void) { pr_info("in\\n"); return 0; }
static void __exit ${name}_exit(void) { }
module_init(${name}_init); module_exit(${name}_exit); MODULE_LICENSE("GPL");
`;

const SOURCES: Record<string, string> = {
  'base.c': simple('base', 'int base_value(void) { return 3; } EXPORT_SYMBOL(base_value);'),
  'middle.c': simple(
    'middle',
    'extern int base_value(void); int middle_value(void) { return base_value(); } EXPORT_SYMBOL_GPL(middle_value);',
  ),
  'top-level.c': simple(
    'top',
    `extern int base_value(void), middle_value(void);
int top_sum(void); int top_sum(void) { return base_value() + middle_value(); }
static int n; module_param(n, int, 0444);
MODULE_ALIAS("char-major-240-*"); MODULE_ALIAS("the_top");
MODULE_SOFTDEP("pre: early nosuch post: late");`,
  ),
  'early.c': simple('early'),
  'late.c': simple('late'),
  'fails.c': `#include <linux/module.h>
int init_module(void) { return -ENOMEM; }
MODULE_LICENSE("GPL");
`,
  'watcher.c': `#include <linux/module.h>
#include <linux/notifier.h>
static int veto; module_param(veto, int, 0644);
static int watch(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;
	pr_info("%s is %s\\n", mod->name, state == MODULE_STATE_LIVE ? "live" : state == MODULE_STATE_COMING ? "coming" : "going");
	return veto && state == MODULE_STATE_COMING ? notifier_from_errno(-EPERM) : NOTIFY_OK;
}
static struct notifier_block nb = { .notifier_call = watch };
int init_module(void) { return register_module_notifier(&nb); }
void cleanup_module(void) { unregister_module_notifier(&nb); }
MODULE_LICENSE("GPL");
`,
};

let built: Map<string, Uint8Array>;

function newSession(): Session {
  const machine = bootMachine({ memory: 64 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  return createSession({ machine, extra: { make: [makeCommand(machine.kernelSymbols?.()), ''] } });
}

const LIBRARY = '/lib/modules/6.1.0-pagewalk';

beforeAll(async () => {
  const session = newSession();
  const objects = Object.keys(SOURCES).map((name) => name.replace(/\.c$/, '.o'));
  session.fs.writeFile('/root/Makefile', new TextEncoder().encode(`obj-m += ${objects.join(' ')}\n`));
  for (const [name, text] of Object.entries(SOURCES))
    session.fs.writeFile(`/root/${name}`, new TextEncoder().encode(text));
  const { stdout, stderr, status } = await runIn(
    session,
    `cd /root; make -s -C ${LIBRARY}/build M=$PWD modules && make -C ${LIBRARY}/build M=$PWD modules_install`,
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain(`  INSTALL ${LIBRARY}/updates/base.ko\n`);
  built = new Map(
    [
      'modules.dep',
      'modules.alias',
      'modules.symbols',
      'modules.softdep',
      ...objects.map((o) => `updates/${o.replace('.o', '.ko')}`),
    ].map((path) => [path, session.fs.readFile(`${LIBRARY}/${path}`)]),
  );
}, 60_000);
afterAll(closeToolchain);

/** A script on a fresh machine where the modules are installed. */
async function run(script: string) {
  const session = newSession();
  session.fs.mkdir(`${LIBRARY}/updates`);
  for (const [path, bytes] of built) session.fs.writeFile(`${LIBRARY}/${path}`, bytes);
  return runIn(session, script);
}

const lsmod = `lsmod | awk 'NR > 1 { print $1, $3, $4 }'`;

test('modules_install ran depmod', () => {
  const text = (path: string) => new TextDecoder().decode(built.get(path));
  expect(text('modules.dep')).toBe(`updates/base.ko:
updates/early.ko:
updates/fails.ko:
updates/late.ko:
updates/middle.ko: updates/base.ko
updates/top-level.ko: updates/middle.ko updates/base.ko
updates/watcher.ko:
`);
  expect(text('modules.alias')).toBe(`# Aliases extracted from modules themselves.
alias the_top top_level
alias char-major-240-* top_level
`);
  expect(text('modules.symbols')).toContain('alias symbol:middle_value middle\n');
  expect(text('modules.softdep')).toContain('softdep top_level pre: early nosuch post: late\n');
});

test('modprobe loads what a module needs, in order, and -r takes it away', async () => {
  const { stdout, stderr } = await run(
    `modprobe -v top-level n=5; ${lsmod}; modprobe top_level; echo $?; modprobe -r base; echo $?; modprobe -rv top-level; ${lsmod}; echo end`,
  );
  expect(stderr).toBe('modprobe: FATAL: Module base is in use.\n');
  expect(stdout).toBe(`insmod ${LIBRARY}/updates/early.ko 
insmod ${LIBRARY}/updates/base.ko 
insmod ${LIBRARY}/updates/middle.ko 
insmod ${LIBRARY}/updates/top-level.ko n=5
insmod ${LIBRARY}/updates/late.ko 
late 0 
top_level 0 
middle 1 top_level
base 2 top_level,middle
early 0 
0
1
rmmod late
rmmod top_level
rmmod middle
rmmod base
rmmod early
end
`);
});

test('aliases, --show-depends, -n, -R, options of modprobe.d', async () => {
  const { stdout, stderr } = await run(`mkdir -p /etc/modprobe.d
printf 'options top_level n=9\\nalias mine middle\\nblacklist top-level\\n' >/etc/modprobe.d/own.conf
modprobe -D char-major-240-7 | tail -2; modprobe -nv mine; modprobe -R the_top; modprobe -b the_top; echo $?; ${lsmod}
modprobe nosuch; echo $?; modprobe -q nosuch; echo $?; modprobe -r nosuch`);
  expect(stdout).toBe(`insmod ${LIBRARY}/updates/top-level.ko n=9
insmod ${LIBRARY}/updates/late.ko 
insmod ${LIBRARY}/updates/base.ko 
insmod ${LIBRARY}/updates/middle.ko 
top_level
1
1
1
`);
  expect(stderr).toBe(
    `modprobe: FATAL: Module the_top not found in directory ${LIBRARY}
modprobe: FATAL: Module nosuch not found in directory ${LIBRARY}
modprobe: FATAL: Module nosuch not found.
`,
  );
});

test("what cannot be inserted is said in kmod's words; --first-time minds", async () => {
  const { stderr } = await run(
    'modprobe fails; modprobe base; modprobe --first-time base; modprobe -r --first-time early; rm /lib/modules/*/updates/base.ko; depmod; modprobe middle; rmmod base; modprobe middle',
  );
  expect(stderr).toBe(`modprobe: ERROR: could not insert 'fails': Cannot allocate memory
modprobe: ERROR: could not insert 'base': Module already in kernel
modprobe: FATAL: Module early is not in kernel.
rmmod: ERROR: Module base is in use by: middle
`);
});

test('modinfo finds an installed module by name', async () => {
  const { stdout } = await run(
    'modinfo -F filename top-level; modinfo -F softdep top_level; modinfo -F alias top_level; modinfo -p top_level',
  );
  expect(stdout).toBe(`${LIBRARY}/updates/top-level.ko
pre: early nosuch post: late
the_top
char-major-240-*
n:int
`);
});

test('depmod: what it would write, what it cannot', async () => {
  const { stdout, stderr } = await run('depmod -n | head -1; depmod -v | tail -1; depmod 5.0');
  expect(stdout).toBe(
    `updates/base.ko:\n${LIBRARY}/updates/top-level.ko needs "base_value": ${LIBRARY}/updates/base.ko\n`,
  );
  expect(stderr).toBe(
    'depmod: ERROR: could not open directory /lib/modules/5.0: No such file or directory\ndepmod: FATAL: could not search modules: No such file or directory\n',
  );
});

test('register_module_notifier: coming, live, going; a callback may refuse', async () => {
  const { stdout, stderr } =
    await run(`modprobe watcher; modprobe base; modprobe fails 2>/dev/null; rmmod base; rmmod watcher
modprobe early; modprobe watcher veto=1; modprobe late; dmesg -t | grep ' is '; ${lsmod}`);
  expect(stdout).toBe(`watcher is live
base is coming
base is live
fails is coming
fails is going
base is going
watcher is live
late is coming
watcher 0 
early 0 
`);
  expect(stderr).toBe("modprobe: ERROR: could not insert 'late': Operation not permitted\n");
});
