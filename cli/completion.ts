import { Argument, Command } from 'commander';
import type { Option } from 'commander';
import { COMMANDS } from './commands.js';
import { print } from './terminal.js';

/** What can follow a command: its sub-commands and its options. */
interface Words {
  /** As `keynote query`; empty for `bandex` itself. */
  readonly path: string;
  readonly commands: readonly (readonly [name: string, summary: string])[];
  readonly options: readonly Option[];
}

export function command(): Command {
  return new Command('completion')
    .description('Print a script that completes commands, options and their choices.')
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  bandex completion bash > ~/.local/share/bash-completion/completions/bandex
  bandex completion zsh > "\${fpath[1]}/_bandex"
  bandex completion fish > ~/.config/fish/completions/bandex.fish`,
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      print(SCRIPTS[shell](await collect()));
    });
}

async function collect(): Promise<Words[]> {
  const summaries = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const);
  const words: Words[] = [{ path: '', commands: summaries, options: [] }];
  const visit = (command: Command, path: string): void => {
    const commands = command.commands.map((inner) => [inner.name(), inner.description()] as const);
    words.push({ path, commands, options: command.options });
    for (const inner of command.commands) visit(inner, `${path} ${inner.name()}`);
  };
  for (const [name, { load }] of Object.entries(COMMANDS)) visit((await load()).command(), name);
  return words;
}

const SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', (words: readonly Words[]) => string>> = {
  bash,
  zsh,
  fish,
};

function flagsOf({ options }: Words): string[] {
  return [...options.flatMap(({ long, short }) => [long, short]), '--help'].filter(
    (flag) => flag !== undefined,
  );
}

/** The longest known path of the words typed so far says what may follow; otherwise files. */
function bash(words: readonly Words[]): string {
  const cases = words.map((entry) => {
    const follow = [...entry.commands.map(([name]) => name), ...flagsOf(entry)].join(' ');
    return `    '${entry.path}') follow='${follow}' ;;`;
  });
  return `# bash completion for bandex
_bandex() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' word follow=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${words
        .map(({ path }) => `'${path}'`)
        .filter((path) => path !== "''")
        .join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$follow" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _bandex bandex`;
}

/** zsh runs bash's completions as they are. */
function zsh(words: readonly Words[]): string {
  return `#compdef bandex\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

function fish(words: readonly Words[]): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = words.flatMap(({ path, commands, options }) => {
    const inner = commands.map(([name]) => name).join(' ');
    const seen = path.split(' ').filter((word) => word !== '');
    const here = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
    const none = inner === '' ? [] : [`not __fish_seen_subcommand_from ${inner}`];
    const when = (more: readonly string[]): string => quote([...here, ...more].join('; and ') || 'true');
    return [
      ...commands.map(
        ([name, summary]) => `complete -c bandex -f -n ${when(none)} -a ${name} -d ${quote(summary)}`,
      ),
      ...options.map(
        ({ long, short, description, required, argChoices }) =>
          `complete -c bandex -n ${when([])}` +
          (long === undefined ? '' : ` -l ${long.slice(2)}`) +
          (short === undefined ? '' : ` -s ${short.slice(1)}`) +
          (required ? ' -r' : '') +
          (argChoices === undefined ? '' : ` -f -a ${quote(argChoices.join(' '))}`) +
          ` -d ${quote(description)}`,
      ),
    ];
  });
  return ['# fish completion for bandex', ...lines].join('\n');
}
