import { ROOT } from '../handles.js';
import type { TrafficCapabilities } from '../settings.js';
import type { TcProcess } from './tc.js';

/** Of an action that is made and removed at once; nobody else has this number. */
const INDEX = 0x7fff_2205;

/** What the kernel has, found out by using it. `device` is about to get a root of ours: queues are tried there. */
export async function probe(tc: TcProcess, device: string): Promise<TrafficCapabilities> {
  const works = async (make: string, remove: string): Promise<boolean> =>
    !(await tc.run([make, remove])).failures.has(0);
  const action = (kind: string, text: string): Promise<boolean> =>
    works(`actions add action ${kind} ${text} index ${INDEX}`, `actions del action ${kind} index ${INDEX}`);
  const queue = (kind: string): Promise<boolean> =>
    works(`qdisc add dev ${device} root handle ${ROOT} ${kind}`, `qdisc del dev ${device} root`);
  const police = await action('police', 'rate 8000bit burst 2000b conform-exceed continue/ok');
  const mark =
    (await action('pedit', 'ex munge ip dsfield set 0x0 retain 0xfc pipe')) &&
    (await action('csum', 'ip4h ok'));
  const bestEffortQueue = (await queue('fq_codel')) ? 'fq_codel' : (await queue('sfq')) ? 'sfq' : 'bfifo';
  return { police, mark, bestEffortQueue };
}
