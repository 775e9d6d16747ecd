import { Command } from 'commander';
import { CliError, EXIT } from '../exit.js';
import { painter, print, say } from '../terminal.js';
import { Lab } from './lab.js';
import { runSteps } from './steps.js';
import type { StepResult } from './steps.js';
import { loadTopology } from './topology.js';

export function runCommand(): Command {
  return new Command('run')
    .description('Build a lab, do the steps of its file, tell which are as expected, and remove it.')
    .argument('<file>', 'topology with steps, YAML')
    .option('--json', 'one JSON object a step')
    .addHelpText(
      'after',
      `
Exit code 0: all steps are as expected; 2: one is not.

Examples:
  bandex lab run line.yaml
  bandex lab run line.yaml --json | jq -r 'select(.ok | not) | .step + ": " + .detail'`,
    )
    .action(run);
}

async function run(file: string, { json }: { readonly json?: true }): Promise<void> {
  const loaded = loadTopology(file);
  if (loaded.steps.length === 0) throw new CliError(`${file}: there are no steps`, EXIT.invalid);
  const lab = await Lab.up(loaded, { path: loaded.path, file: loaded.path(file), progress: say });
  const interrupts: NodeJS.Signals[] = [];
  const interrupt = (signal: NodeJS.Signals): void => {
    interrupts.push(signal);
    void lab.down();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const paint = painter(process.stdout);
    const isOk = await runSteps(lab, loaded.steps, (result) => {
      if (json === true) print(JSON.stringify(result));
      else for (const line of linesOf(result, paint)) print(line);
    });
    if (!isOk) process.exitCode = EXIT.refused;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await lab.down();
  }
  if (interrupts.length > 0) throw new CliError('interrupted');
}

function linesOf(
  { step, on, ok, detail, seconds, output, error }: StepResult,
  paint: ReturnType<typeof painter>,
): string[] {
  const head = ok ? paint('green', 'ok  ') : paint('red', 'FAIL');
  const what = `${on === undefined ? '' : `${on}: `}${step}`;
  const more = detail === undefined ? '' : `  ${detail}`;
  const printed = ok
    ? []
    : [output, error].flatMap((text) => (text ?? '').split('\n')).filter((line) => line !== '');
  return [
    `${head}  ${what}${more}  ${paint('dim', `${seconds} s`)}`,
    ...printed.map((line) => `      ${line}`),
  ];
}
