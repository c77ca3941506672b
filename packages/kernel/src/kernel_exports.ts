// SPDX-License-Identifier: MIT
/** Every function that the kernel offers to modules, by symbol name. */

import { type ExportTable, exportTable } from './arch/wasm64/exports.js';
import type { Kernel } from './boot.js';
import { coreExports } from './kernel/exports.js';
import { printkExports } from './kernel/printk/exports.js';
import { bitmapExports } from './lib/bitmap.js';
import { cmdlineExports } from './lib/cmdline.js';
import { conversionExports } from './lib/conversion_exports.js';
import { findBitExports } from './lib/find_bit.js';
import { kstrtoxExports } from './lib/kstrtox_exports.js';
import { randomExports } from './lib/random_exports.js';
import { sortExports } from './lib/sort.js';
import { sprintfExports } from './lib/sprintf_exports.js';
import { stringCopyExports, stringExports } from './lib/string_exports.js';
import { decodeUtf8 } from './lib/utf8.js';
import { VaList } from './lib/valist.js';
import { vsprintf } from './lib/vsprintf.js';
import { filemapExports } from './mm/filemap_exports.js';
import { highmemExports } from './mm/highmem.js';
import { pageExports } from './mm/page_exports.js';
import { slabExports } from './mm/slub.js';
import { vmallocExports } from './mm/vmalloc_exports.js';

export function kernelExports(k: Kernel): ExportTable {
  const access = { ram: k.ram, guest: k.guest };
  const allocate = (bytes: number, gfp: number) => k.slub.kmalloc(bytes, gfp);
  const table = exportTable([
    k.waitQueues.exports(),
    k.waitBits.exports(),
    k.sleep.exports(),
    k.kthreads.exports(),
    k.taskServices.exports(),
    coreExports({
      oops: k.oops,
      guest: k.guest,
      watchdog: k.watchdog,
      tasks: k.tasks,
      ram: k.ram,
      modules: () => k.modules,
      format: (format, args) =>
        decodeUtf8(vsprintf(k.format, k.guest.readString(format), new VaList(k.format, args), 1024)),
    }),
    printkExports({
      printk: k.printk,
      format: k.format,
      reports: k.oops,
      ratelimit: k.ratelimitDeps,
      printkRatelimit: k.printkRatelimit,
      dynamicDebug: k.dynamicDebug,
      panic: (message) => k.oops.panic(message),
    }),
    sprintfExports(k.format, allocate),
    stringExports(access, k.oops),
    stringCopyExports(access, allocate, (address) => k.slub.kfree(address)),
    kstrtoxExports(access, (from, n) => k.library.user.read(from, n)),
    cmdlineExports(access, k.ram.addressOf(k.data.declare('get_options_cursor', 8))),
    findBitExports(access),
    bitmapExports(access, allocate, (address) => k.slub.kfree(address)),
    sortExports(access, (fn, signature, ...args) => k.callC(fn, signature, ...args)),
    randomExports(access, k.random),
    conversionExports(access, k.random),
    k.params.exports(),
    pageExports(k.pages),
    filemapExports(k.pageCache),
    highmemExports(k.pages, k.preempt),
    slabExports(k.slub),
    vmallocExports(k.vmalloc, k.ioremap),
    ...k.library.parts(),
    ...k.fs.parts(),
    k.drivers.exports(),
    k.memDevices.exports(),
    k.moduleQueries.exports(),
    k.errorNames.exports(),
    k.userModeHelpers.exports(),
    k.kernelMap.exports(),
    k.shrinkers.exports(),
    k.tracing.exports(),
    k.sysctlHandlers.exports(),
    k.sysctlTables.exports(),
    ...k.concurrency.parts(),
  ]);
  k.library.atomicSleep.check(table);
  return table;
}

/** Functions that may put their caller to sleep: modules that import one are translated so that they can be suspended. */
export function sleepingExports(k: Kernel): ExportTable {
  const table = exportTable([
    k.sleep.sleepingExports(),
    k.kthreads.sleepingExports(),
    k.concurrency.sleepingExports(),
    k.drivers.sleepingExports(),
    k.memDevices.sleepingExports(),
    k.moduleQueries.sleepingExports(),
    k.pageLocks.sleepingExports(),
  ]);
  k.library.atomicSleep.checkSleepers(table);
  return table;
}
