/**
 * A command line of a page against the helps of the commands. What a help does not offer is a fault, and so is a line
 * without a word that the usage demands; a bare name of a command in a sentence only names it.
 */
import { commands, type Commands } from '../../src/cli/commands.ts';
import { wordsOf, type Words } from '../../src/cli/completion.ts';

export interface CommandTable {
  readonly words: Words;
  /** Path of the command → its help. */
  readonly helps: ReadonlyMap<string, string>;
}

export async function commandTable(): Promise<CommandTable> {
  return { words: await wordsOf(commands), helps: new Map(await helpsOf(commands)) };
}

async function helpsOf(some: Commands, before = ''): Promise<[path: string, help: string][]> {
  const helps = await Promise.all(
    Object.entries(some).map(async ([name, { load }]): Promise<[string, string][]> => {
      const { help, commands: own } = await load();
      return own ? helpsOf(own, `${before}${name} `) : [[`${before}${name}`, help]];
    }),
  );
  return helps.flat();
}

/** What follows `gatehouse`, from the sources, installed, or as its own account; undefined for another program. */
export function argumentsIn(line: string): string[] | undefined {
  const [, rest] = /^(?:sudo (?:-u gatehouse )?)?(?:bin\/)?gatehouse(?: (.*))?$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  const found = rest.match(/'[^']*'|"[^"]*"|<[^>]*>|[^\s'"<>]+/g) ?? [];
  const end = found.findIndex((word) => /^[|;&]$/.test(word));
  return end === -1 ? found : found.slice(0, end);
}

/** What is wrong with the line; nothing if it can be run. */
export function faultIn(given: readonly string[], { words, helps }: CommandTable): string | undefined {
  const path = pathOf(given, words);
  const name = path.join(' ');
  const [first = '', ...more] = given.slice(path.length);
  if (path.length === 0) return first.startsWith('-') ? undefined : `there is no command '${first}'`;
  if (first === '') return undefined;
  const verbs = (words.get(name) ?? []).filter((word) => !word.startsWith('-'));
  const help = helps.get(name);
  const isVerb = verbs.includes(first);
  if (help === undefined || (verbs.length > 0 && !isVerb && /^[a-z]/.test(first)))
    return `'${name}' has no '${first}'`;
  const rest = isVerb ? more : [first, ...more];
  const unknown = rest.find((word) => /^--?[a-z]/.test(word) && !isIn(help, word));
  if (unknown !== undefined) return `'${name}' has no ${unknown}`;
  return rest.length > 0 && demandsWord(help, path, isVerb ? first : '') && !hasPositional(rest, help)
    ? `'${name}' needs a word that is no option`
    : undefined;
}

function pathOf(given: readonly string[], words: Words): string[] {
  const lengths = given.keys().map((at) => at + 1);
  const longest = [...lengths].findLast((length) => words.has(given.slice(0, length).join(' '))) ?? 0;
  return given.slice(0, longest);
}

function isIn(help: string, option: string): boolean {
  const [name = ''] = option.split('=');
  // It is every command's, so no help has to name it.
  return name === '--help' || new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(help);
}

/** Whether the usage demands a word that is no option, such as `<directory>`. */
function demandsWord(help: string, path: readonly string[], verb: string): boolean {
  const usage = (help.split('\n\n')[0] ?? '').replaceAll(/\n {5,}(?!gatehouse )/g, ' ');
  const begin = new RegExp(`gatehouse ${path.join(' ')} ${verb && `(?:[a-z-]+\\|)*${verb}\\b`}`);
  const line = usage.split('\n').find((each) => begin.test(each)) ?? '';
  return /<[^>]+>/.test(line.replaceAll(/\[[^\]]*\]|--[a-z-]+ <[^>]*>/g, ''));
}

function hasPositional(rest: readonly string[], help: string): boolean {
  return rest.some((word, at) => {
    if (word.startsWith('-')) return false;
    const before = rest[at - 1] ?? '';
    return !(before.startsWith('-') && new RegExp(`${before}[ ,]+[A-Z<\\d]`).test(help));
  });
}
