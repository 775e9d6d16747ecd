import { fromHex } from '../../rsvp/wire/octets.js';
import { C_NUM, OP } from '../wire/codes.js';
import { writeDecisions } from '../wire/decision.js';
import { MessageWriter } from '../wire/writer.js';
import type { PepRequest } from './options.js';
import type { PepOutput } from './output.js';
import type { PendingReport, PepState } from './states.js';

/** Writes a REQ. `withDecision`: says what is in force for it, in LPDP decisions (RFC 2749 3.5). */
export function writeRequest(output: PepOutput, now: number, state: PepState, withDecision: boolean): void {
  const writer = output.begin(OP.REQ).copy(state.body, 0, state.body.length);
  if (withDecision && state.decisions !== undefined) {
    writeDecisions(writer, state.decisions, state.request, C_NUM.LPDP_DECISION);
  }
  output.end(now);
}

export function writeReport(
  output: PepOutput,
  now: number,
  handle: string,
  report: Omit<PendingReport, 'solicited'>,
  flags: number,
): void {
  const writer = output
    .begin(OP.RPT, output.clientType, flags)
    .object(C_NUM.HANDLE, 1, handleOctets(handle))
    .pair(C_NUM.REPORT_TYPE, 1, report.type, 0);
  if (report.clientSi !== undefined) writer.object(C_NUM.CLIENT_SI, 1, report.clientSi);
  output.end(now);
}

export function writeDelete(
  output: PepOutput,
  now: number,
  handle: string,
  reasonCode: number,
  reasonSubCode: number,
): void {
  output
    .begin(OP.DRQ)
    .object(C_NUM.HANDLE, 1, handleOctets(handle))
    .pair(C_NUM.REASON, 1, reasonCode, reasonSubCode);
  output.end(now);
}

/** SSC, for one handle or for all (RFC 2748 3.10). */
export function writeSynchronized(output: PepOutput, now: number, handle: string | undefined): void {
  const writer = output.begin(OP.SSC);
  if (handle !== undefined) writer.object(C_NUM.HANDLE, 1, handleOctets(handle));
  output.end(now);
}

/** The objects of a REQ up to its LPDP decisions; throws `TypeError` and `RangeError` for a caller's mistake. */
export function encodeBody(handle: string, request: PepRequest): Uint8Array {
  const writer = new MessageWriter(256);
  writer.object(C_NUM.HANDLE, 1, handleOctets(handle)).pair(C_NUM.CONTEXT, 1, request.rType, request.mType);
  const { inInterface, outInterface } = request;
  if (inInterface !== undefined) writer.address(C_NUM.IN_INT, inInterface.address, inInterface.ifindex);
  if (outInterface !== undefined) writer.address(C_NUM.OUT_INT, outInterface.address, outInterface.ifindex);
  for (const { kind, data } of request.clientSi ?? [])
    writer.object(C_NUM.CLIENT_SI, kind === 'named' ? 2 : 1, data);
  return writer.take();
}

function handleOctets(handle: string): Uint8Array {
  const octets = fromHex(handle);
  if (octets === undefined || octets.length === 0)
    throw new TypeError(`handle: \`${handle}\` is not octets in hex`);
  return octets;
}
