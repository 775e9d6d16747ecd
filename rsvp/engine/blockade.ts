import type { Core } from './core.js';
import { compareFlows, flowText } from './flow.js';
import type { Flow } from './flow.js';
import { added, without } from './frozen.js';
import { Blockade } from './state.js';
import type { Sender, Session } from './state.js';
import type { StyleName } from './style.js';
import { refreshUpstreams } from './upstream.js';

/** Blockade state (RFC 2205 3.5): a request that has failed upstream does not keep smaller ones from getting through. */

export interface Failure {
  readonly style: StyleName;
  readonly hop: string;
  readonly senders: readonly Sender[];
  /** Qe */
  readonly flow: Flow;
}

/** One element a sender; for WF one a previous hop. */
export function blockade(core: Core, now: number, session: Session, failure: Failure): void {
  const { style, hop, senders, flow } = failure;
  const targets = style === 'WF' ? [undefined] : senders;
  const until = now + core.options.blockadeMultiplier * core.options.refreshPeriod;
  for (const sender of targets) {
    let element = session.blockades.find(
      (known) => known.sender === sender && (sender !== undefined || known.hop === hop),
    );
    if (element === undefined) {
      element = new Blockade(session, hop, sender, flow);
      session.blockades = added(session.blockades, element);
    }
    element.flow = flow;
    element.expiresAt = until;
    core.watch(element);
  }
  core.event({
    kind: 'blockaded',
    session: session.text,
    hop,
    flow,
    until,
    text: `${session.text}: ${flowText(flow)} and more blockaded towards ${hop}`,
  });
  refreshUpstreams(core, now, session, 'error');
}

/** RFC 2209: was the failure strictly more than what this reservation asks for? Then it is not to blame. */
export function isSpared(asked: Flow, failed: Flow): boolean {
  return compareFlows(failed, asked) === 'greater';
}

/** The larger request is tried again. */
export function blockadeExpired(core: Core, now: number, element: Blockade): void {
  const { session } = element;
  session.blockades = without(session.blockades, element);
  refreshUpstreams(core, now, session, 'normal');
}
