// SPDX-License-Identifier: MIT
/** Parts of /proc and /sys whose texts are made from what the kernel knows: modules, slab caches, devices. */

import type { Modules } from '../kernel/module/main.js';
import type { Params } from '../kernel/params.js';
import { EIO } from '../lib/errno.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Slub } from '../mm/slub.js';
import {
  findSlabDirectory,
  SLAB_ATTRIBUTES,
  slabAttribute,
  slabDirectories,
  storeSlabAttribute,
} from '../mm/slub_sysfs.js';
import type { TextProvider } from './text_files.js';

const MODULE_FILES = ['coresize', 'initsize', 'initstate', 'refcnt', 'taint', 'version', 'srcversion'];
const PARAMETERS = 'parameters';
const KERNEL_MODE = 0o444;

/** /sys/module. @linux kernel/module/sysfs.c:mod_sysfs_setup partial: no sections, no notes, no drivers */
export function moduleTexts(modules: Modules, params: Params): TextProvider {
  /** The module and what lies behind it of a path; undefined if it is not below a module's folder. */
  const parse = (path: string) => {
    const [, name, file = '', rest] = /^\/sys\/module\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(path) ?? [];
    const m = name === undefined ? undefined : modules.find(name);
    return m && { m, file, rest };
  };
  const shown = (m: NonNullable<ReturnType<typeof parse>>['m']) =>
    params.list(m.params).filter(({ mode }) => mode !== 0);
  const text = (path: string): string | undefined => {
    const at = parse(path);
    if (!at || at.rest !== undefined) return undefined;
    const { m, file } = at;
    const info = modules.list().find(({ name }) => name === m.name)!;
    const modinfo = (key: string) => m.modinfo.find((entry) => entry.key === key)?.value;
    const state = { Live: 'live', Loading: 'coming', Unloading: 'going' }[info.state];
    const texts: Record<string, string | undefined> = {
      coresize: String(info.coreSize),
      initsize: String(info.initSize),
      initstate: state,
      refcnt: String(info.refcount),
      taint: info.flags.replace(/[+-]/g, ''),
      version: modinfo('version'),
      srcversion: modinfo('srcversion'),
    };
    const value = texts[file];
    return value === undefined ? undefined : `${value}\n`;
  };
  const parameter = (path: string) => {
    const at = parse(path);
    if (at?.file !== PARAMETERS || at.rest === undefined) return undefined;
    return shown(at.m).find(({ name }) => name === at.rest);
  };
  return {
    mode: (path) => parameter(path)?.mode ?? (text(path) === undefined ? undefined : KERNEL_MODE),
    list: (path) => {
      if (path === '/sys/module') return modules.list().map(({ name }) => `${name}/`);
      const at = parse(path);
      if (!at || at.rest !== undefined) return undefined;
      const some = shown(at.m);
      if (at.file === PARAMETERS && some.length > 0) return some.map(({ name }) => name);
      if (at.file === 'holders')
        return [...(modules.list().find(({ name }) => name === at.m.name)?.usedBy ?? [])];
      if (at.file !== '') return undefined;
      const files = MODULE_FILES.filter((file) => text(`${path}/${file}`) !== undefined);
      return [...files, 'holders/', ...(some.length > 0 ? [`${PARAMETERS}/`] : [])];
    },
    read: (path) => {
      const p = parameter(path);
      if (!p) return encodeUtf8(text(path) ?? '');
      const value = params.show(p.kp);
      return typeof value === 'number' ? new Uint8Array() : value;
    },
    write: (path, bytes) => {
      const p = parameter(path);
      return p ? params.store(p.kp, bytes) : -EIO;
    },
  };
}

/** /sys/kernel/slab. */
export function slabTexts(slub: Slub): TextProvider {
  const parse = (path: string) => {
    const [, name, file] = /^\/sys\/kernel\/slab\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
    const cache = name === undefined ? 0 : findSlabDirectory(slub, name);
    return cache === 0 ? undefined : { cache, file };
  };
  const text = (path: string): string | undefined => {
    const at = parse(path);
    return at?.file === undefined ? undefined : slabAttribute(slub, at.cache, at.file);
  };
  return {
    mode: (path) => {
      const at = parse(path);
      return at?.file !== undefined && SLAB_ATTRIBUTES.includes(at.file) ? 0o644 : undefined;
    },
    list: (path) => {
      if (path === '/sys/kernel/slab')
        return slabDirectories(slub).flatMap((d) => [d.name, ...d.links].map((n) => `${n}/`));
      const at = parse(path);
      return at && at.file === undefined ? SLAB_ATTRIBUTES : undefined;
    },
    read: (path) => encodeUtf8(text(path) ?? ''),
    write: (path, bytes) => {
      const at = parse(path);
      return at?.file === undefined ? -EIO : storeSlabAttribute(slub, at.cache, at.file, decodeUtf8(bytes));
    },
  };
}
