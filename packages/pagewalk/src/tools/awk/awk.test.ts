// SPDX-License-Identifier: MIT
/** awk against the host's awk, program by program; and what is ours alone. */

import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { FakeMachine } from '../../fake_machine.js';
import { createSession } from '../../session.js';
import { runIn, runShell } from '../../testing.js';

const TABLE = `alice 30 eng 1000
bob 25 ops 500.5
carol 41 eng 2500
dave 25 hr -3

eve,x 7 eng 17
`;
const CSV = 'a,b,d\n1,2,3,4\n"q",x y,z\n';

/** Programs whose output every POSIX awk agrees on. */
const PROGRAMS: Record<string, [program: string, input?: string, options?: string[]]> = {
  print: ['{ print }'],
  'no action': ['/eng/'],
  'no action, negated': ['!/eng/ && NF'],
  fields: ['{ print $1, $NF, NF, NR; print $(NF-1) }', 'a b c\nd e\nf g h i\n'],
  'fields assigned': ['{ $2 = "X"; print; $7 = "far"; print; print NF }', 'a b c\n'],
  'NF assigned': ['{ NF = 2; print; $0 = "p q r"; print NF, $3 }', 'a b c d\n'],
  'record assigned': ['{ $0 = "one two"; print $2 }', 'x\n'],
  'BEGIN and END': ['BEGIN { print "b" } { n++ } END { print n, NR, $0 }'],
  sum: ['{ s += $2 } END { print s, s / NR }'],
  'group by': ['NF { t[$3] += $4 } END { for (k in t) print k, t[k] | "sort"; close("sort"); print "end" }'],
  range: ['/bob/,/dave/ { print NR": "$1 }'],
  'range of one line': ['/b/,/b/'],
  separator: ['{ print $2 "|" $3 "|" NF }', CSV, ['-F', ',']],
  'separator, regular expression': ['{ print $1 "-" $2 "-" $3 }', 'a1b22c\nx333y\n', ['-F', '[0-9]+']],
  'separator of tabs': ['{ print $2 }', 'a b\tc d\te\n', ['-F', '\\t']],
  'separator |': ['{ print $2 }', 'a|b|c\n', ['-F', '|']],
  'OFS, ORS': ['BEGIN { OFS = "-"; ORS = ";\\n" } { $1 = $1; print; print 1, 2 }', 'a b c\n'],
  'RS of a character': ['BEGIN { RS = ";" } { print NR ": " $0 }', 'a;b c;d'],
  paragraphs: [
    'BEGIN { RS = "" } { print NR, NF, $1; n = split($0, l, "\\n"); print n }',
    '\n\na b\nc\n\n\nd\ne f\n',
  ],
  assignment: ['BEGIN { print x, y + 1, x y } { print z }', 'l\n', ['-v', 'x=a\\tb', '-v', 'y=41']],
  arithmetic: [
    'BEGIN { print 1+2*3, 7%3, -7%3, 2^10, 2^3^2, -2^2, 7/2, 1e3, 0.1+0.2, 1/3, 10000*10000, 1==1.0, 10 % 3.5 }',
  ],
  'increments and assignment operators': [
    'BEGIN { x = 5; print x++ + ++x, x--, --x, x; x += 2; x *= 3; x -= 1; x /= 4; x %= 3; x ^= 2; print x; a["k"]++; print a["k"] }',
  ],
  comparisons: [
    'BEGIN { print (2 < 10), ("2" < "10"), ("a" < "b"), (1 == "1"), ("abc" == "abc"), (x == 0), (x == "") } { print ($2 < $3), ($1 < $2) }',
    '3 10 9\nb 2 10\n1e1 10 +10\n',
  ],
  'logic and conditional': [
    'BEGIN { print 1 && 0 || 1, !1, !"", !"a", 1 ? "y" : "n", 0 ? 1 : 0 ? 2 : 3; if (!(3 in a)) print "not in" }',
  ],
  matching: ['$1 ~ /^[a-c]/ { print $1 } $1 !~ "[aeiou]$" { print "no", $1 }'],
  'dynamic regular expressions': [
    'BEGIN { r = "^a.c$"; print ("abc" ~ r), ("abcd" ~ r), ("a.c" ~ "a\\\\.c"), ("axc" ~ "a\\\\.c"), ("a/b" ~ /a\\/b/), ("]" ~ /[]]/), ("x1" ~ /[[:digit:]]/) }',
  ],
  'string functions': [
    'BEGIN { s = "hello world"; print length(s), length(), index(s, "wor"), index(s, "x"), substr(s, 7), substr(s, 1, 4), substr(s, 5, 100), substr(s, 20) "|", toupper(s), tolower("ABC") }',
  ],
  split: [
    'BEGIN { n = split("a:b:c", p, ":"); print n, p[1], p[3]; n = split("  x  y ", q); print n, q[2]; print split("", r), split("a1b2c", t, /[0-9]/), t[3]; print split("abc", u, "|"), u[1] }',
  ],
  'sub and gsub': [
    'BEGIN { s = "aaa bab"; n = gsub(/a/, "<&>", s); print n, s; t = "foo.bar"; sub(/\\./, "-", t); print t; u = "x"; gsub(/y/, "z", u); print u; v = "a&b"; gsub("&", "\\\\&\\\\&", v); print v; w = "hello"; print gsub(/l*/, "-", w), w } { gsub(/e/, "E"); print $1 }',
    'here we\nare\n',
  ],
  match: [
    'BEGIN { print match("foobar", /o+/), RSTART, RLENGTH; print match("x", /y/), RSTART, RLENGTH; print match("abc", "") }',
  ],
  printf: [
    'BEGIN { printf "%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%c|%c|%s|%10s|%-10s|%.2s|%%|%i\\n", 42.9, 42, 42, 42, 42, 255, 255, 8, 65, "hello", "str", "right", "left", "cut", "7x" }',
  ],
  'printf of floats': [
    'BEGIN { printf "%f|%.2f|%e|%.3e|%g|%g|%g|%G|%10.3f|%-10.1f|%+.1f|%010.2f|%.0f|%g|%g\\n", 3.14159, 2.005, 12345.678, 0.00012, 0.0001, 1e10, 123456789, 1e-10, 2.5, 2.5, 2.5, -2.5, 2.5, 100000, 1000000 }',
  ],
  'printf with stars': ['BEGIN { printf "%*d|%-*s|%.*f\\n", 5, 42, 6, "ab", 2, 3.14159 }'],
  'number to string': [
    'BEGIN { x = 0.1; y = 1e6; z = 1e20; print x "", y "", 123456.789 "", 1e-5 "", 3.0 "", -0 ""; OFMT = "%.2f"; print 3.14159, 17; }',
  ],
  arrays: [
    'BEGIN { a[1] = "x"; a["two"] = 2; a[1, 2] = "multi"; if ((1, 2) in a) print "in"; for (k in a) n++; print n; delete a[1]; print (1 in a), length(a["none"]); for (k in a) delete a[k]; n = 0; for (k in a) n++; print n }',
  ],
  functions: [
    `function fact(n) { return n <= 1 ? 1 : n * fact(n - 1) }
function fill(arr, n,   i) { for (i = 1; i <= n; i++) arr[i] = i * i }
function noreturn(x) { x = 5 }
BEGIN { print fact(10); fill(sq, 4); print sq[4], i; v = 1; noreturn(v); print v, noreturn(2) "" }`,
  ],
  'untyped argument becomes an array': [
    'function inner(a) { a["k"] = 7 } function outer(b) { inner(b) } BEGIN { outer(z); print z["k"] }',
  ],
  loops: [
    'BEGIN { for (i = 0; i < 10; i++) { if (i == 2) continue; if (i == 5) break; printf "%d ", i } while (n < 3) n++; do n--; while (n > 1); print n; for (;;) { if (++m > 4) break } print m }',
  ],
  'statements on lines': [
    'BEGIN {\n  if (1)\n    print "a"\n  else\n    print "b"\n  if (0) print "c"; else print "d"\n  x = 1 +\\\n2; print x; y = 1 &&\n 0; print y }\n# a comment\n\nEND { print "z" } ; ',
  ],
  'next and exit': ['NR == 1 { next } { print $1 } NR == 3 { exit 3 } END { print "end" }'],
  'exit in END': ['END { exit 4; print "never" }'],
  getline: [
    '{ print "got", $1; if ((getline line) > 0) print "then", line; else print "none" }',
    'a\nb\nc\n',
  ],
  'getline of a record': ['NR == 1 { while ((getline) > 0) n++; print n, $0, NR }', 'a\nb\nc\n'],
  'getline from a command': [
    'BEGIN { "echo one two" | getline; print $2; "echo three" | getline x; print x; while (("seq 3" | getline y) > 0) print y }',
  ],
  'output redirected': [
    'BEGIN { print "x" > "/dev/stderr"; print "b\\na" | "sort"; close("sort"); print "after" }',
  ],
  system: ['BEGIN { r = system("exit 3"); print r; print "first"; system("echo second") }'],
  'print forms': [
    'BEGIN { print(1, 2); print (1)(2); print (1 > 2) ? "y" : "n"; print 1, 2 > "/dev/stdout" }',
  ],
  concatenation: [
    'BEGIN { print "a" "b" 1 + 2 "c"; x = "A"; print x x, x "-" x; print 1 " " 2, -1 " " -2; print "x" > "/dev/stdout" }',
  ],
  'regular expression or division': [
    'BEGIN { a = 8; b = 2; print a / b / 2; if ("x/y" ~ /x\\/y/) print "slash"; n = split("p/q", z, "/"); print z[2] }',
  ],
  'in a string': ['BEGIN { print "tab\\there", "quote\\"", "back\\\\slash", "oct\\101", "nl\\nx" }'],
  uniq: ['!seen[$0]++', 'a\nb\na\nc\nb\n'],
  transpose: [
    '{ for (i = 1; i <= NF; i++) m[i, NR] = $i } END { for (i = 1; i <= NF; i++) { l = m[i, 1]; for (j = 2; j <= NR; j++) l = l " " m[i, j]; print l } }',
    '1 2 3\n4 5 6\n',
  ],
  ENVIRON: ['BEGIN { print ENVIRON["HOME"] != "", ARGC, ARGV[0] }'],
  meminfo: [
    '/^Mem(Total|Free):/ { v[$1] = $2 } END { printf "%.1f%% used of %d MB\\n", 100 * (1 - v["MemFree:"] / v["MemTotal:"]), v["MemTotal:"] / 1024 }',
    'MemTotal:          65536 kB\nMemFree:           60000 kB\n',
  ],
};

const hostAwk = (() => {
  try {
    execFileSync('awk', ['BEGIN { exit 0 }']);
    return true;
  } catch {
    return false;
  }
})();

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

for (const [name, [program, input = TABLE, options = []]] of Object.entries(PROGRAMS)) {
  test.skipIf(!hostAwk)(`as the host's awk: ${name}`, async () => {
    const args = [...options, program];
    const host = spawnSync('awk', args, { input, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
    const ours = await runShell(`awk ${args.map(quote).join(' ')}`, input);
    expect({ stdout: ours.stdout, stderr: ours.stderr, status: ours.status }).toEqual({
      stdout: host.stdout,
      stderr: host.stderr,
      status: host.status,
    });
  });
}

const onFiles = (script: string) =>
  runIn(
    createSession({ machine: new FakeMachine() }),
    `cd /tmp\nprintf '1\\n2\\n' >a\nprintf '3\\n' >b\n${script}`,
  );

test('files, assignments between them, FILENAME and FNR', async () => {
  const { stdout, stderr, status } = await onFiles(
    `awk '{ print FILENAME, FNR, NR, x }' x=1 a x=2 b nosuch; echo $?; awk 'FNR == NR { s += $1; next } { print s }' a b`,
  );
  expect(stdout).toBe('a 1 1 1\na 2 2 1\nb 1 3 2\n2\n3\n');
  expect(stderr).toBe('awk: cannot open "nosuch" (No such file or directory)\n');
  expect(status).toBe(0);
});

test('nextfile, getline from a file, print to files', async () => {
  const { stdout } = await onFiles(
    `awk 'FNR == 1 { print; nextfile }' a b; awk 'BEGIN { while ((getline l < "a") > 0) print "l" l; print (getline z < "none") }'
awk '{ print > ("out" $1) } END { close("out1"); getline x < "out1"; print "x" x }' a; cat out2
echo '{ print $1 * 2 }' >p.awk; awk -f p.awk a`,
  );
  expect(stdout).toBe('1\n3\nl1\nl2\n-1\nx1\n2\n2\n4\n');
});

test.each([
  ['{ print', "syntax error at source line 1: unexpected 'end of program'"],
  ['BEGIN { x = }', "syntax error at source line 1: unexpected '}'"],
  ['BEGIN { print "a }', 'unterminated string at source line 1'],
  ['BEGIN { f(1) }', 'function f is not defined, at source line 1'],
  ['BEGIN { print 1 / 0 }', 'division by zero'],
  ['BEGIN { print $(-1) }', 'trying to access out of range field -1'],
  ['BEGIN { a[1] = 1; print a + 1 }', "can't use an array as a scalar"],
  ['function f(x) { return f(x + 1) } BEGIN { f(1) }', 'function f: nested too deeply'],
  ['BEGIN { print "x" ~ "(" }', 'regular expression compile failed: ('],
])('%s is refused', async (program, message) => {
  const { stderr, status } = await runShell(`awk ${quote(program)}`, '');
  expect(stderr).toBe(`awk: ${message}\n`);
  expect(status).toBe(2);
});

test('an endless reader ends with its reader', async () => {
  const { stdout } = await runShell(
    `yes | awk '{ print NR }' | head -n 2; awk 'BEGIN { for (;;) print ++i }' | head -n 1`,
  );
  expect(stdout).toBe('1\n2\n1\n');
});
