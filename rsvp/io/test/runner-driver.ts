import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../../engine/engine.js';
import type { TrafficReservation } from '../../engine/traffic.js';
import { EngineRunner, KernelNetwork, RawTransport } from '../index.js';

/**
 * An RSVP node in a network namespace, with everything real but traffic control, which is recorded: it fails where the rate is
 * odd. `router` or `host` is the first line; then orders, a line of JSON each.
 */
export type NodeOrder =
  | { readonly do: 'start'; readonly isHost: boolean }
  | { readonly do: 'sender'; readonly destination: string; readonly address: string; readonly rate: number }
  | { readonly do: 'reserve'; readonly destination: string; readonly address: string; readonly rate: number }
  | { readonly do: 'close'; readonly tears: boolean };

const [protocol, port] = [17, 5004];

let runner: EngineRunner<Engine> | undefined;
let network: KernelNetwork | undefined;
let application = 0;

function tell(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function start(isHost: boolean): Promise<void> {
  network = await KernelNetwork.start({
    settings: () => ({ reservable: 1e6, bandwidth: 1e7 }),
    onChange: () => runner?.networkChanged(network?.interfaces ?? []),
  });
  const traffic = {
    reserve(reservation: TrafficReservation): Promise<void> {
      const { id, interface: at, rate } = reservation;
      if (rate % 2 === 1) return Promise.reject(new Error('the rate is odd'));
      tell({ is: 'reserve', id, interface: at, rate });
      return Promise.resolve();
    },
    release(id: number, at: number): Promise<void> {
      tell({ is: 'release', id, interface: at });
      return Promise.resolve();
    },
  };
  runner = new EngineRunner({
    engine: new Engine({
      routing: network,
      interfaces: network.interfaces,
      random: Math.random,
      isHost,
      repairDelay: 100,
      policy: ['Resv'],
    }),
    transports: [new RawTransport({ intercepts: !isHost })],
    traffic,
    policy: {
      // Later, and not at once: as a policy server would.
      ask: async (question) => {
        await sleep(5);
        tell({ is: 'asked', question: question.id });
        return { granted: true };
      },
      report: (question, success) => tell({ is: 'report', question, success }),
      forget: (question, reason) => tell({ is: 'forget', question, reason }),
    },
    onEvent: (event) => tell({ is: event.kind === 'upcall' ? event.upcall.type : 'event', event }),
    onTrouble: (trouble) =>
      tell({ is: 'trouble', text: trouble instanceof Error ? trouble.message : trouble }),
  });
  runner.start();
  tell({ is: 'started' });
}

function registered(destination: string): void {
  runner?.call((engine, now) => {
    const session = engine.session(now, { destination, protocol, port });
    application = session.application;
    return session.effects;
  });
}

async function obey(order: NodeOrder): Promise<void> {
  switch (order.do) {
    case 'start':
      await start(order.isHost);
      return;
    case 'sender': {
      const { address, destination, rate } = order;
      registered(destination);
      runner?.call((engine, now) =>
        engine.sender(now, application, { address, port: 6000, tspec: bucket(rate) }),
      );
      return;
    }
    case 'reserve': {
      const { address, destination, rate } = order;
      if (application === 0) registered(destination);
      const flow = { service: 'controlled-load', reservedRate: 0, slack: 0, ...bucket(rate) } as const;
      const flows = [{ flow, senders: [{ address, port: 6000 }] }];
      runner?.call((engine, now) => engine.reserve(now, application, { style: 'FF', flows }));
      return;
    }
    case 'close':
      await runner?.close(order);
      await network?.close();
      lines.close();
      process.stdin.destroy();
  }
}

function bucket(rate: number) {
  return { rate, bucket: 5_000, peak: rate, minimumPolicedUnit: 64, maximumPacketSize: 1_500 };
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  obey(JSON.parse(line) as NodeOrder).catch((error: unknown) =>
    tell({ is: 'error', message: String(error) }),
  );
});
