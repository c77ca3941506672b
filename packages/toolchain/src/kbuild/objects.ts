// SPDX-License-Identifier: MIT
/** Compiles the objects of a folder's modules and joins composite ones. */

import { compilePrepared, type Prepared, prepareCompile } from '../compile.js';
import { type BuildFs, readText, writeText } from '../fs.js';
import { KbuildFailed, type KbuildRun, LINUX_LINES } from '../kbuild.js';
import { linkObjects } from '../link.js';
import { sha256 } from '../sha256.js';
import { type ModulePlan, type ObjectPlan, readPlan } from './makefile.js';

/** A module whose object lies at `${stem}.o`. */
export interface BuiltModule {
  readonly name: string;
  /** Path without suffix. */
  readonly stem: string;
  /** Key of the object's contents. */
  readonly key: string;
  readonly sourceDigest: string;
}

/** Builds the objects of all modules in a folder, then in its subfolders. Prints errors and throws KbuildFailed. */
export async function buildFolder(
  run: KbuildRun,
  folder: string,
  depth: number,
  inherited: readonly string[],
): Promise<BuiltModule[]> {
  const plan = await readPlan(run, folder, depth, inherited);
  const built: BuiltModule[] = [];
  for (const module of plan.modules) built.push(await buildModule(run, module, depth));
  for (const subfolder of plan.subfolders)
    try {
      built.push(...(await buildFolder(run, subfolder, depth + 1, plan.inherited)));
    } catch (error) {
      run.complain(depth, LINUX_LINES.descend, subfolder, 2);
      throw error;
    }
  return built;
}

/** Where the key of a made file is kept: `.foo.o.cmd` beside it. */
const keyFile = (path: string) => path.replace(/([^/]*)$/, '.$1.cmd');

export async function isCurrent(fs: BuildFs, path: string, key: string): Promise<boolean> {
  const saved = await readText(fs, keyFile(path));
  return saved === `key_${path} := ${key}\n` && (await fs.stat(path)) !== undefined;
}

export const saveKey = (fs: BuildFs, path: string, key: string): Promise<void> =>
  writeText(fs, keyFile(path), `key_${path} := ${key}\n`);

async function buildModule(run: KbuildRun, module: ModulePlan, depth: number): Promise<BuiltModule> {
  const { fs } = run.context;
  const { name, stem } = module;
  const composite = module.objects[0].stem !== stem || module.objects.length > 1;
  const objects = module.objects.filter((object) => {
    if (!composite || object.stem !== stem) return true;
    run.message(depth, `Circular ${stem}.o <- ${stem}.o dependency dropped.`);
    return false;
  });
  const prepared: Prepared[] = [];
  for (const object of objects) prepared.push(await buildObject(run, module, object, composite, depth));
  if (!run.dryRun) await writeText(fs, `${stem}.mod`, objects.map((o) => `${o.stem}.o\n`).join(''));
  const sourceDigest = sha256(prepared.map((p) => p.sourceDigest).join());
  if (!composite) return { name, stem, key: prepared[0].key, sourceDigest };

  const key = sha256(prepared.map((p) => p.key).join());
  const output = `${stem}.o`;
  if (!(await isCurrent(fs, output, key))) {
    run.say('LD [M] ', output);
    if (!run.dryRun) await link(run, objects, output, key, depth);
  }
  return { name, stem, key, sourceDigest };
}

async function buildObject(
  run: KbuildRun,
  module: ModulePlan,
  object: ObjectPlan,
  composite: boolean,
  depth: number,
): Promise<Prepared> {
  const { fs, signal, stderr } = run.context;
  const output = `${object.stem}.o`;
  const source = `${object.stem}.c`;
  if (!(await fs.stat(source))) {
    const needed = composite ? `${module.stem}.o` : `${module.stem}.mod`;
    run.message(depth, `*** No rule to make target '${output}', needed by '${needed}'.  Stop.`);
    throw new KbuildFailed();
  }
  const env = run.options.compile;
  const { flags, removeFlags } = object;
  const request = { source, module: module.name, modfile: module.stem, flags, removeFlags };
  const prepared = await prepareCompile(env, { ...request, read: (path) => readText(fs, path) });
  if (await isCurrent(fs, output, prepared.key)) return prepared;

  run.say('CC [M] ', output, prepared.args);
  if (run.dryRun) return prepared;
  const result = await compilePrepared(env, prepared, signal).catch((error: unknown) => {
    run.complain(depth, LINUX_LINES.compile, output, 1);
    throw error;
  });
  stderr(result.stderr);
  if (!result.object) {
    run.complain(depth, LINUX_LINES.compile, output, 1);
    throw new KbuildFailed();
  }
  await fs.writeFile(output, result.object);
  await saveKey(fs, output, prepared.key);
  return prepared;
}

async function link(
  run: KbuildRun,
  objects: readonly ObjectPlan[],
  output: string,
  key: string,
  depth: number,
): Promise<void> {
  const { fs, signal, stderr } = run.context;
  const inputs: { path: string; bytes: Uint8Array }[] = [];
  for (const { stem } of objects) {
    const bytes = await fs.readFile(`${stem}.o`);
    if (bytes) inputs.push({ path: `${stem}.o`, bytes });
  }
  const linked = await linkObjects(run.options.compile.tools, inputs, signal);
  stderr(linked.stderr);
  if (!linked.object) {
    run.complain(depth, LINUX_LINES.compile, output, 1);
    throw new KbuildFailed();
  }
  await fs.writeFile(output, linked.object);
  await saveKey(fs, output, key);
}
