import { ERROR } from '../wire/codes.js';
import type { DecisionError } from '../wire/decision.js';
import type { PdpAddress } from '../wire/writer.js';
import type { PdpConnection } from './connection.js';
import type { PdpSession } from './session.js';

/*
 * How client-types and connections end (RFC 2748 3.8, 4.7). Request states either end with them or wait for the PEP to
 * come back.
 */

/** Ends one client-type, told by the PDP; its requests wait for the PEP. */
export function closeSession(
  now: number,
  session: PdpSession,
  error: DecisionError,
  redirect?: PdpAddress,
): void {
  session.connection.close(now, session.clientType, error, redirect);
  endSession(now, session, error, 'pdp', true);
}

/** The PEP has closed a client-type. */
export function sessionClosed(now: number, session: PdpSession, error: DecisionError): void {
  // A PEP that lost us comes back and says what it still holds; one that closes for another reason has let go.
  endSession(now, session, error, 'pep', error.errorCode === ERROR.communicationFailure);
}

function endSession(
  now: number,
  session: PdpSession,
  error: DecisionError,
  by: 'pep' | 'pdp',
  isKept: boolean,
): void {
  const { connection } = session;
  const { pdp, sessions } = connection;
  sessions.delete(session.clientType);
  connection.handles -= session.states.size;
  if (sessions.size === 0) connection.deadlines.openBy = now + pdp.limits.openTimeout;
  if (isKept) pdp.retention.keep(now, session);
  else pdp.retention.end(session, { kind: 'closed', errorCode: error.errorCode });
  pdp.hook(() => pdp.options.closed?.(session, error, by));
}

/** Client-Close for client-type 0, and the end of the connection (RFC 2748 4.1). */
export function refuseConnection(
  connection: PdpConnection,
  now: number,
  problem: string,
  error: DecisionError,
): void {
  connection.refused(problem);
  connection.close(now, 0, error);
  endConnection(connection, now, problem);
}

/** Ends the connection, saying why for each client-type. */
export function closeConnection(
  connection: PdpConnection,
  now: number,
  error: DecisionError,
  reason: string,
): void {
  for (const { clientType } of connection.sessions.values()) connection.close(now, clientType, error);
  endConnection(connection, now, reason);
}

/** Ends the connection after what is to be sent. */
export function endConnection(connection: PdpConnection, now: number, reason: string): void {
  lose(connection, now, reason);
  connection.effect({ kind: 'close', connection, reason });
}

/** Cuts the connection without a word: nobody would hear it. */
export function drop(connection: PdpConnection, now: number, reason: string): void {
  connection.refused(reason);
  lose(connection, now, reason);
  connection.effect({ kind: 'drop', connection, reason });
}

/** The connection is over. */
export function lose(connection: PdpConnection, now: number, reason: string): void {
  if (connection.phase === 'closed') return;
  const { pdp, sessions } = connection;
  connection.phase = 'closed';
  connection.deadlines.clear();
  for (const session of sessions.values()) {
    pdp.retention.keep(now, session);
    pdp.hook(() => pdp.options.lost?.(session, reason));
  }
  sessions.clear();
  pdp.forget(connection);
}
