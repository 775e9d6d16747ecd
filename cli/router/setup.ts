import { KeyRing as CopsKeyRing } from '../../cops/index.js';
import type { PdpTarget } from '../../cops/index.js';
import type { ConnectionOptions } from 'node:tls';
import { KeyRing } from '../../rsvp/exchange/keys.js';
import type { IntegrityKey } from '../../rsvp/exchange/keys.js';
import type { InterfaceIntegrity } from '../../rsvp/exchange/options.js';
import { NullTrafficControl, TcTrafficControl } from '../../rsvp/traffic/io/index.js';
import type { TrafficControl } from '../../rsvp/traffic/index.js';
import { secretAt } from '../config/secrets.js';
import { checkPolicy } from '../pdp/desk.js';
import { linkSpeed } from './link-speed.js';
import { paymentConfig } from './load.js';
import type { LoadedRouterConfig } from './load.js';
import type { NodeSettings } from './node.js';

/** Finds everything that is wrong with a configuration, and with the files it names, without starting anything. */
export function checkRouterConfig(config: LoadedRouterConfig): void {
  nodeSettings(config);
  pdpTargets(config);
  copsTls(config);
  const payment = paymentConfig(config);
  if (payment !== undefined) checkPolicy(payment);
}

/** By the name of the interface. */
export function nodeSettings(config: LoadedRouterConfig): ReadonlyMap<string, NodeSettings> {
  const settings = new Map<string, NodeSettings>();
  config.interfaces.forEach((one, i) => {
    if (!one.rsvp) return;
    const bandwidth = one.bandwidth ?? linkSpeed(one.name);
    if (bandwidth === undefined)
      throw config.problem(
        ['interfaces', i],
        `\`bandwidth\` is needed: the driver of \`${one.name}\` does not say what the link carries`,
      );
    const integrity = integrityOf(config, i);
    settings.set(one.name, {
      bandwidth,
      reservable: one.reservable ?? bandwidth * RESERVABLE,
      ...(one.latency === undefined ? {} : { latency: one.latency * 1000 }),
      isBroken: one.nonRsvp,
      udp: one.udp,
      exchange: {
        refreshReduction: one.refreshReduction ? 'learned' : 'off',
        ...(integrity === undefined ? {} : { integrity }),
      },
    });
  });
  return settings;
}

const RESERVABLE = 0.75;

function integrityOf(config: LoadedRouterConfig, i: number): InterfaceIntegrity | undefined {
  const integrity = config.interfaces[i]?.integrity;
  if (integrity === undefined) return undefined;
  const at = ['interfaces', i, 'integrity', 'keys'] as const;
  const keys = integrity.keys.map((key, j): IntegrityKey => ({
    id: key.id.toString(16).padStart(12, '0'),
    secret: secretAt(config, [...at, j], key),
    algorithm: key.algorithm,
    ...(key.neighbour === undefined ? {} : { neighbour: key.neighbour }),
    ...(key.notBefore === undefined ? {} : { from: Date.parse(key.notBefore) }),
    ...(key.notAfter === undefined ? {} : { until: Date.parse(key.notAfter) }),
  }));
  let ring: KeyRing;
  try {
    ring = new KeyRing(keys);
  } catch (error) {
    throw config.problem(at, (error as Error).message.replace(/^keys: /, ''));
  }
  return { send: ring, receive: ring, handshake: integrity.handshake };
}

export function pdpTargets(config: LoadedRouterConfig): PdpTarget[] {
  return (config.cops?.pdps ?? []).map(({ host, port, tls, keyId, ...secret }, i) => ({
    host,
    ...(port === undefined ? {} : { port }),
    tls,
    ...(keyId === undefined
      ? {}
      : {
          keys: new CopsKeyRing([{ id: keyId, secret: secretAt(config, ['cops', 'pdps', i], secret) }]),
        }),
  }));
}

export function copsTls(config: LoadedRouterConfig): ConnectionOptions {
  const { ca, certificate, key } = config.cops ?? {};
  return {
    ...(ca === undefined ? {} : { ca: config.read(['cops', 'ca'], ca) }),
    ...(certificate === undefined ? {} : { cert: config.read(['cops', 'certificate'], certificate) }),
    ...(key === undefined ? {} : { key: config.read(['cops', 'key'], key) }),
  };
}

export function trafficControl({ traffic }: LoadedRouterConfig): TrafficControl {
  const { control, excess, bestEffort, markGuaranteed, markControlledLoad, signalling, takeover } = traffic;
  if (control === 'null') return new NullTrafficControl();
  return new TcTrafficControl({
    excess,
    bestEffort,
    takeover,
    mark: {
      ...(markGuaranteed === undefined ? {} : { guaranteed: markGuaranteed }),
      ...(markControlledLoad === undefined ? {} : { controlledLoad: markControlledLoad }),
    },
    ...(signalling === undefined ? {} : { signalling }),
  });
}
