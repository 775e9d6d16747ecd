import { performance } from 'node:perf_hooks';
import { readFixture } from '../fixtures/index.js';
import { PolicyData, RSVP } from '../rsvp/wire/index.js';
import type { RsvpMessage } from '../rsvp/wire/index.js';

/**
 * The RSVP codec on one thread: the Path and Resv of the KOM captures, and the Resv with a POLICY_DATA of seven
 * credentials' size. Prints messages a second and microseconds a message; the median of several rounds.
 */
export function main(): void {
  console.log('RSVP codec, one thread                        messages/s   µs/message');
  for (const [name, octets] of messages()) {
    const decoded = RSVP.decode(octets);
    report(`${name}: decode to objects`, () => RSVP.decode(octets));
    report(`${name}: encode`, () => RSVP.encode(decoded));
    report(`${name}: text (-v)`, () => flat(RSVP.text(decoded)));
    report(`${name}: JSON text`, () => JSON.stringify(RSVP.toJson(decoded)));
  }
}

function messages(): [string, Uint8Array][] {
  const file = readFixture('captures/kom-ff-2node.pcap');
  const find = (type: number): Uint8Array => {
    for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
      const ip = at + 16 + 14;
      const rsvp = ip + ((file[ip] ?? 0) & 15) * 4;
      if (file[ip + 9] === 46 && file[rsvp + 1] === type) {
        return Uint8Array.from(file.subarray(rsvp, rsvp + file.readUInt16BE(rsvp + 6)));
      }
    }
    throw new Error(`no message of type ${type} in the capture`);
  };
  const path = find(1);
  const resv = find(2);
  return [
    ['Path', path],
    ['Resv', resv],
    ['Resv with POLICY_DATA', withPolicy(RSVP.decode(resv))],
  ];
}

/** An identity, and seven kilobytes in a private policy element. */
function withPolicy(message: RsvpMessage): Uint8Array {
  const element = { element: 'unknown(57344)', pType: 57344, length: 0, body: new Uint8Array(7000) };
  const objects = [...message.objects, PolicyData.make({ elements: [element] })];
  return RSVP.encode({ ...message, objects });
}

const ROUNDS = 7;

function report(name: string, run: () => unknown): void {
  const times: number[] = [];
  let count = 64;
  for (let round = -2; round < ROUNDS;) {
    const start = performance.now();
    for (let i = 0; i < count; i++) sink = run();
    const spent = performance.now() - start;
    if (spent < 100) count *= 2;
    else {
      if (round >= 0) times.push((spent * 1000) / count);
      round++;
    }
  }
  const median = times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  console.log(
    `${name.padEnd(44)} ${Math.round(1e6 / median)
      .toLocaleString('en')
      .padStart(12)} ${median.toFixed(3).padStart(10)}`,
  );
}

/** Keeps results alive, so that no work is optimised away. */
let sink: unknown;
export const kept = (): unknown => sink;

/** V8 joins strings lazily; what is printed has to be joined. */
function flat(text: string): number {
  return Number(text) | text.length;
}
