import { CommanderError } from 'commander';
import { command } from '../../clear.js';
import { CliError, EXIT } from '../../exit.js';
import type { Ran } from '../../test/run.js';

/** `bandex clear` with these arguments in this process, as `cli/main.ts` runs it: a process for each takes most of a second. */
export async function clear(...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const { stdout, stderr } = process;
  const [toStdout, toStderr] = [stdout.write.bind(stdout), stderr.write.bind(stderr)];
  stdout.write = (text: string | Uint8Array): boolean => ((out += String(text)), true);
  stderr.write = (text: string | Uint8Array): boolean => ((err += String(text)), true);
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const program = command().exitOverride();
    for (const each of program.commands) each.exitOverride();
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CliError) err += `bandex: ${error.message}\n`;
    else if (!(error instanceof CommanderError)) throw error;
    process.exitCode = codeOf(error);
  } finally {
    stdout.write = toStdout;
    stderr.write = toStderr;
  }
  const code = process.exitCode ?? EXIT.ok;
  process.exitCode = before;
  return { code, out, err, lines: out.split('\n').slice(0, -1) };
}

function codeOf(error: CliError | CommanderError): number {
  if (error instanceof CliError) return error.exitCode;
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
