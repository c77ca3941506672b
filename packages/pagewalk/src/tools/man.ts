// SPDX-License-Identifier: MIT
/** man: pages of kernel functions from /usr/share/man, and of commands from what they say of themselves. */

import type { Vfs } from '../fs/vfs.js';
import type { Command, CommandContext, CommandTable } from '../shell/command.js';
import { parseFlags, withUsage } from './arguments.js';

const FOLDER = '/usr/share/man';
const WIDTH = 80;

interface Page {
  /** Every name by which it is found; the first is the page's. */
  readonly names: string[];
  readonly section: string;
  readonly brief: string;
  /** Markdown: `## SECTION`, paragraphs, lists, code. */
  readonly text: string;
}

/** The pages that are files: `man9/kmalloc.md`. */
function filePages(fs: Vfs): Page[] {
  if (!fs.isDirectory(FOLDER)) return [];
  return fs.readdir(FOLDER).flatMap((folder) =>
    fs
      .readdir(`${FOLDER}/${folder}`)
      .filter((file) => file.endsWith('.md'))
      .map((file) => {
        const text = new TextDecoder().decode(fs.readFile(`${FOLDER}/${folder}/${file}`));
        const line = /^## NAME\n\n(.*?) - (.*)$/m.exec(text);
        const names = [file.replace(/\.md$/, ''), ...(line?.[1].split(', ') ?? [])];
        return {
          names: [...new Set(names)],
          section: folder.replace('man', ''),
          brief: line?.[2] ?? '',
          text,
        };
      }),
  );
}

function commandPages(commands: CommandTable): Page[] {
  return [...commands].map(([name, { summary, usage }]) => {
    const forms = usage?.replace(/^usage: /, '').split(/ {2}or {2}/) ?? [name];
    const synopsis = forms.map((form) => `    ${form}\n`).join('');
    const text = `# ${name}(1)\n\n## NAME\n\n${name} - ${summary}\n\n## SYNOPSIS\n\n${synopsis}`;
    return { names: [name], section: '1', brief: summary, text };
  });
}

/** Words in lines that fit; a list's item hangs from its first word. */
function fill(paragraph: string, indent: string): string[] {
  const mark = /^(- |\d+\. )/.exec(paragraph)?.[1] ?? '';
  const lines: string[] = [];
  let line = indent + mark;
  for (const word of paragraph.slice(mark.length).split(/\s+/)) {
    const blank = line.trim() === '' || line === indent + mark ? '' : ' ';
    if (blank !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + ' '.repeat(mark.length) + word;
    } else line += blank + word;
  }
  return [...lines, line];
}

/** A page as a terminal shows it. */
export function renderPage(markdown: string, bold: (text: string) => string): string {
  const title = /^# (.*)$/m.exec(markdown)?.[1].toUpperCase() ?? '';
  const middle = 'Pagewalk';
  const gap = Math.max(1, Math.floor((WIDTH - middle.length) / 2) - title.length);
  const head = title + ' '.repeat(gap) + middle;
  const lines = [head + title.padStart(WIDTH - head.length), ''];
  const blocks = markdown.replace(/^# .*\n/, '').split(/(```[a-z]*\n[\s\S]*?\n```)/);
  for (const block of blocks) {
    const code = /^```[a-z]*\n([\s\S]*?)\n```$/.exec(block)?.[1];
    if (code !== undefined) {
      lines.push(
        ...code.split('\n').map((line) => (line === '' ? '' : `           ${line.replaceAll('\t', '    ')}`)),
        '',
      );
      continue;
    }
    for (const paragraph of block.trim().split(/\n{2,}/)) {
      const heading = /^## (.*)$/.exec(paragraph)?.[1];
      const plain = paragraph.replace(/`([^`]*)`/g, '$1');
      if (paragraph === '') continue;
      if (heading !== undefined) lines.push(bold(heading));
      else if (paragraph.startsWith('    '))
        lines.push(...paragraph.split('\n').map((line) => `   ${line}`), '');
      else lines.push(...plain.split(/\n(?=- |\d+\. )/).flatMap((item) => fill(item, '       ')), '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const searched = (page: Page, word: string): boolean =>
  [...page.names, page.brief].some((text) => text.toLowerCase().includes(word.toLowerCase()));

async function keyword(
  context: CommandContext,
  pages: readonly Page[],
  words: readonly string[],
): Promise<number> {
  let status = 0;
  for (const word of words) {
    const found = pages.filter((page) => searched(page, word));
    const rows = found.flatMap((page) => {
      const names = page.names.filter((name) => name.toLowerCase().includes(word.toLowerCase()));
      return (names.length > 0 ? names : page.names.slice(0, 1)).map((name) => ({ ...page, name }));
    });
    rows.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, section, brief } of rows)
      await context.out(`${`${name} (${section})`.padEnd(20)} - ${brief}\n`);
    if (rows.length === 0) {
      await context.err(`${word}: nothing appropriate.\n`);
      status = 16;
    }
  }
  return status;
}

export const man =
  (commands: CommandTable): Command =>
  (context) =>
    withUsage(context, async () => {
      const flags = parseFlags(context.args, 'kfP:', { apropos: 'k', whatis: 'f' });
      const words = [...flags.operands];
      if (words.length === 0) {
        await context.err(
          "What manual page do you want?\nFor example, try 'man kmalloc', 'man intro' or 'man -k memory'.\n",
        );
        return 1;
      }
      const written = filePages(context.fs);
      const hasPage = (name: string) =>
        written.some((page) => /^[18]$/.test(page.section) && page.names[0] === name);
      const pages = [...written, ...commandPages(commands).filter(({ names }) => !hasPage(names[0]))];
      if (flags.has('k')) return keyword(context, pages, words);
      const section = /^[1-9]$/.test(words[0]) && words.length > 1 ? words.shift() : undefined;
      const bold = context.stdout.isTerminal
        ? (text: string) => `\x1b[1m${text}\x1b[0m`
        : (text: string) => text;
      let status = 0;
      for (const word of words) {
        const page = findPage(pages, word, section);
        if (page && flags.has('f'))
          await context.out(`${`${word} (${page.section})`.padEnd(20)} - ${page.brief}\n`);
        else if (page) await context.out(renderPage(page.text, bold));
        else {
          await context.err(`No manual entry for ${word}${section ? ` in section ${section}` : ''}\n`);
          status = 16;
        }
      }
      return status;
    });

/** `kmalloc`, `kmalloc.9`, `kmalloc(9)`; a page's own name before a mention, commands first. */
function findPage(pages: readonly Page[], word: string, section: string | undefined): Page | undefined {
  const [, name, suffix] = /^(.*?)(?:\.(\d)|\((\d)\))?$/.exec(word)?.map((part) => part ?? '') ?? [
    '',
    word,
    '',
  ];
  const wanted = section ?? (suffix || /\((\d)\)$/.exec(word)?.[1]);
  const there = pages.filter((page) => page.names.includes(name) && (!wanted || page.section === wanted));
  there.sort(
    (a, b) =>
      Number(b.names[0] === name) - Number(a.names[0] === name) || Number(a.section) - Number(b.section),
  );
  return there[0];
}
