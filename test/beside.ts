import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The worker that was asked for last: they run one after the other, for the tests need the machine as well. */
let last: Promise<unknown> = Promise.resolve();

/**
 * What takes minutes runs in a process of its own from when the tests are loaded, and is done when its turn comes: `worker.js`
 * beside the test sends one message, its result.
 */
export function runBeside<Result>(testUrl: string, ...args: readonly (string | number)[]): Promise<Result> {
  const found = last.then(() =>
    forked<Result>(fileURLToPath(new URL('./worker.js', testUrl)), args.map(String)),
  );
  last = found.catch(() => undefined);
  return found;
}

function forked<Result>(path: string, args: readonly string[]): Promise<Result> {
  const child = fork(path, args);
  process.once('exit', () => child.kill());
  return new Promise<Result>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Result));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${path} has ended with ${String(code)}`)));
  });
}
