import type { ArrivedMessage } from '../exchange/advert.js';
import type { Core } from './core.js';
import type { EndCause } from './event.js';
import { NONE, without } from './frozen.js';
import type { Frozen } from './frozen.js';
import type { Parts } from './grammar.js';
import { senderText } from './identity.js';
import { findPath } from './path.js';
import { pathTearMessage } from './path-message.js';
import { forgetQuestion } from './policy-control.js';
import { withdrawSender } from './resv-change.js';
import { forgetAdvert } from './route.js';
import type { Path } from './state.js';
import { updateSession } from './traffic-control.js';
import { pathUpcall } from './upcall.js';

/** PTEAR MESSAGE ARRIVES (RFC 2209 2, RFC 2205 3.1.5). */
export function pathTearArrives(core: Core, now: number, arrived: ArrivedMessage, parts: Parts): void {
  const { session, sender, hop } = parts;
  const { packet } = arrived;
  const path = sender === undefined ? undefined : findPath(core, session, sender, packet.interface);
  if (path === undefined || hop === undefined) {
    core.drop(arrived, 'no-state', 'no such path state');
    return;
  }
  // It must be of the hop whose state it is: another's, after a route change, must not end what the present hop keeps up.
  const known = path.contents;
  if (known !== undefined && (known.hop !== hop.address || known.handle !== hop.handle)) {
    core.drop(arrived, 'no-state', `the path state is from ${known.hop}`, path.session);
    return;
  }
  if (core.exchange.order(arrived, path) === 'stale') {
    core.drop(arrived, 'stale', 'overtaken by a later one (RFC 2961 4.5)', path.session);
    return;
  }
  removePath(core, now, path, 'tear', parts.extra);
}

/**
 * Path state ends, here and downstream, and what is reserved for it (RFC 2205 3.1.5). `extra`: objects of unknown classes in the
 * PathTear that ends it.
 */
export function removePath(
  core: Core,
  now: number,
  path: Path,
  cause: EndCause,
  extra: readonly Frozen[] = NONE,
): void {
  const { session, sender, contents } = path;
  if (!session.paths.includes(path)) return;
  tearDownstream(core, now, path, extra);
  session.paths = without(session.paths, path);
  core.timers.delete(path);
  core.exchange.unbind(path);
  if (path.policy !== undefined) forgetQuestion(core, path.policy, cause);
  if (contents !== undefined) {
    const silence = path.lifetime === 0 ? 0 : now - (path.expiresAt - path.lifetime);
    const from = contents.hop === '' ? 'an application' : contents.hop;
    core.event({
      kind: 'path-gone',
      session: session.text,
      sender: senderText(sender),
      hop: contents.hop,
      cause,
      silence,
      text: `${session.text}: path of ${senderText(sender)} from ${from} is gone: ${cause}${
        cause === 'timeout' ? `, not refreshed for ${Math.round(silence / 100) / 10} s` : ''
      }`,
    });
    pathUpcall(core, path, 'gone');
    withdrawSender(core, now, path, cause);
    // "Should not trigger an immediate Resv refresh": upstream has been told by what told us.
    updateSession(core, now, session, 'quiet');
  }
  core.tidy(session);
}

function tearDownstream(core: Core, now: number, path: Path, extra: readonly Frozen[]): void {
  for (const advert of path.adverts) {
    const { source, destination, routerAlert, ttl, interface: index } = advert;
    forgetAdvert(core, advert);
    core.send(now, {
      interface: index,
      source,
      destination,
      routerAlert,
      ttl,
      message: pathTearMessage(path, index, extra),
      isReliable: true,
    });
  }
  path.adverts = NONE;
}
