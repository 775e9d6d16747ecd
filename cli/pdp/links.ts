import { BlockList, isIP } from 'node:net';
import type { Interface } from '../../cops/index.js';
import { matchesGlob } from './glob.js';
import type { LinkConfig } from './schema.js';

/** Which link of the configuration a request is about. */
export class LinkTable {
  readonly #links: readonly { readonly config: LinkConfig; readonly addresses: BlockList | undefined }[];

  constructor(links: readonly LinkConfig[]) {
    this.#links = links.map((config) => ({
      config,
      addresses: config.address === undefined ? undefined : blockOf(config.address),
    }));
  }

  /** The link that a request came in by; where it has no In-Interface, the one that its message goes out by. */
  find(
    pepId: string,
    inInterface: Interface | undefined,
    outInterface: Interface | undefined,
  ): LinkConfig | undefined {
    const at = inInterface ?? outInterface;
    if (at === undefined) return undefined;
    return this.#links.find(
      ({ config, addresses }) =>
        (config.ifIndex === undefined || config.ifIndex === at.ifindex) &&
        (addresses === undefined || addresses.check(at.address, family(at.address))) &&
        matchesGlob(config.pep, pepId),
    )?.config;
  }
}

function blockOf(prefix: string): BlockList {
  const [address = '', length] = prefix.split('/');
  const list = new BlockList();
  if (length === undefined) list.addAddress(address, family(address));
  else list.addSubnet(address, Number(length), family(address));
  return list;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
