/** The pages that people read, cut into what can be held against the program: words in code marks and code blocks. */
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

export interface Page {
  readonly file: string;
  readonly text: string;
}

export interface Block {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

/** A word in code marks, or a line of a shell block; and where. */
export interface Word {
  readonly file: string;
  readonly text: string;
}

const fence = /^```(\w*)\n([\s\S]*?)^```/gm;

export function read(file: string): string {
  return readFileSync(resolve(root, file), 'utf8');
}

/** Decisions are left out: they speak of the day on which they were made. */
export function pages(): Page[] {
  return globSync(['*.md', 'docs/*.md'], { cwd: root })
    .filter((file) => file !== 'CHANGELOG.md')
    .map((file) => ({ file, text: read(file) }));
}

export function blocksOf({ file, text }: Page): Block[] {
  return [...text.matchAll(fence)].map(([, language = '', inside = '']) => ({
    file,
    language,
    text: inside,
  }));
}

/** What stands in code marks within the text, as one line each. */
export function spansOf({ file, text }: Page): Word[] {
  const prose = text.replaceAll(fence, '');
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => ({
    file,
    text: inside.replaceAll(/\s+/g, ' ').replaceAll('\\|', '|').trim(),
  }));
}

/** The lines of shell blocks, continued ones as one and without what is said about them. */
export function shellLinesOf(page: Page): Word[] {
  return blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n'))
    .map((line) => ({ file: page.file, text: line.replace(/(^|\s)#.*$/, '').trim() }))
    .filter(({ text }) => text !== '');
}
