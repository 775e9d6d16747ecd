import type { ArrivedMessage } from '../exchange/advert.js';
import type { WireObject } from '../wire/index.js';
import type { Core } from './core.js';
import { errorSpec, errorText } from './error-spec.js';
import { thawAll } from './frozen.js';
import type { Parts } from './grammar.js';
import { LOCAL, senderText, sessionObject, sessionText, templateObject } from './identity.js';
import type { SenderName, SessionName } from './identity.js';
import { sendError } from './policy-control.js';

/** PathErr (RFC 2205 3.1.7): upstream, hop by hop, to the sender's application. It changes no state. */

const PATH_ERR = 3;

export interface PathErrorToSend {
  readonly session: SessionName;
  readonly sender: SenderName | undefined;
  readonly tspec: WireObject | undefined;
  readonly adspec: WireObject | undefined;
  readonly to: { readonly hop: string; readonly interface: number };
  readonly code: number;
  readonly value: number;
  /** POLICY_DATA. */
  readonly objects: readonly WireObject[];
  readonly text: string;
}

export function sendPathError(core: Core, now: number, error: PathErrorToSend): void {
  const { session, sender, to, code, value } = error;
  const name = sessionText(session);
  const node = core.addressOf(to.interface, session);
  core.event({
    kind: 'path-error',
    direction: 'sent',
    session: name,
    code,
    value,
    node,
    hop: to.hop,
    interface: to.interface,
    text: `${name}: PathErr to ${to.hop}, ${errorText(code, value)}: ${error.text}`,
  });
  // Sender descriptor copied from the message in error; what could not be read of it is not.
  const descriptor = [
    ...(sender === undefined ? [] : [templateObject(sender)]),
    ...[error.tspec, error.adspec].filter((object) => object !== undefined),
  ];
  sendError(core, now, 'PathErr', {
    interface: to.interface,
    destination: to.hop,
    routerAlert: false,
    ttl: core.options.ttl,
    neighbour: to.hop,
    isReliable: true,
    message: {
      msgType: PATH_ERR,
      objects: [sessionObject(session), errorSpec(node, 0, code, value), ...error.objects, ...descriptor],
    },
  });
}

/** PERR MESSAGE ARRIVES (RFC 2209 2). */
export function pathErrArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { error, sender: name } = parts;
  const session = core.session(parts.session);
  const sender = session === undefined || name === undefined ? undefined : core.findSender(session, name);
  const path = session?.paths.find(
    (known) => known.sender === sender && known.contents !== undefined && !known.isLocalOnly,
  );
  const contents = path?.contents;
  if (session === undefined || sender === undefined || contents === undefined || error === undefined) {
    core.drop(arrived, 'no-state', 'no such path state');
    return;
  }
  const { code, value, node } = error;
  const { hop, incoming } = contents;
  for (const advert of path?.adverts ?? [])
    if (advert.interface === arrived.packet.interface) core.exchange.answered(advert);
  const isOurs = incoming === LOCAL;
  core.event({
    kind: 'path-error',
    direction: isOurs ? 'received' : 'forwarded',
    session: session.text,
    code,
    value,
    node,
    hop,
    interface: incoming,
    text: `${session.text}: PathErr from ${node} for ${senderText(sender)}, ${errorText(code, value)}`,
  });
  if (isOurs) {
    if (session.application === 0) return;
    core.event({
      kind: 'upcall',
      session: session.text,
      application: session.application,
      upcall: {
        type: 'PATH_ERROR',
        code,
        value,
        node,
        isInPlace: false,
        isNotGuilty: false,
        senders: [senderText(sender)],
        flow: undefined,
        policyData: thawAll(parts.policy, core.options.codec),
      },
      text: `${session.text}: ${errorText(code, value)} from ${node}`,
    });
    return;
  }
  const descriptor = [templateObject(sender), parts.tspec, parts.adspec].filter(
    (object) => object !== undefined,
  );
  sendError(core, now, 'PathErr', {
    interface: incoming,
    destination: hop,
    routerAlert: false,
    ttl: core.options.ttl,
    neighbour: hop,
    isReliable: true,
    message: {
      msgType: PATH_ERR,
      objects: [
        sessionObject(session),
        errorSpec(node, error.flags, code, value),
        ...thawAll(parts.policy),
        ...thawAll(parts.extra),
        ...descriptor,
      ],
    },
  });
}
