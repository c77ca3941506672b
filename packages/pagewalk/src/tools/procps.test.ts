// SPDX-License-Identifier: MIT
/** Tools that read the kernel, and time: against procps 4, coreutils and bsdutils as they print on Linux. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { FakeMachine } from '../fake_machine.js';
import { bootMachine } from '../kernel_machine.js';
import { createSession } from '../session.js';
import { runIn, runShell } from '../testing.js';

function machineWith(files: Record<string, string>): FakeMachine {
  const machine = new FakeMachine();
  for (const [path, text] of Object.entries(files)) machine.texts.set(path, text);
  return machine;
}

const MEMINFO = `MemTotal:       24684096 kB
MemFree:        22749548 kB
MemAvailable:   23471740 kB
Buffers:           19672 kB
Cached:           900000 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Shmem:              8788 kB
SReclaimable:      69696 kB
`;

test('free, as procps 4.0.2 prints the same numbers', async () => {
  const machine = machineWith({ '/proc/meminfo': MEMINFO });
  const { stdout } = await runShell('free; free -h; free -w -m; free -t | tail -1', undefined, machine);
  expect(stdout).toBe(`               total        used        free      shared  buff/cache   available
Mem:        24684096     1212356    22749548        8788      989368    23471740
Swap:              0           0           0
               total        used        free      shared  buff/cache   available
Mem:            23Gi       1.2Gi        21Gi       8.6Mi       966Mi        22Gi
Swap:             0B          0B          0B
               total        used        free      shared     buffers       cache   available
Mem:           24105        1183       22216           8          19         946       22921
Swap:              0           0           0
Total:      24684096     1212356    22749548
`);
});

test('vmstat, vmstat -s, vmstat -m and slabtop read the kernel', async () => {
  const machine = bootMachine({ memory: 64 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  const session = createSession({ machine });
  const { stdout } = await runIn(
    session,
    'vmstat 1 2; vmstat -s | head -2; vmstat -m | head -2; slabtop -o | head -8; slabtop -o -s n | sed -n 8p',
  );
  expect(stdout.replace(/\d+/g, '9').replace(/ +/g, ' ')).toMatch(
    /^procs -+memory-+ -+swap-- -+io-+ -system-- -+cpu-+\n r b swpd free buff cache si so bi bo in cs us sy id wa st\n( 9){17}\n( 9){17}\n 9 K total memory\n 9 K used memory\nCache Num Total Size Pages\n\S+( 9){4}\n Active \/ Total Objects \(% used\) : 9 \/ 9 \(9.9%\)\n Active \/ Total Slabs \(% used\) : 9 \/ 9 \(9.9%\)\n Active \/ Total Caches \(% used\) : 9 \/ 9 \(9.9%\)\n Active \/ Total Size \(% used\) : 9.9K \/ 9.9K \(9.9%\)\n Minimum \/ Average \/ Maximum Object : 9.9K \/ 9.9K \/ 9.9K\n\n OBJS ACTIVE USE OBJ SIZE SLABS OBJ\/SLAB CACHE SIZE NAME \n 9 9 9% 9.9K 9 9 9K \S+ *\n/,
  );
});

test('sleep takes virtual time, and the sleepers wake in order', async () => {
  const started = performance.now();
  const { stdout } = await runShell(
    `date +%s; sleep 1h; date +%s; time sleep 90
(sleep 3; echo three) & (sleep 1; echo one) & sleep 2; echo two; wait; uptime -p`,
  );
  expect(stdout).toBe('1767225612\n1767229212\none\ntwo\nthree\nup 1 hour, 1 minute\n');
  expect(performance.now() - started).toBeLessThan(5000);
});

test('time counts virtual time', async () => {
  const { stderr } = await runShell('time sleep 90.5');
  expect(stderr).toBe('\nreal\t1m30.500s\nuser\t0m0.000s\nsys\t1m30.500s\n');
});

test('date', async () => {
  const { stdout, stderr } = await runShell(
    `date; date -u '+%F %T %j %A %B %p'; date -d @0 +%c; date -I; date -R; date +%N | grep -xc '3[4-9][0-9]\\{7\\}'; date nosuch`,
  );
  expect(stdout).toBe(`Thu Jan  1 00:00:12 UTC 2026
2026-01-01 00:00:12 001 Thursday January AM
Thu Jan  1 00:00:00 1970
2026-01-01
Thu, 01 Jan 2026 00:00:12 +0000
1
`);
  expect(stderr).toBe("date: invalid date 'nosuch'\n");
});

test('ps lists the tasks of the kernel; kill knows them', async () => {
  const { stdout, stderr } = await runShell(
    'ps; ps -ef; ps -o pid,stat,args= -p 2; kill 2; echo $?; kill 999; kill -l 9',
  );
  expect(stdout).toBe(
    `  PID TTY          TIME CMD
    2 ?        00:00:00 kthreadd
UID          PID    PPID  C STIME TTY          TIME CMD
root           2       0  0 00:00 ?        00:00:00 [kthreadd]
  PID STAT 
    2 S    [kthreadd]
0
KILL
`
      .replace('UID          PID', 'UID        PID')
      .replace('root           2', 'root         2'),
  );
  expect(stderr).toBe('sh: kill: (999) - No such process\n');
});

test('kill ends a background job', async () => {
  const { stdout } = await runShell(
    'while :; do :; done & sleep 1; jobs; kill %1; wait %1; echo $?; kill -9 %7',
  );
  expect(stdout).toBe('[1]  Running                while :; do :; done &\n143\n');
});

test('sysctl', async () => {
  const machine = machineWith({ '/proc/sys/kernel/osrelease': '6.1.0-pagewalk\n' });
  const { stdout, stderr, status } = await runShell(
    'sysctl kernel.osrelease; sysctl -n kernel.osrelease; sysctl kernel.nosuch; sysctl kernel.osrelease=1',
    undefined,
    machine,
  );
  expect(stdout).toBe('kernel.osrelease = 6.1.0-pagewalk\n6.1.0-pagewalk\n');
  expect(stderr).toBe(
    'sysctl: cannot stat /proc/sys/kernel/nosuch: No such file or directory\nsysctl: permission denied on key "kernel.osrelease"\n',
  );
  expect(status).toBe(1);
});

const DUMPS = [
  'od',
  'od -c',
  'od -A x -t x1',
  'od -An -tx1',
  'od -t x4 -v',
  'od -A d -t d2 -j 3 -N 20',
  'od -x',
  'od -b -N 5',
  'od -a',
  'od -t u8',
  'od -t x1c',
  'hexdump',
  'hexdump -C',
  'hexdump -v -C',
];
const BYTES = Uint8Array.from({ length: 90 }, (_, i) => (i < 35 ? i * 7 : 0));

for (const command of DUMPS) {
  const [name, ...args] = command.split(' ');
  const host = spawnSync(name, args, { input: BYTES, encoding: 'utf8' });
  test.skipIf(host.error)(`as the host: ${command}`, async () => {
    const session = createSession({ machine: new FakeMachine() });
    session.fs.writeFile('/tmp/bytes', BYTES);
    const ours = await runIn(session, `${command} </tmp/bytes`);
    expect(ours.stdout).toBe(host.stdout);
  });
}
