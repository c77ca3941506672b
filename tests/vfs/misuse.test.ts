// SPDX-License-Identifier: MIT
/** File systems that do what they must not: the task that meets it dies or is told an error; machine and host go on. */

import { internalErrors } from '@pagewalk/kernel/kernel/internal_error';
import { afterAll, describe, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

/** A small file system with a place for mistakes. */
const source = ({ lookup = '', fill = '', iterate = '', create = '', kill = '', more = '' }) => `
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

${more}
static const struct inode_operations dir_iops;
static const struct file_operations dir_fops;
static const struct super_operations sops = { .statfs = simple_statfs, .drop_inode = generic_delete_inode };
static struct super_block *the_sb;

static struct inode *make_inode(struct super_block *sb, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = mode;
	inode->i_op = &dir_iops;
	inode->i_fop = &dir_fops;
	return inode;
}

static struct dentry *bad_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	${lookup || 'return simple_lookup(dir, dentry, flags);'}
}

static int bad_create(struct user_namespace *ns, struct inode *dir, struct dentry *dentry, umode_t mode, bool excl)
{
	${create || 'return -EPERM;'}
}

static int bad_iterate(struct file *file, struct dir_context *ctx)
{
	${iterate || 'return dir_emit_dots(file, ctx) ? 0 : 0;'}
}

static const struct inode_operations dir_iops = { .lookup = bad_lookup, .create = bad_create };
static const struct file_operations dir_fops = { .iterate_shared = bad_iterate, .llseek = generic_file_llseek };

static int bad_fill(struct super_block *sb, void *data, int silent)
{
	the_sb = sb;
	sb->s_op = &sops;
	${fill || 'sb->s_root = d_make_root(make_inode(sb, S_IFDIR | 0755));'}
	return 0;
}

static struct dentry *bad_mount(struct file_system_type *type, int flags, const char *name, void *data)
{
	return mount_nodev(type, flags, data, bad_fill);
}

static void bad_kill(struct super_block *sb)
{
	${kill || 'kill_litter_super(sb);'}
}

static struct file_system_type bad_type = {
	.owner = THIS_MODULE, .name = "badfs", .mount = bad_mount, .kill_sb = bad_kill,
};

static int __init bad_init(void)
{
	(void)make_inode;
	return register_filesystem(&bad_type);
}

static void __exit bad_exit(void)
{
	unregister_filesystem(&bad_type);
}

module_init(bad_init);
module_exit(bad_exit);
MODULE_LICENSE("GPL");
`;

type Mistake = Parameters<typeof source>[0];

/** Mounts it, looks something up, lists and makes something; how each ended. */
async function run(mistake: Mistake) {
  const machine = boot();
  const ko = await build('badfs', source(mistake));
  machine.files.process().mkdir('/mnt');
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  const process = () => machine.files.process();
  const ended = ({ status, signal }: { status: number; signal?: number }) =>
    signal === undefined ? status : `killed by ${signal}`;
  const mount = ended(process().mount('none', '/mnt', 'badfs'));
  const stat = mount === 0 ? ended(process().stat('/mnt/x')) : undefined;
  const list = mount === 0 ? ended(process().readdir('/mnt')) : undefined;
  const create = mount === 0 ? ended(process().open('/mnt/y', 0o101)) : undefined;
  const umount = mount === 0 ? ended(process().umount('/mnt')) : undefined;
  // The machine goes on.
  expect(process().mkdir('/after').status).toBe(0);
  expect(process().stat('/proc/version').status).toBe(0);
  return { machine, mount, stat, list, create, umount, log: moduleLog(machine) };
}

const oops = /^(BUG: (kernel NULL pointer|unable to handle)|general protection fault|kernel BUG at|VFS: )/;
const oopses = (log: readonly string[]) => log.filter((line) => oops.test(line));

test('one that makes no mistake', async () => {
  expect(await run({})).toMatchObject({ mount: 0, stat: -2, list: 0, create: -1, umount: 0 });
});

describe('mounting', () => {
  test.each([
    ['without a root', 'sb->s_root = NULL;', 'kernel BUG at fs/super.c'],
    [
      'with a root that is no pointer',
      'sb->s_root = (void *)0x1234567812345678;',
      'general protection fault',
    ],
    ['with a root in user space', 'sb->s_root = (void *)0x5000;', 'BUG: unable to handle page fault'],
    ['with d_make_root(NULL)', 'sb->s_root = d_make_root(NULL);', 'kernel BUG at fs/super.c'],
    ['with new_inode(NULL)', 'sb->s_root = d_make_root(new_inode(NULL));', 'BUG: kernel NULL pointer'],
    [
      'with a root that is put back',
      'sb->s_root = d_make_root(make_inode(sb, S_IFDIR | 0755)); dput(sb->s_root); dput(sb->s_root);',
      '',
    ],
  ])('%s', async (_what, fill, message) => {
    const { mount, log } = await run({ fill });
    expect(mount).toMatch(/^killed by (9|11)$/);
    expect(oopses(log)[0] ?? '').toContain(message);
  });

  test('with a root without an inode', async () => {
    const { mount, stat, list } = await run({
      fill: 'sb->s_root = d_make_root(make_inode(sb, S_IFDIR | 0755)); sb->s_root->d_inode = NULL;',
    });
    expect([mount, stat, list]).toEqual([0, -20, -20]);
  });

  test('with an error', async () => {
    expect(await run({ fill: 'return -EIO;' })).toMatchObject({ mount: -5 });
  });
});

describe('looking up', () => {
  test.each([
    ['a pointer that is none', 'return (void *)0xdeadbeef;'],
    ['a pointer beyond all memory', 'return (void *)0xffff888fffff0000;'],
    ['a pointer that is not aligned', 'return (void *)((char *)dentry + 3);'],
    ['d_add(NULL)', 'd_add(NULL, NULL); return NULL;'],
    ['d_add() of a wild inode', 'd_add(dentry, (void *)0x4242424242420000); return NULL;'],
    [
      'an inode without a super block',
      'd_add(dentry, kzalloc(sizeof(struct inode), GFP_KERNEL)); d_inode(dentry)->i_op = (void *)8; return NULL;',
    ],
    ['dput() too often', 'dput(dentry); dput(dentry); dput(dentry); return NULL;'],
    ['a jump to nowhere', '((void (*)(void))0x1000)(); return NULL;'],
    ['itself without end', 'return lookup_one_len("x", dentry->d_parent, 1);'],
  ])('%s', async (_what, lookup) => {
    const { stat, log } = await run({ lookup });
    expect(log.length === 0 || stat !== 0).toBe(true);
    if (typeof stat === 'string') expect(log.join('\n')).toMatch(/Call Trace|soft lockup|stack/);
    else expect(stat).toBeLessThan(0);
  });
});

describe('listing', () => {
  test('without end: a soft lockup', async () => {
    const { list, log } = await run({ iterate: 'for (;;) dir_emit(ctx, "x", 1, 1, DT_REG);' });
    expect(list).toBe('killed by 9');
    expect(log.join('\n')).toContain('watchdog: BUG: soft lockup');
  });

  test('the same entry again and again', async () => {
    const { list } = await run({ iterate: 'dir_emit(ctx, "x", 1, 1, DT_REG); return 0;' });
    expect(list).toBe(-75);
  });

  test('a name that lies nowhere', async () => {
    const { list } = await run({ iterate: 'dir_emit(ctx, (void *)8, 10, 1, DT_REG); return 0;' });
    expect(list).toBe('killed by 9');
  });

  test('a name of a wild length', async () => {
    const { list } = await run({
      iterate: 'dir_emit(ctx, "x", -5, 1, DT_REG); return 0;',
    });
    expect(list).toBe(-5);
  });
});

describe('making', () => {
  test.each([
    [
      'd_instantiate(NULL)',
      'd_instantiate(NULL, make_inode(dir->i_sb, S_IFREG | 0644)); return 0;',
      'killed by 9',
    ],
    [
      'd_instantiate() twice',
      'd_instantiate(dentry, make_inode(dir->i_sb, S_IFREG)); d_instantiate(dentry, make_inode(dir->i_sb, S_IFREG)); return 0;',
      'killed by 11',
    ],
    ['success without an inode', 'return 0;', -2],
  ])('%s', async (_what, create, how) => {
    expect((await run({ create })).create).toBe(how);
  });
});

test('names and inodes that are still held after umount are reported', async () => {
  const { umount, log } = await run({
    more: 'static struct inode *held;',
    fill: 'sb->s_root = d_make_root(make_inode(sb, S_IFDIR | 0755)); dget(sb->s_root); held = d_inode(sb->s_root);',
    kill: 'generic_shutdown_super(sb);',
  });
  expect(umount).toBe(0);
  expect(log.find((line) => line.startsWith('BUG: Dentry'))).toMatch(
    /^BUG: Dentry [0-9a-f]{16}\{i=[0-9a-f]+,n=\/\} {2}still in use \(2\) \[unmount of badfs badfs\]$/,
  );
  expect(log).toContain(
    'VFS: Busy inodes after unmount of badfs. Self-destruct in 5 seconds.  Have a nice day...',
  );
});

test('nothing that the kernel does not expect', () => {
  expect(internalErrors.action).toBe('throw');
});
