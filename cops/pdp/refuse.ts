import { C_NUM, ERROR, OP, SOLICITED } from '../wire/codes.js';
import type { Fault } from '../wire/fault.js';
import type { Framer } from '../wire/framer.js';
import type { MessageView } from '../wire/view.js';
import { closeConnection, closeSession, endConnection } from './close.js';
import type { PdpConnection } from './connection.js';

/**
 * A malformed message. "Malformed Request messages MUST result in the PDP specifying a Decision message with the
 * appropriate error code" (RFC 2748 3.1). We say it the same way of other messages that name a handle, so that
 * one bad report does not cost a router all its reservations; where no handle can be read, the client-type ends.
 */
export function refuseMessage(
  connection: PdpConnection,
  now: number,
  view: MessageView,
  problem: Fault,
): void {
  const session = connection.sessions.get(view.clientType);
  const isAboutHandle = view.opCode === OP.REQ || view.opCode === OP.RPT || view.opCode === OP.DRQ;
  if (session !== undefined && isAboutHandle && handleIndex(view) !== -1) {
    refuseHandle(connection, now, view, problem);
    return;
  }
  if (session === undefined && isAboutHandle && view.clientType !== 0) {
    refuseUnopened(connection, now, view);
    return;
  }
  connection.refused(problem.problem);
  if (session === undefined) connection.close(now, view.clientType, problem);
  else closeSession(now, session, problem);
  if (connection.sessions.size === 0 || view.clientType === 0)
    endConnection(connection, now, problem.problem);
}

/** Says what is wrong in a Decision for the handle of the message. */
export function refuseHandle(
  connection: PdpConnection,
  now: number,
  view: MessageView,
  problem: Fault,
): void {
  connection.refused(problem.problem);
  const index = handleIndex(view);
  const at = view.at[index] as number;
  connection
    .begin(OP.DEC, view.clientType, view.opCode === OP.REQ ? SOLICITED : 0)
    .copy(view.octets, at, at + ((view.length(index) + 3) & ~3))
    .pair(C_NUM.ERROR, 1, problem.errorCode, problem.errorSubCode);
  connection.end(now);
}

export function refuseUnopened(connection: PdpConnection, now: number, view: MessageView): void {
  // A client-type that was just closed may still have messages under way to us.
  if (view.opCode === OP.CC || view.opCode === OP.SSC) return;
  connection.refused(`client-type ${view.clientType} is not open`);
  connection.close(now, view.clientType, { errorCode: ERROR.unsupportedClientType });
}

/** The boundaries of messages are lost, and with them the connection. */
export function refuseFraming(connection: PdpConnection, now: number, framer: Framer, problem: Fault): void {
  if (connection.phase === 'closed') return;
  connection.refused(problem.problem);
  const { octets, start } = framer;
  const clientType = ((octets[start + 2] as number) << 8) | (octets[start + 3] as number);
  if (!connection.sessions.has(clientType)) connection.close(now, clientType, problem);
  closeConnection(connection, now, problem, problem.problem);
}

/** Index of the first usable handle, also in a message that is otherwise broken; -1 for none. */
function handleIndex(view: MessageView): number {
  for (let i = 0; i < view.count; i++) if (view.keys[i] === ((C_NUM.HANDLE << 8) | 1)) return i;
  return -1;
}
