import { Command } from 'commander';
import { CliError, EXIT } from './exit.js';
import { policyClock } from './pdp/clock.js';
import { createLog } from './pdp/log.js';
import { instant } from './quantities.js';
import { loadRouterConfig } from './router/load.js';
import { routerJsonSchema, routerReference } from './router/reference.js';
import { checkRouterConfig } from './router/setup.js';
import { print, say } from './terminal.js';

interface Options {
  readonly config?: string;
  readonly check?: true;
  readonly at?: number;
  readonly json?: true;
  readonly schema?: true;
  readonly reference?: true;
}

export function command(): Command {
  return new Command('router')
    .description(
      'An RSVP router: reserves bandwidth on the interfaces of this machine, for whoever policy grants it.',
    )
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
It takes Linux with forwarding on, CAP_NET_RAW for the protocol and CAP_NET_ADMIN for traffic control. Prints where it listens
to stdout: the control socket, which \`bandex show\` and \`bandex debug\` ask, and HTTP with /metrics, /-/healthy and /-/ready;
logs to stderr. SIGHUP reads the configuration again: its own policy, INTEGRITY keys, what may be reserved. SIGTERM and SIGINT
tear its state down and end. fixtures/systemd/ has a unit.

Examples:
  bandex router --config router.yaml --check                in a systemd unit: ExecStartPre
  bandex router --config router.yaml
  bandex show reservations
  bandex debug --match session=10.0.0.1/udp/5004
  bandex router --schema > router.schema.json               for an editor's completion`;

async function run(options: Options): Promise<void> {
  if (options.schema === true) print(JSON.stringify(routerJsonSchema(), null, 2));
  else if (options.reference === true) print(routerReference().trimEnd());
  else await serve(options);
}

async function serve(options: Options): Promise<void> {
  if (options.config === undefined) throw new CliError('router: --config is missing', EXIT.usage);
  const config = loadRouterConfig(options.config);
  if (options.check === true) {
    checkRouterConfig(config);
    print(options.json === true ? JSON.stringify({ config: config.file, ok: true }) : `${config.file}: ok`);
    return;
  }
  const { RouterService } = await import('./router/service.js');
  const service = new RouterService(config, { log: createLog(config.log), clock: policyClock(options.at) });
  for (const at of await started(service))
    print(options.json === true ? JSON.stringify({ listening: at }) : `listening on ${at}`);
  const reload = (): void => service.reload();
  process.on('SIGHUP', reload);
  await untilSignal();
  process.off('SIGHUP', reload);
  await service.stop();
}

/** What the kernel refuses is explained without a stack. */
async function started(service: { start(): Promise<string[]> }): Promise<string[]> {
  try {
    return await service.start();
  } catch (error) {
    if (error instanceof Error && EXPLAINED.has(error.name)) throw new CliError(error.message);
    throw error;
  }
}

const EXPLAINED = new Set(['RawSocketError', 'TrafficError', 'ControlError', 'IpError']);

/** Until SIGTERM or SIGINT; a second one does not wait. */
export async function untilSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      say('bandex: stopped at once');
      process.exit(EXIT.failure);
    });
}
