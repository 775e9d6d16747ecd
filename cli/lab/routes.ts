import { familyOf, networkOf, withoutLength } from './addresses.js';

/** A static route. */
export interface Route {
  readonly destination: string;
  readonly via: string;
  readonly interface: string;
}

interface RoutedNode {
  readonly name: string;
  readonly forwarding: boolean;
  readonly addresses: readonly string[];
  readonly interfaces: readonly {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly peer: { readonly node: string; readonly addresses: readonly string[] };
  }[];
}

/**
 * Routes to all networks that a node is not on, by the fewest links, through nodes that forward. Where two ways are as
 * short, the one by the earlier link in the file is taken.
 */
export function routesOf(from: RoutedNode, nodes: readonly RoutedNode[]): Route[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const connected = new Set(from.interfaces.flatMap(({ addresses }) => addresses.map(networkOf)));
  const routes = new Map<string, Route>();
  const seen = new Set([from.name]);
  // Breadth first, each node with the interface by which it is reached.
  const queue = from.interfaces.map((first) => ({ node: first.peer.node, first }));
  for (const { node: name, first } of queue) {
    const node = byName.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    const networks = [
      ...node.addresses,
      ...node.interfaces.flatMap(({ addresses }) => addresses.map(networkOf)),
    ];
    for (const destination of networks) {
      const gateway = first.peer.addresses.find((address) => familyOf(address) === familyOf(destination));
      if (gateway === undefined || connected.has(destination) || routes.has(destination)) continue;
      routes.set(destination, { destination, via: withoutLength(gateway), interface: first.name });
    }
    if (node.forwarding) queue.push(...node.interfaces.map(({ peer }) => ({ node: peer.node, first })));
  }
  return [...routes.values()];
}
