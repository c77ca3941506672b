// SPDX-License-Identifier: MIT
/** Users and groups: id, whoami, su, sudo. Names are those of /etc/passwd and /etc/group. */

import { FsError } from '../fs/filesystem.js';
import type { User, Vfs } from '../fs/vfs.js';
import type { Command, CommandContext } from '../shell/command.js';

const ROOT: User = { uid: 0, gid: 0 };
const decoder = new TextDecoder();

/** Lines of a file of names: fields between colons. */
function records(fs: Vfs, path: string): string[][] {
  try {
    return decoder
      .decode(fs.readFile(path))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(':'));
  } catch (error) {
    if (error instanceof FsError) return [];
    throw error;
  }
}

const nameIn = (fs: Vfs, path: string, id: number): string =>
  records(fs, path).find(([, , number]) => Number(number) === id)?.[0] ?? String(id);

/** What a user is called; the number if it has no name. */
export const userName = (fs: Vfs, uid: number): string => nameIn(fs, '/etc/passwd', uid);
export const groupName = (fs: Vfs, gid: number): string => nameIn(fs, '/etc/group', gid);

/** The number of a name of /etc/passwd or /etc/group, or of digits; undefined if there is none. */
export function idOf(fs: Vfs, kind: 'user' | 'group', text: string): number | undefined {
  const found = records(fs, kind === 'user' ? '/etc/passwd' : '/etc/group').find(([name]) => name === text);
  if (found) return Number(found[2]);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A user of /etc/passwd; undefined if there is none of that name or number. */
function findUser(fs: Vfs, text: string): User | undefined {
  const number = text.replace(/^#/, '');
  const found = records(fs, '/etc/passwd').find(([name, , uid]) => name === text || uid === number);
  return found && { uid: Number(found[2]), gid: Number(found[3]) };
}

const id: Command = async (context) => {
  const { fs } = context;
  const { uid, gid } = fs.user;
  const group = `${gid}(${groupName(fs, gid)})`;
  await context.out(`uid=${uid}(${userName(fs, uid)}) gid=${group} groups=${group}\n`);
  return 0;
};

const sudo: Command = async (context) => {
  const args = [...context.args];
  let user = ROOT;
  while (/^-[AbEHknPSsiu]+$/.test(args[0] ?? '')) {
    const option = args.shift()!;
    if (!option.endsWith('u')) continue;
    const name = args.shift() ?? '';
    const found = findUser(context.fs, name);
    if (!found) return context.fail(`unknown user ${name}`);
    user = found;
  }
  while (/^[A-Za-z_]\w*=/.test(args[0] ?? '')) args.shift();
  if (args.length === 0) {
    await context.err('usage: sudo [-u user] command [arg ...]\n');
    return 1;
  }
  if (context.fs.user.uid !== 0) return context.fail('a password is required');
  return context.run(args, { user });
};

const su: Command = async (context) => {
  const args = context.args.filter((arg) => arg !== '-' && arg !== '-l');
  const at = args.indexOf('-c');
  const command = at < 0 ? undefined : args.splice(at, 2)[1];
  const [name = 'root'] = args;
  const user = findUser(context.fs, name);
  if (!user)
    return context.fail(
      `user ${name} does not exist or the user entry does not contain all the required fields`,
    );
  if (command === undefined) return context.fail("no shell without a terminal: su USER -c 'COMMAND'");
  if (context.fs.user.uid !== 0) return context.fail('Authentication failure');
  return context.run(['sh', '-c', command], { user });
};

const whoami = async (context: CommandContext): Promise<number> => {
  await context.out(`${userName(context.fs, context.fs.user.uid)}\n`);
  return 0;
};

export const userTools: Record<string, [Command, string, string?]> = {
  id: [id, 'your user and group'],
  whoami: [whoami, 'your name'],
  sudo: [sudo, 'run a command as root, or another user', 'usage: sudo [-u USER] COMMAND [ARGUMENT]...'],
  su: [su, 'run a command as another user', "usage: su [USER] -c 'COMMAND'"],
};
