import { C_NUM, ERROR, INTEGRITY_HMAC, INTEGRITY_TLS, OP, START_TLS } from '../wire/codes.js';
import type { Fault } from '../wire/fault.js';
import { Integrity, integrityAt, sequenceNumberAt, signWith, verifyDigest } from '../wire/integrity.js';
import type { KeyRing } from '../wire/integrity.js';
import type { MessageView } from '../wire/view.js';
import { authenticationRequired, readAddress, writeStartTls } from '../wire/writer.js';
import type { MessageWriter, PdpAddress } from '../wire/writer.js';
import { endConnection, refuseConnection } from './close.js';
import type { PdpConnection } from './connection.js';
import { PdpSession } from './session.js';

/**
 * What a PDP does with a Client-Open, and with whatever else comes before one (RFC 2748 4.1, 4.3; RFC 4261 5).
 * `problem` is what `check` found.
 */
export function openConnection(
  connection: PdpConnection,
  now: number,
  view: MessageView,
  problem: Fault | undefined,
): void {
  const required = missingSecurity(connection);
  if (view.opCode !== OP.OPN) {
    beforeOpen(connection, now, view, problem, required);
    return;
  }
  if (problem !== undefined) {
    // An Integrity object of an unknown C-Type is refused as such (RFC 2748 4.1, case 2).
    connection.refused(problem.problem);
    connection.close(now, view.clientType, problem);
    if (connection.sessions.size === 0) endConnection(connection, now, problem.problem);
    return;
  }
  const pepId = readPepId(view);
  if (pepId === undefined || (connection.pepId !== undefined && connection.pepId !== pepId)) {
    const reason =
      pepId === undefined ? 'the PEPID is no printable ASCII (RFC 2748 2.2.11)' : 'the PEPID has changed';
    connection.refused(reason);
    connection.close(now, view.clientType, { errorCode: ERROR.badMessageFormat });
    return;
  }
  if (view.clientType === 0) {
    openSecurity(connection, now, view, pepId);
    return;
  }
  if (required !== 0) {
    refuseConnection(
      connection,
      now,
      'a client-type was opened without security (RFC 2748 4.1)',
      authenticationRequired(required),
    );
    return;
  }
  if (connection.integrity === undefined && view.find(C_NUM.INTEGRITY) !== -1) {
    refuseConnection(connection, now, 'an Integrity object that was not negotiated (RFC 2748 4.1)', {
      errorCode: ERROR.authenticationFailure,
    });
    return;
  }
  openClientType(connection, now, view, pepId);
}

/** C-Type of the Integrity object that the connection still owes; 0 for none. */
function missingSecurity(connection: PdpConnection): number {
  const { options } = connection.pdp;
  if (options.startTls === 'required' && connection.peer.tls === undefined) return INTEGRITY_TLS;
  if (options.integrityRequired === true && connection.integrity === undefined) return INTEGRITY_HMAC;
  return 0;
}

function beforeOpen(
  connection: PdpConnection,
  now: number,
  view: MessageView,
  problem: Fault | undefined,
  required: number,
): void {
  if (required !== 0) {
    refuseConnection(
      connection,
      now,
      'a message before security was negotiated (RFC 2748 4.1)',
      authenticationRequired(required),
    );
    return;
  }
  if (problem === undefined && view.opCode === OP.KA) {
    connection.begin(OP.KA, 0);
    connection.end(now);
    return;
  }
  const error = problem ?? { errorCode: ERROR.unsupportedClientType };
  const reason = problem?.problem ?? `client-type ${view.clientType} is not open`;
  connection.refused(reason);
  connection.close(now, view.clientType, error);
  if (problem !== undefined) endConnection(connection, now, reason);
}

/** Client-type 0: security for the whole connection. */
function openSecurity(connection: PdpConnection, now: number, view: MessageView, pepId: string): void {
  const { options } = connection.pdp;
  if (connection.sessions.size > 0 || connection.integrity !== undefined) {
    // "If the PDP receives a Client-Open with a Client-Type=0 after another Client-Type has already been opened
    // successfully it MUST return a Client-Close message (for Client-Type=0)" (RFC 2748 4.1).
    connection.refused('security is negotiated once, before all else (RFC 2748 4.1)');
    connection.close(now, 0, { errorCode: ERROR.badMessageFormat });
    return;
  }
  const ring = options.keys?.(pepId);
  const index = view.find(C_NUM.INTEGRITY);
  const cType = index === -1 ? 0 : (view.keys[index] as number) & 0xff;
  const canTls = (options.startTls ?? 'none') !== 'none' && connection.peer.tls === undefined;
  const wantsTls = cType === INTEGRITY_TLS && (view.low(index) & START_TLS) !== 0;
  if (canTls && (wantsTls || (cType !== INTEGRITY_HMAC && options.startTls === 'required'))) {
    const writer = beginAccept(connection, 0);
    writeStartTls(writer);
    connection.end(now);
    connection.phase = 'tlsOffered';
    return;
  }
  const required = missingSecurity(connection);
  if (cType === INTEGRITY_HMAC) {
    if (required === INTEGRITY_TLS) {
      refuseConnection(
        connection,
        now,
        'TLS is required (RFC 4261 4.2)',
        authenticationRequired(INTEGRITY_TLS),
      );
    } else acceptIntegrity(connection, now, view, pepId, ring);
    return;
  }
  if (wantsTls) {
    // Another mechanism, if there is one; otherwise we are a PDP to which this object is unknown (RFC 4261 4.2).
    const error =
      options.keys === undefined
        ? { errorCode: ERROR.unknownObject, errorSubCode: (C_NUM.INTEGRITY << 8) | INTEGRITY_TLS }
        : authenticationRequired(INTEGRITY_HMAC);
    refuseConnection(connection, now, 'TLS is not to be had here (RFC 4261 4.2)', error);
    return;
  }
  if (required !== 0) {
    refuseConnection(
      connection,
      now,
      'no Integrity object in the Client-Open (RFC 2748 4.1)',
      authenticationRequired(required),
    );
    return;
  }
  connection.pepId = pepId;
  beginAccept(connection, 0);
  connection.end(now);
}

function acceptIntegrity(
  connection: PdpConnection,
  now: number,
  view: MessageView,
  pepId: string,
  ring: KeyRing | undefined,
): void {
  const at = integrityAt(view.octets, view.start, view.end);
  const problem =
    ring === undefined || at === undefined
      ? { errorCode: ERROR.authenticationFailure, problem: `no key for \`${pepId}\`` }
      : verifyDigest(ring, view.octets, view.start, at, now);
  if (problem !== undefined || ring === undefined || at === undefined) {
    const failure = problem ?? { errorCode: ERROR.authenticationFailure, problem: 'no key' };
    refuseConnection(connection, now, failure.problem, { errorCode: failure.errorCode });
    return;
  }
  connection.pepId = pepId;
  const { initialSequenceNumber } = connection.pdp.options;
  if (initialSequenceNumber === undefined)
    throw new TypeError('options: `keys` need an `initialSequenceNumber`');
  const received = initialSequenceNumber() >>> 0;
  beginAccept(connection, 0).endWith((octets, start, place) => {
    signWith(ring, received, octets, start, place, now);
  });
  connection.integrity = new Integrity(ring, { sent: sequenceNumberAt(view.octets, at), received });
}

/** A TLS record that holds a handshake begins with this octet; a COPS message of version 1 without odd flags never does. */
const TLS_HANDSHAKE = 0x16;

/** The octets after a Client-Accept that has asked for TLS. */
export function receiveHandshake(connection: PdpConnection, now: number, chunk: Uint8Array): void {
  if (chunk.length === 0) return;
  if (chunk[0] === TLS_HANDSHAKE) {
    connection.phase = 'tlsHandshake';
    connection.effect({ kind: 'startTls', connection, head: chunk });
    return;
  }
  // "Upon receiving any message from the PEP before the TLS handshake starts, the PDP MUST issue a Client-Close
  // message with an error code 15= Authentication Required" (RFC 4261 5.2).
  const problem = 'a message where a TLS handshake was due (RFC 4261 5.2)';
  refuseConnection(connection, now, problem, authenticationRequired(INTEGRITY_TLS));
}

function openClientType(connection: PdpConnection, now: number, view: MessageView, pepId: string): void {
  const { pdp, peer } = connection;
  const { options } = pdp;
  const { clientType } = view;
  const refuse = (problem: string, errorCode: number, redirect?: PdpAddress): void => {
    connection.refused(problem);
    connection.close(now, clientType, { errorCode }, redirect);
  };
  const redirect = options.redirect?.(pepId, clientType, peer);
  if (!pdp.clientTypes.includes(clientType)) {
    refuse(`client-type ${clientType} is not supported`, ERROR.unsupportedClientType, redirect);
    return;
  }
  if (options.authorize !== undefined && !options.authorize(pepId, clientType, peer)) {
    refuse(`\`${pepId}\` may not open client-type ${clientType}`, ERROR.authenticationFailure);
    return;
  }
  if (redirect !== undefined) {
    refuse(`\`${pepId}\` belongs to ${redirect.address}`, ERROR.redirect, redirect);
    return;
  }
  connection.pepId = pepId;
  // "Multiple Client-Open messages for the same client-type are allowed (in case of global state changes)" (3.6).
  let session = connection.sessions.get(clientType);
  const isNew = session === undefined;
  const si = view.find(C_NUM.CLIENT_SI);
  const clientSi = si === -1 ? session?.clientSi : view.body(si).slice();
  session ??= new PdpSession(connection, pepId, clientType, clientSi);
  session.clientSi = clientSi;
  connection.sessions.set(clientType, session);
  connection.opened(now);
  beginAccept(connection, clientType);
  connection.end(now);
  const opened = session;
  if (!isNew) {
    pdp.hook(() => options.reopened?.(opened));
    return;
  }
  const last = view.find(C_NUM.LAST_PDP_ADDR);
  const cached = last === -1 ? undefined : readAddress(view, last);
  const isKept = pdp.retention.reclaim(session, cached);
  const { synchronize = 'cached' } = options;
  if (synchronize === 'always' || (cached !== undefined && !(isKept && synchronize === 'missing'))) {
    session.synchronize(now);
  } else {
    for (const state of session.states.values()) if (state.isRevised) session.synchronize(now, state.request);
  }
  pdp.hook(() => options.opened?.(opened));
}

function beginAccept(connection: PdpConnection, clientType: number): MessageWriter {
  const { keepAlive, options } = connection.pdp;
  const writer = connection.begin(OP.CAT, clientType).pair(C_NUM.KA_TIMER, 1, 0, keepAlive);
  if (options.accounting !== undefined && clientType !== 0)
    writer.pair(C_NUM.ACCT_TIMER, 1, 0, options.accounting);
  return writer;
}

/** The text up to its NULL. A missing NULL is forgiven; what is not printable ASCII names nobody. */
function readPepId(view: MessageView): string | undefined {
  const body = view.body(0);
  const zero = body.indexOf(0);
  const text = Buffer.from(body.subarray(0, zero === -1 ? body.length : zero)).toString('latin1');
  return /^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(text) ? text : undefined;
}
