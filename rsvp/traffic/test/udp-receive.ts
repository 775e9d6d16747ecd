import { createSocket } from 'node:dgram';

/** `udp-receive PORT...`: prints `ready`, then, when stdin ends, how many packets came to each. */
const counts = new Map<string, number>();
const ports = process.argv.slice(2);
const sockets = await Promise.all(
  ports.map(async (port) => {
    counts.set(port, 0);
    const socket = createSocket({ type: 'udp6', recvBufferSize: 1 << 20 });
    socket.on('message', () => counts.set(port, (counts.get(port) ?? 0) + 1));
    await new Promise<void>((resolve) => socket.bind(Number(port), resolve));
    return socket;
  }),
);
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  process.stdout.write(JSON.stringify(Object.fromEntries(counts)));
  for (const socket of sockets) socket.close();
});
