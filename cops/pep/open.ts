import { C_NUM, ERROR, INTEGRITY_HMAC, INTEGRITY_TLS, OP, START_TLS } from '../wire/codes.js';
import { fault } from '../wire/fault.js';
import { Integrity, integrityAt, sequenceNumberAt, signWith, verifyDigest } from '../wire/integrity.js';
import type { MessageView } from '../wire/view.js';
import { authenticationRequired, writeStartTls } from '../wire/writer.js';
import type { MessageWriter } from '../wire/writer.js';
import type { PepConnection } from './connection.js';

/*
 * The steps from a connection to an open client-type: TLS and INTEGRITY where the target asks for them, both negotiated
 * for client-type 0 (RFC 4261 5.1, RFC 2748 4.1), then the Client-Open (RFC 2748 4.3).
 */

export function startTls(connection: PepConnection, now: number): void {
  connection.phase = 'startingTls';
  writeStartTls(beginOpen(connection, 0));
  connection.output.end(now);
  allowTime(connection, now);
}

/** Negotiates INTEGRITY where there are keys, otherwise opens at once. */
export function negotiateIntegrity(connection: PepConnection, now: number): void {
  const { keys } = connection.target;
  allowTime(connection, now);
  if (keys === undefined) {
    openClientType(connection, now);
    return;
  }
  if (keys.signing(now) === undefined) {
    connection.giveUp(now, 'no key is valid now');
    return;
  }
  connection.phase = 'signing';
  const number = (connection.sequenceNumber = connection.pep.options.initialSequenceNumber() >>> 0);
  beginOpen(connection, 0).endWith((octets, start, at) => signWith(keys, number, octets, start, at, now));
}

function openClientType(connection: PepConnection, now: number): void {
  const { options, requests, clientType } = connection.pep;
  connection.phase = 'opening';
  const writer = beginOpen(connection, clientType);
  if (options.clientSi !== undefined) writer.object(C_NUM.CLIENT_SI, 2, options.clientSi);
  const { lastPdp } = requests;
  if (lastPdp !== undefined && requests.isCaching)
    writer.address(C_NUM.LAST_PDP_ADDR, lastPdp.address, lastPdp.port);
  connection.output.end(now);
}

/** A checked Client-Accept, for client-type 0 or for ours. */
export function takeAccept(connection: PepConnection, now: number, view: MessageView): void {
  const { keepAlive, pep } = connection;
  keepAlive.accept(view.low(0));
  if (view.clientType === 0) {
    secure(connection, now, view);
    return;
  }
  if (connection.phase === 'open') {
    keepAlive.schedule(now);
    return;
  }
  const accounting = view.find(C_NUM.ACCT_TIMER);
  connection.opened(now);
  pep.opened(now, accounting === -1 ? undefined : view.low(accounting));
}

function secure(connection: PepConnection, now: number, view: MessageView): void {
  const index = view.find(C_NUM.INTEGRITY);
  const cType = index === -1 ? 0 : (view.keys[index] as number) & 0xff;
  if (connection.phase === 'startingTls') {
    if (cType !== INTEGRITY_TLS || (view.low(index) & START_TLS) === 0) {
      // "A PEP requiring the Integrity-TLS object in a Client-Accept message MUST close the connection if the
      // Integrity-TLS object is missing" (RFC 4261 5.1).
      const problem = 'the PDP does not start TLS';
      connection.refuse(now, { ...authenticationRequired(INTEGRITY_TLS), problem }, 0);
      return;
    }
    connection.phase = 'handshake';
    allowTime(connection, now);
    connection.output.effect({ kind: 'startTls', target: connection.target });
  } else if (connection.phase === 'signing') acceptIntegrity(connection, now, view, cType);
  else {
    const problem = 'a Client-Accept for client-type 0 that was not asked for';
    connection.refuse(now, fault(ERROR.badMessageFormat, problem), 0);
  }
}

function acceptIntegrity(connection: PepConnection, now: number, view: MessageView, cType: number): void {
  const { keys } = connection.target;
  const { octets, start, end } = view;
  const at = integrityAt(octets, start, end);
  if (keys === undefined || cType !== INTEGRITY_HMAC || at === undefined) {
    const problem = 'the PDP does not sign';
    connection.refuse(now, { ...authenticationRequired(INTEGRITY_HMAC), problem }, 0);
    return;
  }
  const problem = verifyDigest(keys, octets, start, at, now);
  if (problem !== undefined) {
    connection.refuse(now, problem, 0);
    return;
  }
  connection.output.integrity = new Integrity(keys, {
    sent: sequenceNumberAt(octets, at),
    received: connection.sequenceNumber,
  });
  allowTime(connection, now);
  openClientType(connection, now);
}

function beginOpen(connection: PepConnection, clientType: number): MessageWriter {
  const text = connection.pep.options.pepId;
  const pepId = Buffer.alloc((text.length & ~3) + 4);
  pepId.write(text, 'latin1');
  return connection.output.begin(OP.OPN, clientType).object(C_NUM.PEPID, 1, pepId);
}

function allowTime(connection: PepConnection, now: number): void {
  connection.stepBy = now + connection.pep.limits.openTimeout;
}
