import { COPS, type CopsMessage } from '../../cops/wire/message.js';
import { timestampText, type Timestamp } from '../../rsvp/capture/index.js';
import { field, type RsvpMessage } from '../../rsvp/wire/index.js';
import { copsBrief, rsvpBrief } from './brief.js';
import { RSVP_CODEC } from './codec.js';
import { rsvpInside } from './contents.js';
import type { Decoded } from './message.js';
import { ObjectForms } from './object-forms.js';
import type { Output } from './output.js';

/** Writes a message, its last line end included; `file` is named where there are several. */
export type Renderer = (decoded: Decoded, out: Output, file: string | undefined) => void;

/** One line a message. */
export function renderLine({ packet, rsvp, cops, faults }: Decoded, out: Output, file?: string): void {
  let line = file === undefined ? '' : `${file}:`;
  line += `${String(packet.frame).padStart(5)}  ${timeText(packet.time)}`;
  if (packet.src !== '') line += `  ${packet.src} > ${packet.dst}`;
  if (rsvp !== undefined) line += `  ${rsvpBrief(rsvp)}`;
  else if (cops !== undefined) line += `  ${copsBrief(cops)}`;
  for (const { code, message } of faults) line += `  [${code}: ${message}]`;
  out.text(`${line}\n`);
}

/** The whole tree, and an empty line behind it. */
export function renderTree({ packet, rsvp, cops, faults }: Decoded, out: Output, file?: string): void {
  const { frame, frames, src, dst, srcPort, dstPort, protocol, ttl, routerAlert } = packet;
  let text = file === undefined ? `Frame ${frame}` : `${file}: frame ${frame}`;
  if (frames.length > 1) text += ` (in ${frames.length} parts: ${rangesText(frames)})`;
  if (packet.time !== undefined) text += `, ${timeText(packet.time)}`;
  if (src !== '') {
    text += `, ${withPort(src, srcPort)} > ${withPort(dst, dstPort)}, protocol ${PROTOCOL_NAMES[protocol] ?? protocol}`;
    text += `, TTL ${ttl}`;
  }
  if (routerAlert !== undefined) text += `, Router Alert ${routerAlert}`;
  for (const { code, message, where } of faults) text += `\n  [${code}] ${where}: ${message}`;
  text += '\n';
  if (rsvp !== undefined && isPlain(rsvp, faults)) {
    out.text(text + RSVP_CODEC.text({ ...rsvp, objects: [] }, '  '));
    objectTexts.write(rsvp, packet.payload, out);
    out.text('\n');
    return;
  }
  if (rsvp !== undefined) text += RSVP_CODEC.text(rsvp, '  ');
  if (cops !== undefined) text += copsText(cops);
  out.text(`${text}\n`);
}

/** One JSON object. `time` is the exact decimal of the capture: seconds since 1970. */
export function renderJson({ packet, rsvp, cops, faults }: Decoded, out: Output, file?: string): void {
  const { frame, frames, src, dst, srcPort, dstPort, protocol, ttl, routerAlert } = packet;
  const time = packet.time === undefined ? 'null' : timestampText(packet.time);
  let json = file === undefined ? `{"frame":${frame}` : `{"file":${JSON.stringify(file)},"frame":${frame}`;
  if (frames.length > 1) json += `,"frames":[${frames.join(',')}]`;
  json += `,"time":${time}`;
  json +=
    src === ''
      ? ',"src":null,"dst":null'
      : `,"src":"${src}","dst":"${dst}","protocol":${protocol},"ttl":${ttl}`;
  if (srcPort !== undefined) json += `,"srcPort":${srcPort},"dstPort":${dstPort ?? 0}`;
  if (routerAlert !== undefined) json += `,"routerAlert":${routerAlert}`;
  if (rsvp !== undefined && isPlain(rsvp, faults)) {
    const empty = JSON.stringify(RSVP_CODEC.toJson({ ...rsvp, objects: [] }));
    out.text(`${json},"rsvp":${empty.slice(0, -OBJECTS_END.length)}`);
    objectJsons.write(rsvp, packet.payload, out);
    out.text(`${OBJECTS_END}}\n`);
    return;
  }
  if (rsvp !== undefined) json += `,"rsvp":${JSON.stringify(RSVP_CODEC.toJson(rsvp))}`;
  if (cops !== undefined) json += `,"cops":${JSON.stringify(copsJson(cops))}`;
  if (faults.length > 0) json += `,"faults":${JSON.stringify(faults)}`;
  out.text(`${json}}\n`);
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP', 46: 'RSVP' };

const objectTexts = new ObjectForms((object) => RSVP_CODEC.objects.text(object, '    '), '');
const objectJsons = new ObjectForms((object) => JSON.stringify(RSVP_CODEC.objects.toJson(object)), ',');

/** How the JSON of a message ends whose objects are all that there is. */
const OBJECTS_END = ']}';

/** Its objects lie one behind the other and are all that there is: they can be written each by itself. */
function isPlain({ messages, trailing }: RsvpMessage, faults: Decoded['faults']): boolean {
  return faults.length === 0 && messages === undefined && trailing === undefined;
}

/** COPS as its codec writes it; the data of client type 1 as the RSVP objects that it is (RFC 2749 2.3). */
function copsJson(message: CopsMessage): Record<string, unknown> {
  const json = COPS.toJson(message);
  const objects = json['objects'] as Record<string, unknown>[];
  message.objects.forEach((object, i) => {
    const inside = rsvpInside(message, object);
    const form = objects[i];
    if (inside === undefined || form === undefined) return;
    delete form['data'];
    form['objects'] = inside.map((each) => RSVP_CODEC.objects.toJson(each));
  });
  return json;
}

/** The same for people; with the policy elements that the commands know and `cops/` does not. */
function copsText({ trailing, ...message }: CopsMessage): string {
  const indent = '    ';
  let text = COPS.text({ ...message, objects: [] }, '  ');
  for (const object of message.objects) {
    const inside = rsvpInside(message, object);
    if (inside === undefined) text += COPS.objects.text(object, indent);
    else {
      text += `${indent}${COPS.objects.text(object, '').split('\n', 1)[0] ?? ''}\n`;
      for (const each of inside) text += RSVP_CODEC.objects.text(each, `${indent}  `);
    }
  }
  return trailing === undefined ? text : `${text}${indent}not decoded: ${field.octetsForm.text(trailing)}\n`;
}

/** Frames in a row as `3-7`. */
function rangesText(frames: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const frame of [...frames].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && frame <= last[1] + 1) last[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function withPort(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The last whole second's text: most packets share theirs with the one before. */
let second = { seconds: -1, text: '' };
const LATEST = 253_402_300_799;

/** ISO 8601 in UTC, with all the digits of the capture; the bare seconds beyond the year 9999. */
function timeText(time: Timestamp | undefined): string {
  if (time === undefined) return '-';
  const { seconds } = time;
  const exact = timestampText(time);
  if (seconds < 0 || seconds > LATEST) return exact;
  if (second.seconds !== seconds)
    second = { seconds, text: new Date(seconds * 1000).toISOString().slice(0, 19) };
  return `${second.text}${exact.slice(exact.indexOf('.'))}Z`;
}
