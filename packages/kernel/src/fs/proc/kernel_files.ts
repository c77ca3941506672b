// SPDX-License-Identifier: MIT
/** Files of /proc about the kernel itself: version, cmdline, uptime, cpuinfo, modules, kallsyms… */

import { hex64, type Kallsyms, type KernelSymbol } from '../../kernel/kallsyms.js';
import type { ModuleInfo } from '../../kernel/module/main.js';
import { UTS_RELEASE, UTS_SYSNAME, UTS_VERSION } from '../../kernel/utsname.js';
import type { Vaddr } from '../../machine/layout.js';
import type { ProcRoot } from './root.js';

export interface KernelFilesSource {
  readonly commandLine: string;
  readonly nrCpus: number;
  /** Nanoseconds since power-on. */
  now(): number;
  modules(): readonly ModuleInfo[];
  readonly kallsyms: Kallsyms;
  /** False: nobody may see where things lie (sysctl kernel.kptr_restrict is 2). */
  showsAddresses(): boolean;
}

/** One line of /proc/modules. @linux kernel/module/procfs.c:m_show full */
export function moduleLine(module: ModuleInfo): string {
  const { name, size, refcount, usedBy, permanent, state, address, flags } = module;
  const marks = permanent ? [...usedBy, '[permanent]'] : usedBy;
  const users = marks.length > 0 ? `${marks.join(',')},` : '-';
  return `${name} ${size} ${refcount} ${users} ${state} 0x${hex64(address)}${flags ? ` (${flags})` : ''}\n`;
}

/** All of /proc/kallsyms. @linux kernel/kallsyms.c:s_show full */
export function kallsymsText(symbols: readonly KernelSymbol[]): string {
  return symbols
    .map(
      ({ name, address, type, module }) =>
        `${hex64(address)} ${type} ${name}${module ? `\t[${module}]` : ''}\n`,
    )
    .join('');
}

function cpuinfo(nrCpus: number): string {
  return Array.from(
    { length: nrCpus },
    (_, cpu) =>
      `processor\t: ${cpu}\nvendor_id\t: Pagewalk\nmodel name\t: WebAssembly 64-bit virtual CPU\n` +
      `cache_alignment\t: 64\naddress sizes\t: 31 bits physical, 48 bits virtual\n\n`,
  ).join('');
}

export function createKernelFiles(proc: ProcRoot, source: KernelFilesSource): void {
  proc.create('version', () => `${UTS_SYSNAME} version ${UTS_RELEASE} (pagewalk) ${UTS_VERSION}\n`);
  proc.create('cmdline', () => `${source.commandLine}\n`);
  proc.create('uptime', () => {
    const seconds = (source.now() / 1e9).toFixed(2);
    return `${seconds} ${seconds}\n`;
  });
  proc.create('cpuinfo', () => cpuinfo(source.nrCpus));
  const shown = <T extends { readonly address: Vaddr }>(thing: T): T =>
    source.showsAddresses() ? thing : { ...thing, address: 0 };
  proc.create('modules', () => source.modules().map(shown).map(moduleLine).join(''));
  proc.create('kallsyms', () => kallsymsText(source.kallsyms.all().map(shown)));
}
