// SPDX-License-Identifier: MIT
/** What the host does for and to the kernel: kill(2), modprobe, programs that modules start. */

import { afterAll, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const SOURCE = `
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

static struct task_struct *ears, *deaf;

static int listen(void *allowed)
{
	if (allowed)
		allow_signal(SIGTERM);
	while (!kthread_should_stop()) {
		schedule_timeout_interruptible(HZ);
		if (signal_pending(current))
			pr_info("%s took %d\\n", current->comm, kernel_dequeue_signal());
	}
	return 0;
}

static int __init kill_init(void)
{
	ears = kthread_run(listen, (void *)1, "ears");
	deaf = kthread_run(listen, NULL, "deaf");
	return 0;
}
module_init(kill_init);

static void __exit kill_exit(void)
{
	kthread_stop(ears);
	kthread_stop(deaf);
}
module_exit(kill_exit);
MODULE_LICENSE("GPL");
`;

afterAll(closeCompiler);

test('kill reaches threads that allow the signal', async () => {
  const machine = boot();
  expect(machine.insmod(await build('kill', SOURCE)).status).toBe(0);
  machine.sleep(1e6);
  const pid = (comm: string) => machine.tasks().find((task) => task.comm === comm)!.pid;
  expect(machine.kill(pid('ears'), 0)).toBe(0);
  expect(machine.kill(pid('ears'), 15)).toBe(0);
  expect(machine.kill(pid('ears'), 9)).toBe(0);
  expect(machine.kill(pid('deaf'), 15)).toBe(0);
  expect(machine.kill(9999, 15)).toBe(-3);
  expect(machine.kill(-1, 15)).toBe(-3);
  expect(machine.kill(pid('deaf'), 65)).toBe(-22);
  expect(machine.tasks().map(({ comm }) => comm)).toEqual(['ears', 'deaf']);
  expect(machine.rmmod('kill').status).toBe(0);
  expect(moduleLog(machine)).toEqual(['ears took 15']);
});

test('the host says what modprobe loads', async () => {
  const machine = boot();
  const wanted = await build(
    'wanted',
    '#include <linux/module.h>\nstatic int __init w(void) { pr_info("wanted is here\\n"); return 0; }\nmodule_init(w);\nMODULE_LICENSE("GPL");',
  );
  const asker = await build(
    'asker',
    `#include <linux/module.h>
static int __init a(void)
{
	pr_info("wanted: %d\\n", request_module("wan%s", "ted"));
	pr_info("nobody: %d\\n", request_module("nobody"));
	return 0;
}
module_init(a);
MODULE_LICENSE("GPL");`,
  );
  machine.kernel.modprobe = (name) => (name === 'wanted' ? [wanted] : undefined);
  expect(machine.insmod(asker).status).toBe(0);
  const log = machine.dmesg().map(({ text }) => text);
  expect(log.slice(-3)).toEqual(['wanted is here', 'wanted: 0', 'nobody: 256']);
  expect(machine.modules().map(({ name }) => name)).toEqual(['wanted', 'asker']);
});

test('the host runs programs that modules start', async () => {
  const machine = boot();
  const starter = await build(
    'starter',
    `#include <linux/module.h>
#include <linux/umh.h>
static void done(struct subprocess_info *info) { pr_info("cleanup of %s\\n", info->path); }
static int __init s(void)
{
	char *argv[] = { "/bin/lab", "-x", NULL }, *envp[] = { "HOME=/", NULL };
	struct subprocess_info *info = call_usermodehelper_setup(argv[0], argv, envp, GFP_KERNEL, NULL, done, NULL);

	pr_info("status: %d\\n", call_usermodehelper_exec(info, UMH_WAIT_PROC));
	pr_info("not waited for: %d\\n", call_usermodehelper(argv[0], argv, envp, UMH_WAIT_EXEC));
	pr_info("none: %d\\n", call_usermodehelper("/bin/none", argv, envp, UMH_WAIT_PROC));
	return 0;
}
module_init(s);
MODULE_LICENSE("GPL");`,
  );
  const calls: unknown[] = [];
  machine.kernel.userProgram = (path, argv, envp) => {
    calls.push([path, argv, envp]);
    return path === '/bin/lab' ? 3 : undefined;
  };
  expect(machine.insmod(starter).status).toBe(0);
  expect(calls[0]).toEqual(['/bin/lab', ['/bin/lab', '-x'], ['HOME=/']]);
  const expected = ['cleanup of /bin/lab', 'status: 768', 'not waited for: 0', 'none: -2'];
  expect(moduleLog(machine)).toEqual(expected);
  machine.kernel.userProgram = undefined;
});
