/** `gatehouse completion`: scripts that let a shell complete commands and options, made of the helps of all commands. */
import { readArguments, WrongUsage } from './arguments.ts';
import { commands, type Commands } from './commands.ts';

export const help = `usage: gatehouse completion bash|zsh|fish

Prints a script that lets the shell complete commands and options.

examples:
  source <(gatehouse completion bash)                                    # in ~/.bashrc
  source <(gatehouse completion zsh)                                     # in ~/.zshrc, after compinit
  gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish

exit codes: 0 printed, 4 wrong usage
`;

/** What may follow which words: `audit search` → its options. */
export type Words = ReadonlyMap<string, readonly string[]>;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, {}, help, 1);
  if (!given) return 0;
  const [shell = ''] = given.positionals;
  const scripts: Readonly<Record<string, (words: Words) => string>> = { bash, zsh, fish };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (!script) throw new WrongUsage(`there is no completion for ${shell}`, help);
  process.stdout.write(script(await wordsOf(commands)));
  return 0;
}

export async function wordsOf(some: Commands, path: readonly string[] = []): Promise<Words> {
  const words = new Map<string, readonly string[]>([[path.join(' '), [...Object.keys(some), '--help']]]);
  for (const [name, { load }] of Object.entries(some)) {
    const command = await load();
    const own = [...path, name];
    if (command.commands) for (const each of await wordsOf(command.commands, own)) words.set(...each);
    else words.set(own.join(' '), [...verbsIn(command.help, own), ...optionsIn(command.help)]);
  }
  return words;
}

/** `usage: gatehouse secret new …` and the lines below it. */
function verbsIn(text: string, path: readonly string[]): string[] {
  const usage = text.split('\n\n')[0] ?? '';
  const pattern = new RegExp(`gatehouse ${path.join(' ')} ([a-z][a-z|-]*)`, 'g');
  return [...new Set([...usage.matchAll(pattern)].flatMap(([, verbs = '']) => verbs.split('|')))];
}

/** Of the usage and of the lines that explain one; elsewhere a help may speak of another command's. */
function optionsIn(text: string): string[] {
  const [usage = '', ...others] = text.split('\n\n');
  const explained = others.join('\n\n').match(/^ +(?:-[a-z], )?--[a-z].*$/gm) ?? [];
  const places = [usage, ...explained].join('\n');
  const found = [...places.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option);
  return [...new Set([...found, '--help'])];
}

function bash(words: Words): string {
  const cases = [...words].map(([path, next]) => `    '${path}') words='${next.join(' ')}' ;;`);
  return `# gatehouse completion for bash
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    case " ${[...words.keys()].join(' , ')} " in
      *" \${path:+$path }$word "*) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _gatehouse gatehouse bin/gatehouse
`;
}

function zsh(words: Words): string {
  return `# gatehouse completion for zsh, by way of bash's
autoload -U +X bashcompinit && bashcompinit
${bash(words)}`;
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([path, next]) => {
    const parts = path.split(' ').filter(Boolean);
    const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`).join('; and ');
    const others = [...words.keys()].filter((each) => each !== '' && !each.includes(' ')).join(' ');
    const when = path === '' ? `not __fish_seen_subcommand_from ${others}` : seen;
    const plain = next.filter((word) => !word.startsWith('-')).join(' ');
    const options = next.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    return [
      ...(plain ? [`complete -c gatehouse -n '${when}' -f -a '${plain}'`] : []),
      ...options.map((option) => `complete -c gatehouse -n '${when}' -l ${option}`),
    ];
  });
  return `# gatehouse completion for fish\n${lines.join('\n')}\n`;
}
