import { createInterface } from 'node:readline';
import { isForwarding, KernelNetwork } from '../kernel-network.js';

/** Runs in a network namespace: tells what the kernel's network is and each change of it, and answers about addresses. */

function tell(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const network = await KernelNetwork.start({
  settings: (name) => (name === 'unused' ? undefined : { reservable: 1_000, bandwidth: 125_000 }),
  onChange: (change) => tell({ is: 'change', ...change }),
  onTrouble: (text) => tell({ is: 'trouble', text }),
});
tell({ is: 'started', interfaces: network.interfaces, forwards: await isForwarding(4) });

const lines = createInterface({ input: process.stdin });
lines.on('line', (address) => {
  if (address === 'close') void close();
  else tell({ is: 'route', ...network.route(address), ...network.nextHop(address) });
});

async function close(): Promise<void> {
  lines.close();
  process.stdin.destroy();
  await network.close();
}
