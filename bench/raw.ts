import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readFixture } from '../fixtures/index.js';
import { RawTransport } from '../rsvp/io/index.js';

/**
 * RSVP packets in and out of the kernel, over loopback in a namespace of its own: processor time of the whole process a packet,
 * the kernel's share included. Bursts are small enough that nothing is dropped.
 */
const BURST = 256;
const ROUNDS = 200;

export async function main(): Promise<void> {
  // Raw sockets need a privilege; in a namespace of our own we have it.
  if (process.env['BANDEX_BENCH_RAW'] === undefined) {
    const inside = `ip link set lo up && exec "${process.execPath}" "${fileURLToPath(import.meta.url)}"`;
    const env = { ...process.env, BANDEX_BENCH_RAW: '1' };
    process.stdout.write(execFileSync('unshare', ['-Urn', 'sh', '-c', inside], { env, encoding: 'utf8' }));
    return;
  }
  const octets = path();
  console.log(
    `raw sockets, a Path of ${octets.length} octets           µs/packet sent   received   packets a batch`,
  );
  for (const [name, destination] of [
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ] as const) {
    for (const burst of [1, BURST]) await report(name, destination, octets, burst);
  }
}

async function report(name: string, destination: string, octets: Uint8Array, burst: number): Promise<void> {
  const transport = new RawTransport({ intercepts: false });
  let received = 0;
  let batches = 0;
  let wake: () => void = () => undefined;
  transport.start({
    packets(packets) {
      received += packets.length;
      batches++;
      if (received >= wanted) wake();
    },
    trouble: (trouble) => console.error(trouble),
  });
  const packet = { interface: loopback(), destination, ttl: 63, routerAlert: true, octets };
  const packets = Array.from({ length: burst }, () => packet);
  let wanted = 0;
  let sending = 0;
  let receiving = 0;
  const rounds = burst === 1 ? 20 * ROUNDS : ROUNDS;
  for (let round = -ROUNDS / 10; round < rounds; round++) {
    if (round === 0) received = batches = wanted = sending = receiving = 0;
    wanted += burst;
    const came = new Promise<void>((resolve) => (wake = resolve));
    const before = cpu();
    transport.send(packets);
    const between = cpu();
    await came;
    sending += between - before;
    receiving += cpu() - between;
  }
  const { dropped, failed } = transport.statistics;
  await transport.close();
  const each = (micros: number): string => (micros / (rounds * burst)).toFixed(1);
  const label = `${name}, ${burst === 1 ? 'one at a time' : `${burst} at once`}`;
  console.log(
    `${label.padEnd(44)} ${each(sending).padStart(10)} ${each(receiving).padStart(10)} ${(received / batches).toFixed(0).padStart(17)}` +
      (dropped + failed > 0 ? `  (${dropped} dropped, ${failed} failed)` : ''),
  );
  await sleep(10);
}

/** Microseconds of this process, in user and kernel. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function loopback(): number {
  const line = readFileSync('/proc/net/if_inet6', 'utf8')
    .split('\n')
    .find((one) => one.endsWith(' lo'));
  return Number.parseInt(line?.split(/\s+/)[1] ?? '1', 16);
}

/** The Path of a capture. */
function path(): Uint8Array {
  const file = readFixture('captures/kom-ff-2node.pcap');
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const ip = at + 16 + 14;
    const rsvp = ip + ((file[ip] ?? 0) & 15) * 4;
    if (file[ip + 9] === 46 && file[rsvp + 1] === 1)
      return Uint8Array.from(file.subarray(rsvp, rsvp + file.readUInt16BE(rsvp + 6)));
  }
  throw new Error('no Path in the capture');
}

if (process.env['BANDEX_BENCH_RAW'] !== undefined) await main();
