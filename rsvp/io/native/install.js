/**
 * Builds the raw-socket addon when the package is installed. It is wanted by `bandex router` and `bandex host` on Linux
 * alone: where it cannot be built (another system, no compiler), the installation goes on without it, and those commands
 * say what is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const prefix = path.resolve(path.dirname(process.execPath), '..');

function skipped(reason) {
  process.stdout.write(`raw sockets are not built: ${reason}\n`);
  process.exit(0);
}

if (process.platform !== 'linux') skipped(`they are for Linux, this is ${process.platform}`);

// npm brings node-gyp, and says where; without npm it may stand beside Node.
const gyp = [
  process.env['npm_config_node_gyp'],
  path.join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
  path.join(prefix, 'share/nodejs/node-gyp/bin/node-gyp.js'),
].find((file) => file !== undefined && existsSync(file));
if (gyp === undefined) skipped('node-gyp is not found: install with npm');

// Node's own headers, where they are installed with it: then nothing is fetched.
const headers = existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
const built = spawnSync(process.execPath, [gyp, 'rebuild', '--directory', folder, ...headers], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'pipe'],
});
if (built.status !== 0) {
  const complaints = `${built.stdout}${built.stderr}`.split('\n').filter((line) => /error/i.test(line));
  process.stderr.write(`${complaints.slice(-5).join('\n')}\n`);
  skipped(
    'a C compiler, make and Python are needed; then `npm rebuild bandex`, or `npm run install` in a checkout',
  );
}
