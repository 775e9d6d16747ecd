import { Command } from 'commander';
import type { ServerLimits } from '../../policy/clearing/io/limits.js';
import { CliError, EXIT } from '../exit.js';
import { instant } from '../quantities.js';
import { print, say } from '../terminal.js';
import type { LoadedClearConfig } from './load.js';

interface Options {
  readonly config?: string;
  readonly check?: true;
  readonly at?: number;
  readonly json?: true;
  readonly schema?: true;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the clearing centre: HTTPS for ISPs, providers and operators.')
    .option('-c, --config <file>', 'configuration (YAML)')
    .option('--check', 'check the configuration and the files it names, and end')
    .option('--at <time>', 'judge and book as if it were this time now, as 2007-03-23T12:00:00Z', instant)
    .option('--json', 'what is printed on stdout, as JSON')
    .option('--schema', 'print the JSON Schema of the configuration, and end')
    .addHelpText('after', HELP)
    .action(run);
}

const HELP = `
Prints the address it listens on to stdout, and logs to stderr. SIGTERM and SIGINT take nothing new, answer what is under
way, and end. /openapi.json describes the API; /metrics, /-/healthy and /-/ready are on the same port.

Examples:
  bandex clear serve --config clear.yaml
  bandex clear serve --config clear.yaml --check
  bandex clear serve --schema > clear.schema.json          for an editor's completion

A configuration:
  listen: { port: 8443 }
  policy: { files: [clearing.kn] }
  accounts:
    - { name: martha, kind: provider, keys: [martha.key.pub], limit: { USD: '100.00' } }
    - { name: nick, kind: isp, keys: [nick.key.pub] }
  operators: [operator.key.pub]`;

async function run(options: Options): Promise<void> {
  if (options.schema === true) {
    const { z } = await import('zod');
    const { CLEAR_CONFIG } = await import('./schema.js');
    print(JSON.stringify(z.toJSONSchema(CLEAR_CONFIG, { io: 'input', unrepresentable: 'any' }), null, 2));
    return;
  }
  if (options.config === undefined) throw new CliError('clear serve: --config is missing', EXIT.usage);
  const { loadClearConfig } = await import('./load.js');
  const { settingsOf } = await import('./settings.js');
  const config = loadClearConfig(options.config);
  if (options.check === true) {
    settingsOf(config);
    print(options.json ? JSON.stringify({ config: config.file, ok: true }) : `${config.file}: ok`);
    return;
  }
  await serve(config, options);
}

async function serve(config: LoadedClearConfig, options: Options): Promise<void> {
  const { openCentre, settingsOf } = await import('./settings.js');
  const { ClearingServer } = await import('../../policy/clearing/io/server.js');
  const { placeText } = await import('../../policy/stores/io/open.js');
  const { policyClock } = await import('../pdp/clock.js');
  const { createLog } = await import('../pdp/log.js');
  const { operators, tls } = settingsOf(config);
  const clock = policyClock(options.at);
  const log = createLog(config.log);
  const centre = await openCentre(config, clock());
  const server = new ClearingServer({
    ...{
      centre,
      operators,
      clock,
      wallClock: Date.now,
      log,
      skew: config.skew,
      algorithms: config.policy.algorithms,
      limits: limitsOf(config),
    },
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    const { address, port } = await server.listen(config.listen.address, config.listen.port);
    log.info({ address, port, store: placeText(config.store) }, 'listening');
    const host = address.includes(':') ? `[${address}]` : address;
    const url = `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
    print(
      options.json ? JSON.stringify({ listening: 'clearing', address, port, url }) : `listening on ${url}`,
    );
    if (config.policy.files.length === 0 && config.policy.assertions === '')
      log.warn({ file: config.file }, 'no policy assertions: no deposit will be accepted');
    await signalled();
    log.info({ underWay: server.underWay }, 'stopping');
    await server.close();
    log.info({}, 'stopped');
  } finally {
    await centre.close();
  }
}

function limitsOf({ limits }: LoadedClearConfig): Partial<ServerLimits> {
  const { body, connections, headersTimeout, requestTimeout, idleTimeout } = limits;
  const given = Object.entries({ body, connections, headersTimeout, requestTimeout, idleTimeout });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** Until SIGTERM or SIGINT; a second one does not wait for what is under way. */
async function signalled(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      say('bandex: stopped at once');
      process.exit(EXIT.failure);
    });
}
