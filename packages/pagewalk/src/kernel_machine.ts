// SPDX-License-Identifier: MIT
/** The kernel's machine, as the command line uses it. */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { boot, Machine as KernelMachine } from '@pagewalk/kernel';
import { dmesg, isShown } from '@pagewalk/kernel/kernel/printk/dmesg';
import { ZONE_NAMES } from '@pagewalk/kernel/mm/mmzone';
import type { DmesgOutput, Machine, MachineOptions, SlabEvent } from './machine.js';
import { concat } from './shell/stream.js';

export function bootMachine({ memory, cpus, seed, commandLine, console }: MachineOptions): Machine {
  return adapt(boot({ memory, cpus, seed, commandLine, ...(console && { console }) }));
}

/** A machine that was saved. Throws for a file that holds none. */
export function loadMachine(file: Uint8Array): Machine {
  const decompress = (bytes: Uint8Array, size: number) =>
    inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
  return adapt(KernelMachine.load(file, { decompress }));
}

function adapt(machine: KernelMachine): Machine {
  return {
    insmod: (image, params) => machine.insmod(image, params),
    rmmod: (name) => machine.rmmod(name),
    modules: () => machine.modules(),
    dmesg: () => machine.dmesg(),
    clearDmesg: () => machine.clearDmesg(),
    now: () => machine.now,
    bootTime: () => machine.bootTime,
    sleep: (ns) => machine.sleep(ns),
    tasks: () => machine.tasks(),
    kill: (pid, signal) => machine.kill(pid, signal),
    dmesgCommand: (args) => dmesgOutput(machine, args),
    files: machine.files,
    readProc: (path) => machine.readProc(path),
    listProc: (path) => machine.listProc(path) ?? (path === '/sys' ? [] : undefined),
    kernelSymbols: () => machine.exportedSymbols().map((name) => ({ name, gplOnly: false })),
    onSlab: (listener) => watchSlabs(machine, listener),
    tracepoints: () => machine.tracepoints.names(),
    trace: (events, listener) =>
      machine.tracepoints.match(events).length > 0 ? machine.trace(events, listener) : undefined,
    save: () => machine.save({ compress: (bytes) => deflateRawSync(bytes) }),
  };
}

function dmesgOutput({ kernel: { printk }, bootTime }: KernelMachine, args: readonly string[]): DmesgOutput {
  const { status, out, err, follow } = dmesg(printk, args, bootTime);
  const output = { status, stdout: out, stderr: err };
  if (!follow) return output;
  let from = follow.fromSeq;
  const next = () => {
    const chunks: Uint8Array[] = [];
    for (const record of printk.records(from)) {
      from = record.seq + 1;
      if (isShown(record, follow.options)) chunks.push(follow.formatter.record(record));
    }
    return concat(chunks);
  };
  return { ...output, follow: next };
}

/** kmalloc and kfree, by their tracepoints. */
function watchSlabs({ kernel }: KernelMachine, listener: (event: SlabEvent) => void): () => void {
  const { slub, pages, oops } = kernel;
  const report = (kind: SlabEvent['kind'], address: number, bytes: number, site: number) => {
    const info = slub.objectInfo(address);
    if (!info) return;
    const { cache, index, slabPage } = info;
    const zone = ZONE_NAMES[pages.map.zoneIndex(pages.map.zoneOfPage(slabPage))];
    const pfn = pages.pageToPfn(slabPage);
    listener({ kind, address, bytes, cache, index, pfn, zone, caller: oops.symbolize(site) });
  };
  const stops = [
    slub.trace.kmalloc.listen(({ fields: f }) => report('alloc', f.ptr, f.bytes_req, f.call_site)),
    slub.trace.kfree.listen(({ fields: f }) => report('free', f.ptr, 0, f.call_site)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
