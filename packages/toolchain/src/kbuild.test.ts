// SPDX-License-Identifier: MIT
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { afterAll, describe, expect, test } from 'vitest';
import { splitModinfo } from './compile.js';
import { MemoryCache, MemoryFs, Toolchain } from './index.js';
import { TEST_HEADERS } from './testing.js';
import { spawnNodeWorker } from './worker.node.js';

const kernelSymbols = ['_printk', 'kmalloc', 'kfree'].map((name) => ({ name, gplOnly: false }));
const toolchain = new Toolchain({
  headers: TEST_HEADERS,
  spawn: spawnNodeWorker,
  kernelSymbols,
  cache: new MemoryCache(),
});
afterAll(() => toolchain.close());

const M = '/root/mod';
const BUILD = '/lib/modules/6.1.0-pagewalk/build';

const module = (init: string, extra = '') =>
  `#include <linux/module.h>\n${extra}MODULE_LICENSE("GPL");\nint init_module(void) { ${init} return 0; }\n`;
const HELLO = module('printk("hello\\n");');

/** The Makefile of countless tutorials. */
const TUTORIAL = `obj-m += hello.o

all:
	make -C /lib/modules/$(shell uname -r)/build M=$(PWD) modules

clean:
	make -C /lib/modules/$(shell uname -r)/build M=$(PWD) clean
`;

interface Run {
  status: number;
  /** stdout and stderr as a terminal shows them. */
  text: string;
}

async function run(fs: MemoryFs, args: string[] = [], cwd = M, controller?: AbortController): Promise<Run> {
  let text = '';
  const print = (more: string) => {
    text += more;
    if (controller && more.includes('CC [M]')) setTimeout(() => controller.abort(), 50);
  };
  const sh = async (command: string) => {
    const echo = /^echo ?(.*)$/.exec(command);
    return { status: echo || command === 'true' ? 0 : 127, stdout: echo ? `${echo[1]}\n` : '' };
  };
  const status = await toolchain.make(args, {
    cwd,
    fs,
    sh,
    stdout: print,
    stderr: print,
    signal: controller?.signal,
  });
  return { status, text };
}

const folder = (files: Record<string, string>) =>
  new MemoryFs(Object.fromEntries(Object.entries(files).map(([path, text]) => [`${M}/${path}`, text])));

const read = async (fs: MemoryFs, path: string) => parseObject((await fs.readFile(`${M}/${path}`))!);
const modinfo = async (fs: MemoryFs, path: string) =>
  splitModinfo((await read(fs, path)).customSections.get('modinfo')!);
const imports = async (fs: MemoryFs, path: string) => (await read(fs, path)).imports.map((i) => i.name);

describe('the tutorial Makefile', () => {
  test('builds, says so as Kbuild does, builds nothing twice, and cleans up', async () => {
    const fs = folder({ Makefile: TUTORIAL, 'hello.c': HELLO });
    const before = fs.paths();
    expect(await run(fs)).toEqual({
      status: 0,
      text: `make -C ${BUILD} M=${M} modules
make[1]: Entering directory '${BUILD}'
  CC [M]  ${M}/hello.o
  MODPOST ${M}/Module.symvers
  LD [M]  ${M}/hello.ko
make[1]: Leaving directory '${BUILD}'
`,
    });
    expect(await imports(fs, 'hello.ko')).toEqual(['_printk']);
    expect(fs.paths().map((path) => path.slice(M.length + 1))).toEqual([
      '.Module.symvers.cmd',
      '.hello.o.cmd',
      'Makefile',
      'Module.symvers',
      'hello.c',
      'hello.ko',
      'hello.mod',
      'hello.o',
      'modules.order',
    ]);
    const again = `make -C ${BUILD} M=${M} modules
make[1]: Entering directory '${BUILD}'
make[1]: Leaving directory '${BUILD}'
`;
    expect(await run(fs)).toEqual({ status: 0, text: again });

    expect((await run(fs, ['clean'])).text).toBe(`make -C ${BUILD} M=${M} clean
make[1]: Entering directory '${BUILD}'
  CLEAN   ${M}/Module.symvers
make[1]: Leaving directory '${BUILD}'
`);
    expect(fs.paths()).toEqual(before);
  });

  test('rebuilds what a changed header reaches, and only that', async () => {
    const fs = folder({
      Makefile: 'obj-m := two.o\ntwo-y := a.o b.o\n',
      'a.c': `#include "a.h"\n${HELLO}`,
      'b.c': 'int b;\n',
      'a.h': '',
    });
    const args = ['-C', BUILD, `M=${M}`];
    await run(fs, args);
    fs.set(`${M}/a.h`, '#define X 1\n');
    expect((await run(fs, args)).text).toBe(`make: Entering directory '${BUILD}'
  CC [M]  ${M}/a.o
  LD [M]  ${M}/two.o
  MODPOST ${M}/Module.symvers
make: Leaving directory '${BUILD}'
`);
    fs.set(`${M}/b.c`, 'int b = 7;\n');
    expect((await run(fs, args)).text).toContain(`  LD [M]  ${M}/two.ko\n`);
  });

  test('a mistake in C: clang in full, then the failure up to the top', async () => {
    const fs = folder({ Makefile: TUTORIAL, 'hello.c': module('nosuch();') });
    const { status, text } = await run(fs);
    expect(status).toBe(2);
    expect(text).toBe(`make -C ${BUILD} M=${M} modules
make[1]: Entering directory '${BUILD}'
  CC [M]  ${M}/hello.o
${M}/hello.c:3:25: error: call to undeclared function 'nosuch'; ISO C99 and later do not support implicit function declarations [-Wimplicit-function-declaration]
    3 | int init_module(void) { nosuch(); return 0; }
      |                         ^
1 error generated.
make[2]: *** [scripts/Makefile.build:250: ${M}/hello.o] Error 1
make[1]: *** [Makefile:1992: ${M}] Error 2
make[1]: Leaving directory '${BUILD}'
make: *** [Makefile:4: all] Error 2
`);
  });

  test('a symbol that nobody exports stops the build at MODPOST', async () => {
    const fs = folder({ Makefile: TUTORIAL, 'hello.c': module('nosuch();', 'void nosuch(void);\n') });
    const { status, text } = await run(fs);
    expect(status).toBe(2);
    expect(text).toContain(`  MODPOST ${M}/Module.symvers
ERROR: modpost: "nosuch" [${M}/hello.ko] undefined!
make[2]: *** [scripts/Makefile.modpost:126: ${M}/Module.symvers] Error 1
make[1]: *** [Makefile:1944: modpost] Error 2
make[1]: Leaving directory '${BUILD}'
make: *** [Makefile:4: all] Error 2
`);
    expect(await fs.readFile(`${M}/hello.ko`)).toBeUndefined();
    expect((await run(fs, ['KBUILD_MODPOST_WARN=1'])).text).toContain(
      `WARNING: modpost: "nosuch" [${M}/hello.ko] undefined!\n  LD [M]  ${M}/hello.ko\n`,
    );
  });

  test('no source file', async () => {
    const { status, text } = await run(folder({ Makefile: TUTORIAL }));
    expect(status).toBe(2);
    expect(text).toContain(
      `make[2]: *** No rule to make target '${M}/hello.o', needed by '${M}/hello.mod'.  Stop.
make[1]: *** [Makefile:1992: ${M}] Error 2
`,
    );
  });

  test('a kernel that is not there', async () => {
    const fs = folder({ Makefile: 'all:\n\tmake -C /lib/modules/5.4.0/build M=$(PWD) modules\n' });
    expect((await run(fs)).text).toBe(`make -C /lib/modules/5.4.0/build M=${M} modules
make[1]: *** /lib/modules/5.4.0/build: No such file or directory.  Stop.
make: *** [Makefile:2: all] Error 2
`);
  });

  test('M without a Makefile; no M at all; an unknown goal', async () => {
    const fs = folder({ Makefile: 'all:\n' });
    const none = await run(fs, ['-C', BUILD, 'M=/nowhere']);
    expect(none.status).toBe(2);
    expect(none.text).toBe(`make: Entering directory '${BUILD}'
scripts/Makefile.build:44: /nowhere/Makefile: No such file or directory
make[1]: *** No rule to make target '/nowhere/Makefile'.  Stop.
make: *** [Makefile:1992: /nowhere] Error 2
make: Leaving directory '${BUILD}'
`);
    expect((await run(fs, ['-C', BUILD])).status).toBe(2);
    const unknown = await run(fs, ['-C', BUILD, `M=${M}`, 'moduls']);
    expect(unknown.text).toContain("make: *** No rule to make target 'moduls'.  Stop.\n");
  });

  test('an error in the Makefile, seen by Kbuild', async () => {
    const fs = folder({ Makefile: 'obj-m := hello.o\nnonsense\n', 'hello.c': HELLO });
    expect((await run(fs, ['-C', BUILD, `M=${M}`])).text).toContain(
      `${M}/Makefile:2: *** missing separator.  Stop.\nmake: *** [Makefile:1992: ${M}] Error 2\n`,
    );
  });

  test('-s is silent, V=1 shows the command, -n does nothing', async () => {
    const fs = folder({ Makefile: TUTORIAL, 'hello.c': HELLO });
    const dry = await run(fs, ['-n', '-C', BUILD, `M=${M}`]);
    expect(dry.text).toContain(`  CC [M]  ${M}/hello.o\n`);
    expect(fs.paths()).toHaveLength(2);
    expect((await run(fs, ['-s'])).text).toBe('');
    await run(fs, ['clean']);
    expect((await run(fs, ['V=1'])).text).toMatch(
      / {2}clang --target=wasm64\S* .*-DKBUILD_MODNAME="hello".* -c \/root/,
    );
  });

  test('an interrupt ends it as Ctrl-C does', async () => {
    const slow = Array.from(
      { length: 4000 },
      (_, i) => `int f${i}(int x) { while (x) x /= ${i}; return x; }\n`,
    );
    const fs = folder({ Makefile: TUTORIAL, 'hello.c': HELLO });
    await run(fs);
    fs.set(`${M}/hello.c`, HELLO + slow.join(''));
    const controller = new AbortController();
    const { status, text } = await run(fs, [], M, controller);
    expect(status).toBe(130);
    expect(text).toContain(`make[2]: *** [scripts/Makefile.build:250: ${M}/hello.o] Interrupt
make[1]: *** [Makefile:1992: ${M}] Interrupt
make[1]: Leaving directory '${BUILD}'
make: *** [Makefile:4: all] Interrupt
`);
  });
});

describe('Makefiles of the kinds that teaching modules use', () => {
  test('KERNELRELEASE trick, KDIR, several modules, a dependency between them', async () => {
    const fs = folder({
      Makefile: `ifneq ($(KERNELRELEASE),)
obj-m := exporter.o user.o
else
KDIR ?= /lib/modules/$(shell uname -r)/build
PWD := $(shell pwd)
default: modules
modules modules_install clean help:
	$(MAKE) -C $(KDIR) M=$(PWD) $@
endif
.PHONY: default modules
`,
      'exporter.c': `${module('')}int shared(void) { return 5; }\nEXPORT_SYMBOL(shared);\n`,
      'user.c': module('printk("%d", shared());', 'int shared(void);\n'),
    });
    const { status, text } = await run(fs);
    expect(text).toBe(`make -C ${BUILD} M=${M} modules
make[1]: Entering directory '${BUILD}'
  CC [M]  ${M}/exporter.o
  CC [M]  ${M}/user.o
  MODPOST ${M}/Module.symvers
  LD [M]  ${M}/exporter.ko
  LD [M]  ${M}/user.ko
make[1]: Leaving directory '${BUILD}'
`);
    expect(status).toBe(0);
    expect(await modinfo(fs, 'user.ko')).toContain('depends=exporter');
    expect(await modinfo(fs, 'exporter.ko')).toContain('depends=');
    const symvers = new TextDecoder().decode(await fs.readFile(`${M}/Module.symvers`));
    expect(symvers).toBe(`0x00000000\tshared\t${M}/exporter\tEXPORT_SYMBOL\t\n`);

    expect((await run(fs, ['help'])).text).toContain('Building external modules.');
    expect((await run(fs, ['modules_install'])).text).toContain(
      '  INSTALL /lib/modules/6.1.0-pagewalk/updates/exporter.ko\n',
    );
    expect(fs.paths()).toContain('/lib/modules/6.1.0-pagewalk/updates/user.ko');
  });

  test('a composite module, in both spellings, with sources in a subfolder', async () => {
    const fs = folder({
      Makefile: `MODULE_NAME = big
obj-m := $(MODULE_NAME).o other.o
SRCS := main.c lib/util.c
$(MODULE_NAME)-objs := $(SRCS:.c=.o)
other-y := x.o
other-$(CONFIG_SMP) += y.o
other-$(CONFIG_NOSUCH) += z.o
ifneq ($(CONFIG_HZ),250)
other-y += z.o
endif
`,
      'main.c': module('util();', 'void util(void);\n'),
      'lib/util.c': '#include <linux/module.h>\nvoid util(void);\nvoid util(void) { printk("util"); }\n',
      'x.c': module('y();', 'void y(void);\n'),
      'y.c': 'void y(void);\nvoid y(void) {}\n',
    });
    const { status, text } = await run(fs, ['-C', BUILD, `M=${M}`, 'modules']);
    expect(text).toBe(`make: Entering directory '${BUILD}'
  CC [M]  ${M}/main.o
  CC [M]  ${M}/lib/util.o
  LD [M]  ${M}/big.o
  CC [M]  ${M}/x.o
  CC [M]  ${M}/y.o
  LD [M]  ${M}/other.o
  MODPOST ${M}/Module.symvers
  LD [M]  ${M}/big.ko
  LD [M]  ${M}/other.ko
make: Leaving directory '${BUILD}'
`);
    expect(status).toBe(0);
    expect(await imports(fs, 'big.ko')).toEqual(['_printk']);
    expect((await read(fs, 'big.ko')).functions.map((f) => f.name).sort()).toEqual(['init_module', 'util']);
  });

  test('flags: ccflags-y, EXTRA_CFLAGS, CFLAGS_file.o, subdir-ccflags-y, a debug switch, quotes', async () => {
    const check = (conditions: string) => module('', `#if !(${conditions})\n#error flags\n#endif\n`);
    const fs = folder({
      Makefile: `DEBUG = y
ifeq ($(DEBUG),y)
  DBGFLAGS = -O -g -DSCULL_DEBUG
else
  DBGFLAGS = -O2
endif
EXTRA_CFLAGS += $(DBGFLAGS)
ccflags-y := -DFROM_CCFLAGS=2 -I$(src)/include -DNAME='"a b"'
CFLAGS_one.o := -DONLY_ONE
CFLAGS_REMOVE_one.o := -Wall
subdir-ccflags-y := -DEVERYWHERE
obj-m := one.o two.o sub/
`,
      'one.c': `#include <own.h>\n${check(
        'SCULL_DEBUG && FROM_CCFLAGS == 2 && ONLY_ONE && EVERYWHERE && OWN && sizeof(NAME)',
      )
        .replace(' && sizeof(NAME)', '')
        .replace('return 0;', 'return sizeof(NAME) - 4;')}static int unused_for_wall(void) { return 1; }\n`,
      'two.c': check('defined(SCULL_DEBUG) && !defined(ONLY_ONE)'),
      'include/own.h': '#define OWN 1\n',
      'sub/Kbuild': 'obj-m := three.o\nccflags-y += -DTHREE\n',
      'sub/three.c': check('THREE && EVERYWHERE && !defined(FROM_CCFLAGS)'),
    });
    const { status, text } = await run(fs, ['-C', BUILD, `M=${M}`]);
    expect(text).toBe(`make: Entering directory '${BUILD}'
  CC [M]  ${M}/one.o
  CC [M]  ${M}/two.o
  CC [M]  ${M}/sub/three.o
  MODPOST ${M}/Module.symvers
  LD [M]  ${M}/one.ko
  LD [M]  ${M}/two.ko
  LD [M]  ${M}/sub/three.ko
make: Leaving directory '${BUILD}'
`);
    expect(status).toBe(0);
    await run(fs, ['-C', BUILD, `M=${M}`, 'clean']);
    expect(fs.paths().filter((path) => /\.(o|ko|cmd)$/.test(path))).toEqual([]);
  });

  test('every C file a module, by wildcard and foreach', async () => {
    const fs = folder({
      Makefile: `obj-m := $(patsubst %.c,%.o,$(notdir $(wildcard $(src)/*.c)))
all:
	$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(CURDIR) modules
list:
	@echo $(foreach m,$(wildcard *.c),$(basename $(m)).ko)
`,
      'b.c': HELLO,
      'a-dash.c': HELLO,
    });
    expect((await run(fs)).text).toContain(`  LD [M]  ${M}/a-dash.ko\n  LD [M]  ${M}/b.ko\n`);
    expect(await modinfo(fs, 'a-dash.ko')).toContain('name=a_dash');
    expect((await run(fs, ['list'])).text).toBe('a-dash.ko b.ko\n');
  });

  test('static-analysis and helper targets, RM, quiet rules, a default of its own', async () => {
    const fs = folder({
      Makefile: `FNAME_C := hello
PWD := $(shell pwd)
KDIR := /lib/modules/$(shell uname -r)/build
ARCH ?= x86
obj-m += \${FNAME_C}.o
.PHONY: all clean indent sa help
all:
	@echo
	@echo '--- Building : KDIR=\${KDIR} ARCH=\${ARCH} ---'
	make -C \${KDIR} M=\${PWD} modules
ifneq ("$(wildcard nosuch.txt)","")
	@echo never
endif
sa:
	$(MAKE) C=1 CHECK="sparse" -C $(KDIR) M=$(PWD) modules
`,
      'hello.c': HELLO,
    });
    const { status, text } = await run(fs);
    expect(status).toBe(0);
    expect(text).toContain(`  LD [M]  ${M}/hello.ko\n`);
    expect((await run(fs, ['sa'])).status).toBe(0);
  });

  test('a Makefile above two module folders', async () => {
    const each =
      'obj-m := m.o\nall:\n\t$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(CURDIR) modules\n';
    const fs = folder({
      Makefile: `SUBDIRS = one two
.PHONY: all $(SUBDIRS)
all: $(SUBDIRS)
$(SUBDIRS):
	$(MAKE) -C $@
`,
      'one/Makefile': each,
      'two/Makefile': each,
      'one/m.c': HELLO,
      'two/m.c': HELLO,
    });
    const { status, text } = await run(fs);
    expect(status).toBe(0);
    expect(text).toContain(`make[1]: Entering directory '${M}/one'
make -C ${BUILD} M=${M}/one modules
make[2]: Entering directory '${BUILD}'
  CC [M]  ${M}/one/m.o
`);
    expect(fs.paths()).toContain(`${M}/two/m.ko`);
  });

  test('KBUILD_EXTRA_SYMBOLS brings the exports of a module built elsewhere', async () => {
    const fs = folder({
      'a/Makefile': 'obj-m := a.o\n',
      'a/a.c': `${module('')}int shared(void) { return 5; }\nEXPORT_SYMBOL_GPL(shared);\n`,
      'b/Makefile': 'obj-m := b.o\nKBUILD_EXTRA_SYMBOLS := $(src)/../a/Module.symvers\n',
      'b/b.c': module('shared();', 'int shared(void);\n'),
    });
    expect((await run(fs, ['-C', BUILD, `M=${M}/a`])).status).toBe(0);
    const { status, text } = await run(fs, ['-C', BUILD, `M=${M}/b`]);
    expect(text).not.toContain('undefined');
    expect(status).toBe(0);
    expect(await modinfo(fs, 'b/b.ko')).toContain('depends=a');
  });

  test('a module with a part of its own name is told so', async () => {
    const fs = folder({ Makefile: 'obj-m := x.o\nx-objs := x.o y.o\n', 'x.c': HELLO, 'y.c': HELLO });
    expect((await run(fs, ['-C', BUILD, `M=${M}`])).text).toContain(
      `make[1]: Circular ${M}/x.o <- ${M}/x.o dependency dropped.\n`,
    );
  });

  test('cpp definitions from the command line: KCFLAGS', async () => {
    const fs = folder({
      Makefile: 'obj-m := hello.o\n',
      'hello.c': module('', '#ifndef K\n#error no K\n#endif\n'),
    });
    expect((await run(fs, ['-C', BUILD, `M=${M}`, 'KCFLAGS=-DK'])).status).toBe(0);
    expect((await run(fs, ['-C', BUILD, `M=${M}`])).status).toBe(2);
  });
});
