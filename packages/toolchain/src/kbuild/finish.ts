// SPDX-License-Identifier: MIT
/** The second half of a build: MODPOST over all modules, then `LD [M]` of each. */

import { writeText } from '../fs.js';
import { resolvePath } from '../includes.js';
import { KbuildFailed, type KbuildRun, LINUX_LINES } from '../kbuild.js';
import { finishModule } from '../link.js';
import { words } from '../make/variables.js';
import { type ExportedSymbol, modpost, parseSymvers, writeSymvers } from '../modpost.js';
import { sha256 } from '../sha256.js';
import { type BuiltModule, isCurrent, saveKey } from './objects.js';

/** Prints errors and throws KbuildFailed. */
export async function finishModules(run: KbuildRun, modules: readonly BuiltModule[]): Promise<void> {
  const { fs, stderr } = run.context;
  const symvers = `${run.root}/Module.symvers`;
  const known = await knownSymbols(run);
  const key = sha256(JSON.stringify([modules, known, run.options.keepDebug ?? false]));
  let current = await isCurrent(fs, symvers, key);
  for (const { stem } of modules) current &&= (await fs.stat(`${stem}.ko`)) !== undefined;
  if (current) return;

  await writeText(fs, `${run.root}/modules.order`, modules.map(({ stem }) => `${stem}.ko\n`).join(''));
  run.say('MODPOST', symvers);
  const objects: Uint8Array[] = [];
  for (const { stem } of modules) objects.push((await fs.readFile(`${stem}.o`)) ?? new Uint8Array());
  const lenient = run.variable('KBUILD_MODPOST_WARN') !== '';
  const unresolved = !run.options.kernelSymbols ? 'ignored' : lenient ? 'warning' : 'error';
  const result = modpost(
    modules.map(({ stem, sourceDigest }, i) => ({ path: stem, object: objects[i], sourceDigest })),
    { known, unresolved },
  );
  stderr(result.messages);
  if (result.failed) {
    run.complain(1, LINUX_LINES.modpost, symvers, 1);
    run.complain(0, LINUX_LINES.modpostGoal, 'modpost', 2);
    throw new KbuildFailed();
  }
  await writeText(fs, symvers, writeSymvers(result.exports));
  for (const [i, { stem }] of modules.entries()) {
    const { keepDebug } = run.options;
    const ko = finishModule(objects[i], { modinfo: result.modinfo[i], keepDebug });
    const old = await fs.readFile(`${stem}.ko`);
    if (old && sameBytes(old, ko)) continue;
    run.say('LD [M] ', `${stem}.ko`);
    await fs.writeFile(`${stem}.ko`, ko);
  }
  await saveKey(fs, symvers, key);
}

/** The kernel's exports and those of the files in KBUILD_EXTRA_SYMBOLS. */
async function knownSymbols(run: KbuildRun): Promise<ExportedSymbol[]> {
  const { kernelSymbols = [] } = run.options;
  const extra: ExportedSymbol[] = [];
  for (const path of words(run.variable('KBUILD_EXTRA_SYMBOLS') || run.extraSymbols))
    extra.push(...parseSymvers((await run.readText(resolvePath(run.context.cwd, path))) ?? ''));
  return [...kernelSymbols, ...extra];
}

const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
