import { Command } from 'commander';
import { painter, print, say } from '../terminal.js';
import { Lab } from './lab.js';
import { inspection, tableOf } from './inspect.js';
import { readState } from './state.js';
import { loadTopology } from './topology.js';

export function upCommand(): Command {
  return new Command('up')
    .description('Build a lab from a file and keep it until interrupted; then remove all of it.')
    .argument('<file>', 'topology, YAML')
    .option('--json', 'events as JSON, one object a line')
    .addHelpText(
      'after',
      `
Ends at Ctrl-C or SIGTERM. Should it be killed, the kernel removes the namespaces, and the next \`up\` or \`down\` what ran in them.
What the nodes' own commands print is shown with the name of the node.

Examples:
  bandex lab up line.yaml
  bandex lab up line.yaml --json | jq -c 'select(.event == "ended")'
  bandex lab exec r1 -- ip route                 (in another terminal)`,
    )
    .action(up);
}

async function up(file: string, { json }: { readonly json?: true }): Promise<void> {
  const isJson = json === true;
  const loaded = loadTopology(file);
  // Asked to end while it is built: it is built, and removed.
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const lab = await Lab.up(loaded, { path: loaded.path, file: loaded.path(file), progress: say });
  try {
    show(lab, isJson);
    const state = readState(loaded.name);
    if (isJson) print(JSON.stringify({ event: 'up', ...(state === undefined ? {} : inspection(state)) }));
    else {
      if (state !== undefined) for (const line of tableOf(state)) print(line);
      say(`lab \`${loaded.name}\` is up; Ctrl-C removes it`);
    }
    // Without a timer nothing would keep us: the holders' pipes do.
    await interrupted;
    say('removing it');
  } finally {
    await lab.down();
  }
  if (isJson) print(JSON.stringify({ event: 'down', name: loaded.name }));
}

/** What services print, and that they end. */
function show(lab: Lab, isJson: boolean): void {
  const paint = painter(process.stderr);
  for (const { node, process: service } of lab.services) {
    const pass = (stream: 'out' | 'err') => (text: string) => {
      for (const line of text.split('\n').filter((each) => each !== '')) {
        if (isJson) print(JSON.stringify({ event: stream, node, line }));
        else say(`${paint('cyan', node)}  ${line}`);
      }
    };
    pass('out')(service.out);
    pass('err')(service.err);
    service.child.stdout?.on('data', pass('out'));
    service.child.stderr?.on('data', pass('err'));
    void service.ended.then(({ code, signal }) => {
      const command = service.argv.join(' ');
      if (isJson) print(JSON.stringify({ event: 'ended', node, command, code, signal }));
      else say(`${paint('cyan', node)}  \`${command}\` ended with ${code ?? signal ?? ''}`);
    });
  }
}
