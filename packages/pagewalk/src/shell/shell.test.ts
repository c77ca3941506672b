// SPDX-License-Identifier: MIT
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { FakeMachine } from '../fake_machine.js';
import { createSession } from '../session.js';
import { type Result, runShell } from '../testing.js';
import { Shell } from './interpreter.js';

/** Scripts that say the same in any POSIX-like shell; bash is asked where there is one. */
const SCRIPTS: Record<string, string> = {
  words: `a=1 b="two  words"; echo $a "$b" $b '$a' \\$a "\\$a" "\`echo x\`"; echo "" '' | wc -c`,
  parameters: `x=path/to/file.tar.gz; echo \${x##*/} \${x%%.*} \${x#*/} \${x%.*} \${#x} \${x:5:2} \${x: -2} \${x/to/TO} \${x//t/T} \${y:-no} \${y-no} \${x:+yes} \${y:=set} $y`,
  'positional parameters': `f() { echo $# "$1" "$2"; shift; echo "$@" "$*"; for a; do echo "<$a>"; done; }; f 'a b' c "" d`,
  'empty "$@"': `f() { echo $#; g "$@"; }; g() { echo $#; }; f; f ""; set -- a 'b c'; g "$@" "x$@y"`,
  splitting: `IFS=:; x=a:b::c; for i in $x; do echo "[$i]"; done; IFS=' '; set -- $(echo ' 1  2 '); echo $#`,
  arithmetic: `i=5; echo $((i*2+1)) $((i<<2|1)) $((-7/2)) $((-7%3)) $((2**10)) $((0x1f)) $((i>3?1:0)) $((i++)) $i $((++i)) $(( (1+2)*3 )); ((i==7)) && echo seven`,
  'short circuit': `true && echo a || echo b; false && echo c || echo d; ! true; echo $?; false; echo $?`,
  loops: `for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; n=0; while [ $n -lt 3 ]; do n=$((n+1)); done; echo $n; until [ $n -eq 0 ]; do n=$((n-1)); done; echo $n; for ((i=0;i<3;i++)); do echo -n $i; done; echo`,
  'nested break': `for a in 1 2; do for b in 1 2; do echo $a$b; [ $a$b = 12 ] && break 2; done; done; echo end`,
  case: `for w in apple b1 zed ''; do case $w in a*) echo A;; b[0-9]|c) echo B;; '') echo E;; *) echo other;; esac; done`,
  functions: `f() { local v=1; w=2; echo $v$w; return 3; }; v=9; f; echo $? $v $w`,
  recursion: `fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1-1))) )); fi; }; fact 10`,
  pipes: `printf '%s\\n' c a b a | sort | uniq -c | sed 's/^ *//' ; seq 1 5 | while read n; do echo "n=$n"; done; echo x | { read y; echo "got $y"; }`,
  'exit status of a pipe': `false | true; echo $?; true | false; echo $?; set -o pipefail; false | true; echo $?`,
  'here documents': `x=1; cat <<A\nv=$x "q" \\$x $((x+1))\nA\ncat <<'B'\n$x\nB\ncat <<-C\n\tindented\n\tC\ncat <<<"here $x"`,
  redirection: `cd "\${T:-/tmp}"; echo one >f1; echo two >>f1; cat <f1; { echo out; echo err >&2; } 2>&1 | sort; echo hidden >/dev/null; ls nosuch 2>/dev/null; echo $?; rm f1`,
  'command substitution': `x=$(echo a; echo b); echo "$x" $x; echo $(echo $(echo deep)); echo "a$(printf 'x\\n\\n')b"`,
  braces: `echo {a,b}{1,2} {1..4} {c..a} x{,y} {1..7..3} '{a,b}' {} {a} {01..03}`,
  conditions: `[[ abc == a* ]] && echo 1; [[ abc == "a*" ]] || echo 2; [[ -n x && ! -z y ]] && echo 3; [[ 10 -gt 9 ]] && echo 4; [[ foo =~ ^f(o+)$ ]] && echo 5; [ 1 -eq 1 -a 2 -ne 3 ] && echo 6; test -z ""; echo $?`,
  errexit: `set -e; false || echo kept; if false; then :; fi; echo before; false; echo never`,
  'subshell isolation': `x=1; (x=2; echo $x; exit 3); echo $? $x; { x=4; }; echo $x`,
  'variables before a command': `x=1; x=2 sh -c 'echo $x'; echo $x; export y=3; sh -c 'echo "$y$x"'; echo 'echo $1-$2' | sh -s a b 2>/dev/null | head -0`,
  trap: `trap 'echo bye' EXIT; echo hi; exit 4`,
  quoting: `echo 'it'"'"'s' "a\\"b" a\\ b $'t\\tn' "\\n"; printf '%s|%5d|%-5s|%05.1f|%x\\n' a 42 b 3.14159 255`,
  eval: `c='echo $x'; x=5; eval "$c"; eval 'for i in 1 2; do echo $i; done'`,
  unset: `x=1; unset x; echo "[$x]" \${x-unset}; set -u; (echo $nosuch) 2>/dev/null; echo $?`,
  'broken pipe': `yes | head -n 2; seq 100000 | head -n 1`,
  'text tools': `printf 'b 2\\na 10\\nc 1\\n' >t; sort t; sort -k2 -n t; sort -rn -k 2 t; cut -d' ' -f2 t; tail -n +2 t; tail -1 t; head -n -1 t; tr a-z A-Z <t; tac t; wc -l <t; grep -n '[ac]' t; grep -c 1 t; grep -v b t; rm t`,
  sed: `seq 6 >t; sed -n '2,3p' t; sed '/4/d;s/5/five/' t; sed -n '$p' t; sed 's/\\([0-9]\\)/<\\1>/;2q' t; echo 'aXbX' | sed 's/X/-/2'; echo hello | sed -E 's/(l+)/[\\1]/;s/h/&&/'; printf 'a\\nb\\n' | sed 'N;s/\\n/+/'; sed '2!d' t; sed '1i\\top' t | head -1; rm t`,
  find: `mkdir -p d/e; echo >d/a.c; echo >d/e/b.c; find d -name '*.c' | sort; find d -type d | sort; find d -name '*.c' -exec echo F {} \\; | sort; rm -r d`,
  xargs: `echo 1 2 3 | xargs -n 1 echo n; printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'; echo | xargs -r echo no`,
  globs: `mkdir g; cd g; : >a1; : >a2; : >.h; echo a*; echo [a]?; echo z*; echo "a*"; cd ..; rm -r g`,
  jobs: `sleep 0.01 & wait; echo done; (exit 7) & wait $!; echo $?`,
  read: `printf 'a b c\\nd\\n' | { read x y; read z; echo "$x|$y|$z"; read q; echo $?; }; echo ' a:b ' | (IFS=: read p q; echo "[$p][$q]")`,
  comments: `echo a # b\necho c#d; echo 'e # f'`,
};

const bash = (() => {
  try {
    return execFileSync('bash', ['-c', 'echo $BASH_VERSION'], { encoding: 'utf8' }).startsWith('5');
  } catch {
    return false;
  }
})();

for (const [name, script] of Object.entries(SCRIPTS)) {
  test.skipIf(!bash)(`as bash: ${name}`, async () => {
    const folder = mkdtempSync(`${tmpdir()}/shell-`);
    let expected: Result;
    try {
      const real = spawnSync('bash', ['-c', script], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: '/root', LC_ALL: 'C', T: folder },
      });
      expected = { stdout: real.stdout, stderr: '', status: real.status ?? -1 };
    } finally {
      rmSync(folder, { recursive: true });
    }
    const ours = await runShell(`cd /tmp\n${script}`);
    expect({ ...ours, stderr: '' }, ours.stderr).toEqual(expected);
  });
}

test('syntax errors', async () => {
  expect(await runShell('echo a; if true; then')).toMatchObject({
    status: 2,
    stderr: 'sh: line 1: syntax error: unexpected end of file\n',
  });
  expect((await runShell('echo )')).stderr).toBe("sh: line 1: syntax error near unexpected token `)'\n");
  expect(await runShell('nosuchcommand')).toMatchObject({
    status: 127,
    stderr: 'sh: nosuchcommand: command not found\n',
  });
  expect((await runShell('echo $((1/0))')).stderr).toBe('sh: line 1: 1/0: division by 0\n');
});

test('an endless loop hears Ctrl-C', async () => {
  const controller = new AbortController();
  const session = createSession({ machine: new FakeMachine() });
  const shell = new Shell(session, new Map(), controller.signal);
  setTimeout(() => controller.abort(), 20);
  await expect(shell.run('while :; do :; done')).rejects.toThrow();
});

test('the file tree', async () => {
  expect((await runShell('ls /; cat /proc/version; echo x >/proc/version')).stdout).toContain(
    'bin\ndev\netc\n',
  );
  expect((await runShell('echo x >/proc/version')).stderr).toBe('echo: write error: Input/output error\n');
  expect((await runShell('head -c 4 /dev/zero | hexdump; echo x >/dev/full')).stdout).toBe(
    `0000000 0000 0000${' '.repeat(30)}\n0000004\n`,
  );
  expect((await runShell('ln -s /proc/version /tmp/v; cat /tmp/v; ls -l /tmp | tail -1')).stdout).toContain(
    'v -> /proc/version',
  );
  expect((await runShell('mkdir -p /tmp/r/d; ln -s .. /tmp/r/d/up; ls -R /tmp/r')).stdout).toBe(
    '/tmp/r:\nd\n\n/tmp/r/d:\nup\n',
  );
});
