// SPDX-License-Identifier: MIT
/** `clean` and `modules_install`. */

import { KbuildFailed, type KbuildRun } from '../kbuild.js';
import { words } from '../make/variables.js';
import { UTS_RELEASE } from '../modpost.js';

const GENERATED = /(\.(o|ko|mod|mod\.c|symvers|order)|^\..*\.cmd)$/;

/** Removes what builds leave in the module's folder and below. */
export async function clean(run: KbuildRun): Promise<void> {
  const { fs } = run.context;
  const symvers = `${run.root}/Module.symvers`;
  if (await fs.stat(symvers)) run.say('CLEAN', symvers);
  const walk = async (folder: string): Promise<void> => {
    for (const name of (await fs.readdir(folder)) ?? []) {
      const path = `${folder}/${name}`;
      if (GENERATED.test(name) && !run.dryRun && !(await fs.stat(path))?.directory) await fs.unlink(path);
      else if ((await fs.stat(path))?.directory && !name.startsWith('.')) await walk(path);
    }
  };
  await walk(run.root);
}

/** Copies the built modules to where modprobe looks for them. */
export async function install(run: KbuildRun): Promise<void> {
  const { fs } = run.context;
  const library = `${run.variable('INSTALL_MOD_PATH')}/lib/modules/${UTS_RELEASE}`;
  const folder = `${library}/${run.variable('INSTALL_MOD_DIR') || 'updates'}`;
  const order = await run.readText(`${run.root}/modules.order`);
  if (order === undefined) {
    run.message(1, `*** No rule to make target '${run.root}/modules.order', needed by '__modinst'.  Stop.`);
    run.complain(0, 'Makefile:1955', 'modules_install', 2);
    throw new KbuildFailed();
  }
  for (const path of words(order)) {
    const target = folder + path.slice(run.root.length);
    const module = await fs.readFile(path);
    if (!module) continue;
    run.say('INSTALL', target);
    if (!run.dryRun) await fs.writeFile(target, module);
  }
  run.say('DEPMOD', library);
}
