import { Command } from 'commander';
import { policyClock } from './pdp/clock.js';
import { loadConfig } from './pdp/load.js';
import { createLog } from './pdp/log.js';
import { configJsonSchema, configReference } from './pdp/reference.js';
import { checkConfig, PdpService } from './pdp/service.js';
import type { Listening } from './pdp/service.js';
import { CliError, EXIT } from './exit.js';
import { instant } from './quantities.js';
import { print, say } from './terminal.js';

interface PdpOptions {
  readonly config?: string;
  readonly check?: true;
  readonly at?: number;
  readonly json?: true;
  readonly schema?: true;
  readonly reference?: true;
}

export function command(): Command {
  return new Command('pdp')
    .description('A policy server: decides RSVP requests of COPS PEPs by the credentials they carry.')
    .option('-c, --config <file>', 'configuration (YAML); see CONFIGURATION.md')
    .option('--check', 'check the configuration and the files it names, and end')
    .option('--at <time>', 'judge credentials as if it were this time now, as 2007-03-23T12:00:00Z', instant)
    .option('--json', 'what is printed on stdout, as JSON, an object a line')
    .option('--schema', 'print the JSON Schema of the configuration, and end')
    .option('--reference', 'print the reference of the configuration, and end')
    .addHelpText('after', HELP)
    .action(run);
}

const HELP = `
Prints the addresses it listens on to stdout, one a line, and logs to stderr: a decision a line, with its id and reason.
SIGHUP reads the configuration again; with an error in it the PDP goes on as before. SIGTERM and SIGINT tell the PEPs
and end. With \`metrics\` configured: /metrics, /-/healthy and /-/ready over HTTP.

Examples:
  bandex pdp --config pdp.yaml
  bandex pdp --config pdp.yaml --check                      in a systemd unit: ExecStartPre
  bandex pdp --config pdp.yaml --at 2026-03-24T12:00:00Z    judge an old story on its own day
  bandex pdp --config pdp.yaml 2>&1 >/dev/null | jq 'select(.msg == "decision")'
  bandex pdp --schema > pdp.schema.json                     for an editor's completion`;

async function run(options: PdpOptions): Promise<void> {
  if (options.schema === true) print(JSON.stringify(configJsonSchema(), null, 2));
  else if (options.reference === true) print(configReference().trimEnd());
  else await serve(options);
}

async function serve(options: PdpOptions): Promise<void> {
  if (options.config === undefined) throw new CliError('pdp: --config is missing', EXIT.usage);
  const config = loadConfig(options.config);
  if (options.check) {
    checkConfig(config);
    print(options.json ? JSON.stringify({ config: config.file, ok: true }) : `${config.file}: ok`);
    return;
  }
  const service = new PdpService(config, { log: createLog(config.log), clock: policyClock(options.at) });
  for (const listening of await service.start()) print(listeningLine(listening, options.json === true));
  await untilStopped(service);
}

export function listeningLine({ service, address, port }: Listening, json: boolean): string {
  if (json) return JSON.stringify({ listening: service, address, port });
  const host = address.includes(':') ? `[${address}]` : address;
  return `listening on ${service === 'http' ? 'http://' : ''}${host}:${port}${service === 'cops-tls' ? ' (TLS)' : ''}`;
}

/** Until SIGTERM or SIGINT; a second one does not wait for the PEPs. */
async function untilStopped(service: PdpService): Promise<void> {
  const reload = (): void => service.reload();
  process.on('SIGHUP', reload);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const force = (): void => {
    say('bandex: stopped at once');
    process.exit(EXIT.failure);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, force);
  await service.stop();
  process.off('SIGHUP', reload);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, force);
}
