import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEachEngine } from '../../stores/test/engines.js';
import type { ClearingCentre, DepositAnswer, DepositRequest, DepositSource } from '../index.js';
import {
  ClearingClient,
  ClearingRefused,
  ClearingServer,
  ClearingUnavailable,
  depositAll,
} from '../io/index.js';
import { KEYS, known, NOW, openCentre, payment, requestOf } from './centre.js';
import type { Opened } from './centre.js';

/** What a test has opened: closed after it, also where it fails, so that nothing keeps the process. */
const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function opened(where: string): Promise<Opened> {
  const made = await openCentre(where);
  cleanUp.push(() => made.centre.close());
  return made;
}

async function served(centre: ClearingCentre): Promise<{ server: ClearingServer; port: number }> {
  const server = new ClearingServer({ centre, clock: () => NOW });
  cleanUp.push(() => server.close());
  return { server, port: (await server.listen('127.0.0.1', 0)).port };
}

function clientOf(port: number, person: keyof typeof KEYS): ClearingClient {
  const client = new ClearingClient({ url: `http://127.0.0.1:${port}`, key: KEYS[person], clock: () => NOW });
  cleanUp.push(() => client.close());
  return client;
}

describe('Many at once', () => {
  onEachEngine(({ name, place }) => {
    it('of 200 deposits with one nonce, over two servers on one database, exactly one is accepted', async () => {
      const where = await place();
      const centres = [await opened(where), await opened(where)];
      const clients: ClearingClient[] = [];
      for (const { centre } of centres) clients.push(clientOf((await served(centre)).port, 'nick'));
      const rivals = Array.from({ length: 200 }, (_, i) =>
        requestOf(payment({ nonce: 'one', deposit: { id: `${i}`, reservation: `reservation ${i % 100}` } })),
      );
      const answers = (await Promise.all(rivals.map((rival, i) => clients[i % 2]!.deposit(rival)))).flat();
      const count = (of: DepositAnswer['answer']): number =>
        answers.filter(({ answer }) => answer === of).length;
      // Each reservation is handed in twice, so the one that won has a duplicate.
      assert.deepEqual([count('accepted'), count('duplicate'), count('double-spent')], [1, 1, 198]);
      const report = await centres[0]!.centre.audit();
      assert.deepEqual([report.problems, report.deposits, report.entries], [[], 1, 2]);
    }).timeout(name === 'sqlite' ? 20_000 : 30_000);

    it('deposits of different nonces from two stores are all accepted, and their entries have no gap', async () => {
      const where = await place();
      const both = [await opened(where), await opened(where)];
      const all = await Promise.all(
        Array.from({ length: 40 }, (_, i) => {
          const { centre } = both[i % 2]!;
          return centre.deposit(known(centre, 'nick'), requestOf(payment({ nonce: `n${i}` })), NOW);
        }),
      );
      assert.ok(all.flat().every(({ answer }) => answer === 'accepted'));
      const settled = await Promise.all(both.map(({ centre }) => centre.settle(NOW)));
      assert.deepEqual(
        settled.flat().map(({ amount }) => amount),
        ['17.60'],
      );
      const report = await both[0]!.centre.audit();
      assert.deepEqual([report.problems, report.deposits, report.entries], [[], 40, 82]);
    });
  });
});

/** A PDP's books in memory. */
class Books implements DepositSource {
  readonly answers = new Map<string, DepositAnswer>();

  constructor(private readonly requests: readonly ReturnType<typeof payment>[]) {}

  next(limit: number): Promise<DepositRequest> {
    const open = this.requests.filter(({ deposit }) => !this.answers.has(deposit.id));
    return Promise.resolve(requestOf(...open.slice(0, limit)));
  }

  record(answers: readonly DepositAnswer[]): Promise<void> {
    for (const answer of answers) this.answers.set(answer.id, answer);
    return Promise.resolve();
  }
}

describe('The loop that deposits', () => {
  const payments = Array.from({ length: 7 }, (_, i) => payment({ nonce: `n${i}` }));

  it('hands in everything in batches, and again what had no answer', async () => {
    const { centre } = await opened(':memory:');
    const books = new Books(payments);
    let asked = 0;
    const flaky = {
      deposit: async (request: DepositRequest) => {
        const answers = await centre.deposit(known(centre, 'nick'), request, NOW);
        if (++asked % 2 === 1) throw new ClearingUnavailable('the answer was lost');
        return answers;
      },
    };
    const progress: number[] = [];
    const counts = await depositAll(books, flaky, { batch: 3, progress: (sent) => progress.push(sent) });
    assert.deepEqual(counts, { accepted: 0, duplicate: 7, 'double-spent': 0, refused: 0 });
    assert.deepEqual(progress, [3, 6, 7]);
    assert.equal(asked, 6);
    assert.equal((await centre.audit()).deposits, 7);
  });

  it('ends with an error at once where the clearing centre will not listen, and records nothing', async () => {
    const { centre } = await opened(':memory:');
    const { port } = await served(centre);
    const client = clientOf(port, 'alice');
    const books = new Books(payments);
    await assert.rejects(
      depositAll(books, client),
      (error) => error instanceof ClearingRefused && error.status === 403,
    );
    assert.equal(books.answers.size, 0);
  });

  it('gives up after its patience where nobody answers', async () => {
    const client = clientOf(1, 'nick');
    await assert.rejects(depositAll(new Books(payments), client, { patience: 300 }), ClearingUnavailable);
  });

  it('refuses answers to something else', async () => {
    const liar = { deposit: () => Promise.resolve([]) };
    await assert.rejects(depositAll(new Books(payments), liar), /did not answer what it was asked/);
  });
});

describe('A server that ends', () => {
  it('answers what is under way before', async () => {
    const { centre } = await opened(':memory:');
    const { server, port } = await served(centre);
    const client = clientOf(port, 'nick');
    await client.accounts();
    const many = requestOf(...Array.from({ length: 60 }, (_, i) => payment({ nonce: `n${i}` })));
    const answer = client.deposit(many);
    while (
      (await Promise.race([answer, new Promise((resolve) => setImmediate(resolve, 'waiting'))])) === 'waiting'
    )
      if (server.underWay > 0) break;
    await server.close();
    assert.ok((await answer).every((one) => one.answer === 'accepted'));
    assert.equal((await centre.audit()).deposits, 60);
    await assert.rejects(client.accounts(), ClearingUnavailable);
  });
});

describe('A server with as many connections as it takes', () => {
  it('drops the next one, and takes one again when another has ended', async () => {
    const { centre } = await opened(':memory:');
    const server = new ClearingServer({ centre, limits: { connections: 2 } });
    cleanUp.push(() => server.close());
    const { port } = await server.listen('127.0.0.1', 0);
    const open = async (): Promise<{ socket: Socket; isKept: boolean }> => {
      const socket = connect({ host: '127.0.0.1', port });
      cleanUp.push(() => void socket.destroy());
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      const gone = once(socket, 'close').then(() => false);
      return { socket, isKept: await Promise.race([gone, sleep(150).then(() => true)]) };
    };
    const [first, second, third] = [await open(), await open(), await open()];
    assert.deepEqual([first.isKept, second.isKept, third.isKept], [true, true, false]);
    first.socket.destroy();
    await sleep(50);
    assert.equal((await open()).isKept, true);
  });
});
