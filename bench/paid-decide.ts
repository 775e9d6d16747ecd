import type { Decision, PdpRequest } from '../cops/index.js';
import { readFixture } from '../fixtures/index.js';
import { parseAssertion } from '../policy/keynote/index.js';
import { Cashier, PaymentPolicy } from '../policy/payment/index.js';
import { StoredBooks } from '../policy/stores/io/books.js';
import { Adjudicator } from '../cli/pdp/adjudicate.js';
import type { Adjudication } from '../cli/pdp/adjudicate.js';
import { LinkTable } from '../cli/pdp/links.js';

/** The policy server of the paper's story, as `bandex pdp` decides, with its books in memory, for the COPS benchmark. */
const policy = new PaymentPolicy({
  policy: [parseAssertion(readFixture('story/policy.kn').toString('latin1'))],
  appDomain: 'Band-X',
  routes: { other: readFixture('story/keys/route.pub').toString('latin1').trim() },
});
let ids = 0;
const cashier = new Cashier({
  policy,
  books: await StoredBooks.open(':memory:', { instance: 'bench' }),
  newId: () => String(++ids),
  holdTimeout: 3_600_000,
  removed: () => undefined,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds).unref()),
  failed: (error) => {
    throw error;
  },
});
const links = new LinkTable([{ name: 'Dublin-NYC', pep: '*', address: '192.0.2.1' }]);
const adjudicator = new Adjudicator((request, now) => cashier.decide(request, now), links);
const NOW = Date.UTC(2007, 10, 20, 20);

export function decide(request: PdpRequest): Decision | Promise<Decision> {
  const adjudication = adjudicator.adjudicate(request, NOW);
  return 'then' in adjudication ? adjudication.then(installed) : installed(adjudication);
}

function installed({ decision, reason }: Adjudication): Decision {
  if ('errorCode' in decision || decision.command !== 'install') throw new Error(reason);
  return decision;
}
