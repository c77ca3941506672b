// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DiskCache } from './cache.node.js';
import { CLANG_VERSION } from './compile.js';
import { fromHostPath, nodeFs, toHostPath } from './fs.node.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pagewalk-node-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the version in cache keys is the version of clang that is installed', () => {
  const url = new URL('../package.json', import.meta.resolve('@yowasp/clang').replace(/gen\/.*/, 'lib/'));
  expect(JSON.parse(readFileSync(url, 'utf8')).version).toBe(CLANG_VERSION);
});

describe('cache on disk', () => {
  test('keeps entries between instances', async () => {
    const objects = join(folder, 'a', 'b');
    await new DiskCache(objects).put('key', Uint8Array.of(1, 2, 3));
    expect(await new DiskCache(objects).get('key')).toEqual(Buffer.from([1, 2, 3]));
    expect(await new DiskCache(objects).get('other')).toBeUndefined();
    expect(readdirSync(objects)).toEqual(['key']);
  });

  test('drops what was unused for longest when it grows too large', async () => {
    const write = new DiskCache(folder, 1000);
    for (const [i, key] of ['a', 'b', 'c'].entries()) {
      await write.put(key, new Uint8Array(400));
      if (existsSync(join(folder, key))) utimesSync(join(folder, key), 1000 + i, 1000 + i);
    }
    await write.get('a');
    await new DiskCache(folder, 1000).put('d', new Uint8Array(100));
    expect(readdirSync(folder).sort()).toEqual(['a', 'c', 'd']);
  });

  test('a folder that cannot be written is no error', async () => {
    const cache = new DiskCache(join(folder, 'file', 'below'));
    await nodeFs.writeFile(`${fromHostPath(folder)}/file`, new Uint8Array());
    await cache.put('key', Uint8Array.of(1));
    expect(await cache.get('key')).toBeUndefined();
  });
});

describe('the host folders', () => {
  test('read, write, list, remove; what is not there is undefined', async () => {
    const root = fromHostPath(folder);
    await nodeFs.writeFile(`${root}/x/y.c`, new TextEncoder().encode('int y;\n'));
    expect(new TextDecoder().decode(await nodeFs.readFile(`${root}/x/y.c`))).toBe('int y;\n');
    expect(await nodeFs.readdir(`${root}/x`)).toEqual(['y.c']);
    expect((await nodeFs.stat(`${root}/x`))?.directory).toBe(true);
    expect(await nodeFs.readFile(`${root}/x`)).toBeUndefined();
    expect(await nodeFs.readdir(`${root}/none`)).toBeUndefined();
    await nodeFs.unlink(`${root}/x/y.c`);
    await nodeFs.unlink(`${root}/x/y.c`);
    expect(await nodeFs.stat(`${root}/x/y.c/z`)).toBeUndefined();
  });

  test('Windows paths and back', () => {
    expect(toHostPath('/c/Users/a b/m.c', 'win32')).toBe('C:\\Users\\a b\\m.c');
    expect(fromHostPath('C:\\Users\\a b\\m.c', 'win32')).toBe('/c/Users/a b/m.c');
    expect(toHostPath('/root/m.c', 'linux')).toBe('/root/m.c');
  });
});
