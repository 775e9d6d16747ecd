import type { Core } from './core.js';
import type { Flow } from './flow.js';
import { NONE, thaw, thawAll } from './frozen.js';
import { LOCAL, senderText } from './identity.js';
import type { Path, Reservation, Sender, Session } from './state.js';
import type { StyleName } from './style.js';

/** Upcalls to the application of a session (RFC 2205 3.11.1). Of errors and confirmations: where they are handled. */

/** RFC 2205 3.1.3: what the application sends itself is not looped back to it. */
export function pathUpcall(core: Core, path: Path, state: 'present' | 'gone'): void {
  const { session, sender, contents } = path;
  if (session.application === 0 || contents === undefined || contents.incoming === LOCAL) return;
  if (!path.outgoing.includes(LOCAL)) return;
  const { bucket, adspec, policy } = contents;
  core.event({
    kind: 'upcall',
    session: session.text,
    application: session.application,
    upcall: {
      type: 'PATH_EVENT',
      sender: senderText(sender),
      tspec: bucket,
      state,
      adspec: adspec === '' ? undefined : thaw(adspec),
      policyData: thawAll(policy, core.options.codec),
    },
    text: `${session.text}: sender ${senderText(sender)} is ${state}, ${bucket.rate} octets/s`,
  });
}

/** To an application that sends: what is reserved for it (RFC 2209 2, UPDATE TRAFFIC CONTROL). */
export function resvUpcall(
  core: Core,
  session: Session,
  style: StyleName,
  flow: Flow | undefined,
  senders: readonly Sender[],
  merged: readonly Reservation[],
): void {
  if (session.application === 0) return;
  const own = session.paths.filter(
    ({ contents, sender }) => contents?.incoming === LOCAL && (style === 'WF' || senders.includes(sender)),
  );
  if (own.length === 0) return;
  const names = own.map(({ sender }) => senderText(sender));
  const rate = flow === undefined ? 'nothing' : `${flow.service} ${flow.rate} octets/s`;
  core.event({
    kind: 'upcall',
    session: session.text,
    application: session.application,
    upcall: {
      type: 'RESV_EVENT',
      style,
      flow,
      senders: names,
      policyData: thawAll(
        merged.flatMap(({ contents }) => contents?.policy ?? NONE),
        core.options.codec,
      ),
    },
    text: `${session.text}: ${rate} reserved for ${names.join(', ')}`,
  });
}
