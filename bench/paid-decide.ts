import type { ContextDecision, DecisionError, PdpRequest } from '../cops/index.js';
import { readFixture } from '../fixtures/index.js';
import { parseAssertion } from '../policy/keynote/index.js';
import { PaymentPolicy } from '../policy/payment/index.js';
import { Adjudicator } from '../cli/pdp/adjudicate.js';
import { LinkTable } from '../cli/pdp/links.js';

/** The policy server of the paper's story, as `bandex pdp` decides, for the COPS benchmark. */
const policy = new PaymentPolicy({
  policy: [parseAssertion(readFixture('story/policy.kn').toString('latin1'))],
  appDomain: 'Band-X',
  routes: { other: readFixture('story/keys/route.pub').toString('latin1').trim() },
});
const links = new LinkTable([{ name: 'Dublin-NYC', pep: '*', address: '192.0.2.1' }]);
const adjudicator = new Adjudicator((request, now) => policy.decide(request, now), links);
const NOW = Date.UTC(2007, 10, 20, 20);

export function decide(request: PdpRequest): ContextDecision | DecisionError {
  const { decision, reason } = adjudicator.adjudicate(request, NOW);
  if ('errorCode' in decision || decision.command !== 'install') throw new Error(reason);
  return decision;
}
