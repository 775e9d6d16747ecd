import { bits, u16, u32, u8 } from '../field.js';
import type { Fields, Tails } from '../layout.js';
import { object } from '../object.js';
import { list, octets } from '../tail.js';

/** Labels of RSVP-TE (RFC 3209) and GMPLS (RFC 3473). */

/** Ethertypes that an LSP may carry. */
const L3PIDS = { names: { 0x0800: 'IPv4', 0x86dd: 'IPv6', 0x8847: 'MPLS', 0x6558: 'Ethernet bridging' } };

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |           Reserved            |             L3PID             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const LABEL_REQUEST = { class: 'LABEL_REQUEST', classNum: 19 } as const;
const l3pid = { reserved: u16(), l3pid: u16(L3PIDS) };

export const LabelRequest = object(
  { ...LABEL_REQUEST, cType: 1, title: 'no label range', rfc: 'RFC 3209 4.2.1' },
  l3pid,
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |           Reserved            |             L3PID             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |M| Res |    Minimum VPI        |      Minimum VCI              |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Res  |    Maximum VPI        |      Maximum VCI              |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const LabelRequestAtm = object(
  { ...LABEL_REQUEST, cType: 2, title: 'ATM label range', rfc: 'RFC 3209 4.2.2' },
  {
    ...l3pid,
    m: bits(1),
    reservedMinimum: bits(3),
    minimumVpi: bits(12),
    minimumVci: u16(),
    reservedMaximum: bits(4),
    maximumVpi: bits(12),
    maximumVci: u16(),
  },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |           Reserved            |             L3PID             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  | Reserved    |DLI|                     Minimum DLCI            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  | Reserved        |                     Maximum DLCI            |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const LabelRequestFrameRelay = object(
  { ...LABEL_REQUEST, cType: 3, title: 'Frame Relay label range', rfc: 'RFC 3209 4.2.3' },
  {
    ...l3pid,
    reservedMinimum: bits(7),
    dli: bits(2, { names: { 0: '10 bits', 2: '23 bits' } }),
    minimumDlci: bits(23),
    reservedMaximum: bits(9),
    maximumDlci: bits(23),
  },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  | LSP Enc. Type |Switching Type |             G-PID             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const GeneralizedLabelRequest = object(
  { ...LABEL_REQUEST, cType: 4, title: 'generalized', rfc: 'RFC 3473 2.1' },
  {
    lspEncodingType: u8({
      names: {
        1: 'Packet',
        2: 'Ethernet',
        3: 'ANSI/ETSI PDH',
        5: 'SDH/SONET',
        7: 'Digital Wrapper',
        8: 'Lambda',
        9: 'Fiber',
        11: 'FiberChannel',
      },
    }),
    switchingType: u8({
      names: {
        1: 'PSC-1',
        2: 'PSC-2',
        3: 'PSC-3',
        4: 'PSC-4',
        51: 'L2SC',
        100: 'TDM',
        150: 'LSC',
        200: 'FSC',
      },
    }),
    gPid: u16(L3PIDS),
  },
);

/*
 * A label in 4 octets (C-Type 1), a generalized label (2), a waveband (3):
 *
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                          Waveband Id                          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                          Start Label                          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                           End Label                           |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const plain = { label: u32() };
const generalized = { label: octets };
const waveband = { wavebandId: u32(), startLabel: u32(), endLabel: u32() };

/** Four classes inherit the C-Types of LABEL (RFC 3473 13). */
const labels = (name: string, classNum: number, rfc: string) => {
  const one = <F extends Fields, T extends Tails>(cType: number, title: string, fields: F, tails?: T) =>
    object({ class: name, classNum, cType, title, rfc }, fields, tails);
  return {
    plain: one(1, 'label', plain),
    generalized: one(2, 'generalized', {}, generalized),
    waveband: one(3, 'waveband', waveband),
  };
};

export const {
  plain: Label,
  generalized: GeneralizedLabel,
  waveband: WavebandLabel,
} = labels('LABEL', 16, 'RFC 3209 4.1, RFC 3473 2.3');
export const {
  plain: RecoveryLabel,
  generalized: RecoveryGeneralizedLabel,
  waveband: RecoveryWavebandLabel,
} = labels('RECOVERY_LABEL', 34, 'RFC 3473 9.2');
export const {
  plain: UpstreamLabel,
  generalized: UpstreamGeneralizedLabel,
  waveband: UpstreamWavebandLabel,
} = labels('UPSTREAM_LABEL', 35, 'RFC 3473 3');
export const {
  plain: SuggestedLabel,
  generalized: SuggestedGeneralizedLabel,
  waveband: SuggestedWavebandLabel,
} = labels('SUGGESTED_LABEL', 129, 'RFC 3473 2.5');

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |    Action     |      Reserved     |        Label Type         |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  //                      Subchannels                            //
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const labelSet = {
  action: u8({
    names: { 0: 'inclusive list', 1: 'exclusive list', 2: 'inclusive range', 3: 'exclusive range' },
  }),
  reserved: bits(10),
  labelType: bits(14),
};
const subchannels = { subchannels: list(u32()) };

export const LabelSet = object(
  { class: 'LABEL_SET', classNum: 36, cType: 1, title: 'labels', rfc: 'RFC 3473 2.6' },
  labelSet,
  subchannels,
);
export const AcceptableLabelSet = object(
  { class: 'ACCEPTABLE_LABEL_SET', classNum: 130, cType: 1, title: 'labels', rfc: 'RFC 3473 4.1' },
  labelSet,
  subchannels,
);
