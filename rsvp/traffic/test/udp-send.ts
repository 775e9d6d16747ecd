import { createSocket } from 'node:dgram';

/** `udp-send ADDRESS PORT SOURCE-PORT OCTETS PER-SECOND SECONDS`: prints how many it sent. */
const [address = '', port, sourcePort, octets, perSecond, seconds] = process.argv.slice(2);
const total = Number(perSecond) * Number(seconds);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
socket.bind(Number(sourcePort), () => {
  const payload = Buffer.alloc(Number(octets));
  const started = performance.now();
  let given = 0;
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, ((performance.now() - started) / 1000) * Number(perSecond));
    for (; given < due; given++) socket.send(payload, Number(port), address, count);
    if (given >= total) clearInterval(timer);
  }, 1);
  const count = (error: Error | null): void => {
    if (error !== null) throw error;
    if (++sent < total) return;
    process.stdout.write(`${sent}\n`);
    socket.close();
  };
});
