// SPDX-License-Identifier: MIT
/** jobs, fg, kill: what runs in the background. */

import type { Shell } from './interpreter.js';
import type { Job } from './state.js';

const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU'.split(
    ' ',
  );
const KILL = 9;
const TERM = 15;

const encoder = new TextEncoder();
const print = (shell: Shell, text: string) => shell.stdout.write(encoder.encode(text));

/** `Running`, `Done`, `Exit 3`, `Terminated`. */
export function jobState({ status }: Job): string {
  if (status === undefined) return 'Running';
  if (status === 128 + TERM) return 'Terminated';
  if (status === 128 + KILL) return 'Killed';
  return status === 0 ? 'Done' : `Exit ${status}`;
}

export const jobLine = (job: Job): string =>
  `[${job.id}]  ${jobState(job).padEnd(22)} ${job.text}${job.status === undefined ? ' &' : ''}\n`;

export async function listJobs(shell: Shell): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 0)); // those that have ended say so
  for (const job of shell.session.jobs) await print(shell, jobLine(job));
  shell.session.jobs = shell.session.jobs.filter((job) => job.status === undefined);
  return 0;
}

/** `%1`, `%%`, `81`. */
function findJob(shell: Shell, name: string): Job | undefined {
  const { jobs } = shell.session;
  if (/^%[%+]?$/.test(name)) return jobs[jobs.length - 1];
  const number = Number(name.replace('%', ''));
  return jobs.find((job) => (name.startsWith('%') ? job.id === number : job.pid === number));
}

/** Waits for a job as if it had not been started with `&`. */
export async function foreground(shell: Shell, args: string[]): Promise<number> {
  const name = args[0] ?? '%%';
  const job = findJob(shell, name);
  if (!job) {
    await shell.complain(`${shell.scriptName}: fg: ${name}: no such job`);
    return 1;
  }
  await print(shell, `${job.text}\n`);
  const interrupt = () => job.kill(2);
  shell.signal.addEventListener('abort', interrupt, { once: true });
  const status = await job.done;
  shell.signal.removeEventListener('abort', interrupt);
  shell.session.jobs = shell.session.jobs.filter((item) => item !== job);
  return status;
}

/** The number of `KILL`, `SIGKILL` or `9`. */
function signalNumber(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name) < 65 ? Number(name) : undefined;
  const index = SIGNALS.indexOf(name.toUpperCase().replace(/^SIG/, ''));
  return index < 0 ? undefined : index + 1;
}

const signalTable = (): string =>
  SIGNALS.map(
    (name, index) => `${String(index + 1).padStart(2)}) SIG${name}${index % 5 === 4 ? '\n' : '\t'}`,
  ).join('');

/** `kill [-SIGNAL] %JOB|PID…`. A kernel thread takes the signals that it has allowed, and no others. */
export async function kill(shell: Shell, args: string[]): Promise<number> {
  const complain = (text: string) => shell.complain(`${shell.scriptName}: kill: ${text}`);
  const rest = [...args];
  if (rest[0] === '-l') {
    const number = rest[1] === undefined ? undefined : Number(rest[1]) & 127;
    await print(
      shell,
      number === undefined ? `${signalTable().trimEnd()}\n` : `${SIGNALS[number - 1] ?? number}\n`,
    );
    return 0;
  }
  let signal: number | undefined = TERM;
  if (rest[0]?.startsWith('-')) {
    const option = rest.shift()!;
    const name = option === '-s' || option === '-n' ? (rest.shift() ?? '') : option.slice(1);
    signal = signalNumber(name);
    if (signal === undefined) {
      await complain(`${name}: invalid signal specification`);
      return 1;
    }
  }
  if (rest.length === 0) {
    await shell.complain('kill: usage: kill [-SIGNAL] PID|%JOB...  or  kill -l');
    return 2;
  }
  let status = 0;
  for (const name of rest) {
    const job = findJob(shell, name);
    if (job?.status === undefined && job && signal !== 0) job.kill(signal);
    if (job) continue;
    if (/^\d+$/.test(name) && shell.session.isTask(Number(name))) {
      shell.session.killTask?.(Number(name), signal);
      continue;
    }
    await complain(name.startsWith('%') ? `${name}: no such job` : `(${name}) - No such process`);
    status = 1;
  }
  return status;
}
