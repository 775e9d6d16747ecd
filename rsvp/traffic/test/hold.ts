import { TcTrafficControl } from '../io/index.js';
import { LINK, reservation } from './reservations.js';

/** `hold DEVICE INDEX`: makes a reservation there, prints `ready`, and waits to be killed. */
const [name = '', index = ''] = process.argv.slice(2);
const control = new TcTrafficControl();
await control.start([{ ...LINK, name, index: Number(index) }]);
await control.reserve(reservation({ interface: Number(index) }));
process.stdout.write('ready\n');
process.stdin.resume();
