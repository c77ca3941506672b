// SPDX-License-Identifier: MIT
/** Makefiles whose output, under GNU make 4.3 and here, must be the same; `golden.json` holds GNU make's. */

export interface MakeCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The shell itself runs `make`, so one must be installed. */
  readonly needsMake?: boolean;
}

const makefile = (name: string, text: string, ...args: string[]): MakeCase => ({
  name,
  files: { Makefile: text },
  args,
});

export const MAKE_CASES: readonly MakeCase[] = [
  makefile('echo and silence', 'all:\n\techo one\n\t@echo two\n\t@echo three; echo four\n'),
  makefile('an error ends it', 'all:\n\t@echo before\n\tfalse\n\t@echo after\n'),
  makefile('an error is ignored', 'all:\n\t-false\n\t@echo after\n'),
  makefile('exit status', 'all: a\na:\n\t@exit 3\n'),
  makefile('keep going', 'all: a b\na:\n\t@exit 3\nb:\n\t@echo b\n', '-k'),
  makefile('no rule', 'all: nosuch.c\n\t@echo never\n'),
  makefile('no such goal', 'all:\n\t@echo a\n', 'other'),
  { name: 'no makefile', files: {} },
  { name: 'no makefile, but a goal', files: {}, args: ['x'] },
  makefile('no targets', 'A = 1\n'),
  { name: 'absent -f', files: {}, args: ['-f', 'nosuch.mk'] },
  makefile('nothing to be done', 'all:\n'),
  { name: 'up to date', files: { Makefile: 'a: b\n\tcp b a\n', b: '1', a: '1' }, args: ['a'] },
  { name: 'a source has no rule', files: { Makefile: 'all: b\n', b: '1' }, args: ['b'] },
  makefile(
    'phony chain',
    '.PHONY: all clean\nall: one two\none two:\n\t@echo $@\nclean:\n\t@echo clean\n',
    'clean',
    'all',
  ),
  makefile('missing separator', 'all:\n\t@echo a\nnonsense here\n'),
  makefile('spaces for a tab', 'all:\n        echo a\n'),
  makefile('recipe first', '\techo a\nall:\n'),
  makefile('missing endif', 'ifdef A\nall:\n\t@echo a\n'),
  makefile('extraneous endif', 'endif\nall:\n\t@echo a\n'),
  makefile('unterminated reference', 'A = $(B\nall:\n\t@echo $(A)\n'),
  makefile('recursive variable', 'A = $(B)\nB = $(A)\nall:\n\t@echo $(A)\n'),
  makefile('error function', 'ifndef KDIR\n$(error KDIR is not set)\nendif\nall:\n\t@echo $(KDIR)\n'),
  makefile('warning and info', '$(info hello)\n$(warning careful)\nall:\n\t@echo a\n'),
  makefile('error in a recipe', 'all:\n\t@echo a\n\t$(error stop here)\n'),
  makefile('circular', 'a: b\n\t@echo a\nb: a\n\t@echo b\n'),
  makefile('overriding recipe', 'a:\n\t@echo 1\na:\n\t@echo 2\n'),
  makefile('dry run', 'all: a\n\t@echo all\na:\n\techo a\n', '-n'),
  makefile('silent', 'all:\n\techo a\n', '-s'),
  makefile(
    'command line beats file',
    'A = file\noverride B = file\nall:\n\t@echo $(A) $(B) $(origin A) $(origin B)\n',
    'A=cmd',
    'B=cmd',
  ),
  makefile(
    'flavours',
    'A = $(B)\nC := $(B)\nB = late\nC += more\nA += $(D)\nD = end\nE ?= default\nC ?= no\nall:\n\t@echo "$(A)|$(C)|$(E)|$(flavor A)|$(flavor C)|$(flavor Z)"\n',
  ),
  makefile(
    'continuations and comments',
    'A = one \\\n    two \\\n    three # not this\nB = a\\#b\nall:\n\t@echo $(A) \\\n\t  and more\n\t@echo "$(B)"\n',
  ),
  makefile(
    'conditionals',
    'X = 1\nifeq ($(X),1)\n  R = one\nelse ifeq ($(X),2)\n  R = two\nelse\n  R = other\nendif\nifneq "$(X)" "1"\nR += wrong\nendif\nifdef UNSET\nR += wrong\nelse\nR += right\nendif\nifndef X\nR += wrong\nendif\nall:\nifeq ($(R),one right)\n\t@echo $(R)\nelse\n\t@echo bad\nendif\n',
  ),
  makefile(
    'functions on text',
    `L = main.c sub/util.c lib.h main.c
all:
	@echo "$(subst a,A,banana)|$(patsubst %.c,%.o,$(L))|$(L:.c=.o)|$(L:%.c=obj/%.o)"
	@echo "$(sort $(L))|$(filter %.c,$(L))|$(filter-out %.c,$(L))|$(words $(L))|$(word 2,$(L))|$(wordlist 2,3,$(L))"
	@echo "$(dir $(L))|$(notdir $(L))|$(suffix $(L))|$(basename $(L))|$(firstword $(L))|$(lastword $(L))"
	@echo "$(addprefix -I,a b)|$(addsuffix .o,a b)|$(join a b,1 2 3)|$(strip   a   b  )|$(findstring an,banana)|$(findstring x,banana)"
	@echo "$(if ,yes,no)|$(if x,yes)|$(or ,,b,c)|$(and a,,c)|$(and a,b)"
	@echo "$(foreach f,a b c,<$(f)>)|$(call rev,1,2)|$(words $(value V))|$$HOMELESS"
rev = $(2) $(1)
V = $(L) end
`,
  ),
  makefile(
    'eval and define',
    'define RULE\n$(1):\n\t@echo made $(1)\nendef\n$(foreach t,x y,$(eval $(call RULE,$(t))))\nall: x y\n',
    'all',
  ),
  makefile(
    'define holds a recipe',
    'define say\n@echo first\n@echo second\nendef\nall:\n\t$(say)\n\t@echo third\n',
  ),
  makefile('shell', 'A := $(shell echo one; echo two)\nB != echo three\nall:\n\t@echo "$(A) $(B)"\n'),
  {
    name: 'wildcard',
    files: {
      Makefile: 'S = $(wildcard *.c)\nall:\n\t@echo $(S) $(S:.c=.o) $(wildcard sub/*.h nosuch*)\n',
      'b.c': '',
      'a.c': '',
      'sub/x.h': '',
    },
  },
  {
    name: 'pattern rules and automatic variables',
    files: {
      Makefile:
        'all: out.txt\nout.txt: a.o sub/b.o | dir\n\t@echo "$@ < $< ^ $^ ? $? | $| D $(@D) F $(<F)"\n%.o: %.c\n\t@echo "CC $< to $@ stem $*"\ndir:\n\t@echo dir\n',
      'a.c': '',
      'sub/b.c': '',
    },
  },
  {
    name: 'static pattern',
    files: {
      Makefile: 'OBJS = a.o b.o\nall: $(OBJS)\n$(OBJS): %.o: %.c\n\t@echo $< $* $@\n',
      'a.c': '',
      'b.c': '',
    },
  },
  makefile('double colon', 'all::\n\t@echo 1\nall::\n\t@echo 2\n'),
  makefile('rule on one line', 'all: ; @echo one; echo two\n'),
  makefile('target-specific variables', 'V = global\nall: a b\na: V = for a\na b:\n\t@echo $@ $(V)\n'),
  {
    name: 'include',
    files: {
      Makefile: 'include sub.mk\n-include nosuch.mk\nall:\n\t@echo $(FROM) $(MAKEFILE_LIST)\n',
      'sub.mk': 'FROM = sub\n',
    },
  },
  { name: 'include of nothing', files: { Makefile: 'include nosuch.mk\nall:\n\t@echo a\n' } },
  {
    name: 'sub-make',
    files: {
      Makefile: 'all:\n\t$(MAKE) -C sub X=1 go\n\t@echo back\n',
      'sub/Makefile': 'go:\n\t@echo in sub $(X) $(MAKELEVEL)\n',
    },
  },
  {
    name: 'sub-make fails',
    files: { Makefile: 'all:\n\t$(MAKE) -C sub\n', 'sub/Makefile': 'go:\n\t@exit 7\n' },
  },
  {
    name: 'sub-make without -w',
    files: {
      Makefile: 'all:\n\t@$(MAKE) --no-print-directory -C sub\n',
      'sub/Makefile': 'go:\n\t@echo sub\n',
    },
  },
  {
    name: 'variables reach a sub-make',
    files: {
      Makefile: 'export E = exported\nN = not\nall:\n\t@$(MAKE) -s -C sub\n',
      'sub/Makefile': 'go:\n\t@echo "$(E) $(N) $(C)"\n',
    },
    args: ['C=command line'],
  },
  makefile('-C to nowhere', 'all:\n\tmake -C nosuch\n'),
  {
    name: '-C from the start',
    files: { 'sub/Makefile': 'go:\n\t@echo $(notdir $(CURDIR))\n' },
    args: ['-C', 'sub'],
  },
  { name: '-f another', files: { 'other.mk': 'go:\n\t@echo other\n' }, args: ['-f', 'other.mk'] },
  makefile('environment', 'all:\n\t@echo $(GREETING) $$GREETING $(origin GREETING)\n'),
  makefile(
    'exported to recipes',
    'export A = 1\nB = 2\nGREETING = changed\nall:\n\t@echo "$$A|$$B|$$GREETING"\n',
  ),
  makefile('default goal', '.DEFAULT_GOAL := b\na:\n\t@echo a\nb:\n\t@echo b\n'),
  makefile('insufficient arguments', 'all:\n\t@echo $(subst a,b)\n'),
  makefile('word of zero', 'all:\n\t@echo $(word 0,a b)\n'),
  makefile('@ in a variable', 'Q = @\nall:\n\t$(Q)echo quiet\n'),
  makefile('goals twice', 'a:\n\t@echo a\n', 'a', 'a'),
  makefile('line of a command in the middle', 'all: first\nfirst:\n\t@true\n\t@true\n\t@exit 4\n'),
  makefile('else without if', 'else\nall:\n\t@echo a\n'),
  makefile(
    'commas and parentheses',
    'all:\n\t@echo "$(subst x,y,(x))" $(subst (,[,a(b)) $(if $(filter a,a b),yes and more)\n',
  ),
  makefile('recipe with make variables of the shell', 'all:\n\t@for i in 1 2; do echo $$i; done\n'),
  makefile(
    'patsubst keeps others',
    'all:\n\t@echo $(patsubst %.c,%.o,a.c b.h) $(patsubst a.c,z.o,a.c b.c)\n',
  ),
  makefile('balanced parentheses', 'all:\n\t@echo "$(subst x,y,(x))" $(if $(filter a,a b),yes and more)\n'),
  {
    ...makefile(
      'recursive make through the shell',
      'all:\n\t@cd . && $(MAKE) --no-print-directory go\ngo:\n\t@echo level $(MAKELEVEL)\n',
    ),
    needsMake: true,
  },
  makefile('a prerequisite fails', 'all: a b\n\t@echo all\na:\n\t@exit 1\nb:\n\t@echo b\n', '-k'),
  makefile('a comment in a recipe', 'all:\n\t# a comment\n\t@echo a # another\n'),
  makefile('indented assignments', 'ifdef X\nelse\n\tA = 1\nendif\nall:\n\t@echo $(A)\n'),
  makefile(
    'module Makefile with KERNELRELEASE',
    'ifneq ($(KERNELRELEASE),)\nobj-m := a.o\nelse\nKDIR ?= /nosuch\nPWD := $(shell pwd)\ndefault:\n\t$(MAKE) -C $(KDIR) M=$(PWD) modules\nendif\n',
  ),
  makefile('spaces around values', 'A =  x  \nB := $(A)y # c\nall:\n\t@echo "[$(A)][$(B)]"\n'),
  {
    name: "PWD is the shell's, CURDIR is make's",
    needsMake: true,
    files: {
      Makefile: 'all:\n\t@echo $(PWD) $(CURDIR)\n\t@$(MAKE) -C sub\n\t@cd sub && $(MAKE)\n',
      'sub/Makefile': 'all:\n\t@echo $(PWD) $(CURDIR)\n',
    },
  },
  makefile('multi-line echo', 'all:\n\techo one && \\\n\techo two\n'),
];
