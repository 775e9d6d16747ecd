/**
 * Objects put together by hand from the RFCs' diagrams, at least one a C-Type: octets, then the fields that they are.
 * The fields are the JSON form without `class`, `classNum`, `cType` and `length`, which the first word says.
 */
export interface Vector {
  /** What it is, and where the diagram stands. */
  readonly name: string;
  readonly hex: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Octets behind the first word that break the format, and what is said of them. */
export interface BadVector {
  readonly name: string;
  readonly hex: string;
  readonly code: string;
  /** Octets from the start of the object. */
  readonly offset: number;
}

const V6 = '20010db8 00000000 00000000 00000001'; // 2001:db8::1
const V6B = '20010db8 00000000 00000000 00000002';

const bucket = {
  parameter: 'TOKEN_BUCKET_TSPEC',
  id: 127,
  flags: 0,
  length: 24,
  tokenBucketRate: 125000, // 0x47f42400
  tokenBucketSize: 1500, // 0x44bb8000
  peakDataRate: 'Infinity', // 0x7f800000
  minimumPolicedUnit: 64,
  maximumPacketSize: 1500,
};
const BUCKET = '7f00 0005 47f42400 44bb8000 7f800000 00000040 000005dc';

const rfc2205: readonly Vector[] = [
  {
    name: 'SESSION IPv4/UDP (RFC 2205 A.1)',
    hex: '000c 0101 0a090002 11 01 1388',
    fields: { destAddress: '10.9.0.2', protocolId: 17, flags: 1, dstPort: 5000 },
  },
  {
    name: 'SESSION IPv6/UDP (RFC 2205 A.1)',
    hex: `0018 0102 ${V6} 06 00 0050`,
    fields: { destAddress: '2001:db8::1', protocolId: 6, flags: 0, dstPort: 80 },
  },
  {
    name: 'RSVP_HOP IPv4 (RFC 2205 A.2)',
    hex: '000c 0301 c0000201 00000007',
    fields: { hopAddress: '192.0.2.1', logicalInterfaceHandle: 7 },
  },
  {
    name: 'RSVP_HOP IPv6 (RFC 2205 A.2)',
    hex: `0018 0302 ${V6} ffffffff`,
    fields: { hopAddress: '2001:db8::1', logicalInterfaceHandle: 4294967295 },
  },
  {
    name: 'TIME_VALUES (RFC 2205 A.4)',
    hex: '0008 0501 00007530',
    fields: { refreshPeriod: 30000 },
  },
  {
    name: 'ERROR_SPEC IPv4 (RFC 2205 A.5)',
    hex: '000c 0601 c0000201 03 01 0002',
    fields: { errorNodeAddress: '192.0.2.1', flags: 3, errorCode: 1, errorValue: 2 },
  },
  {
    name: 'ERROR_SPEC IPv6 (RFC 2205 A.5)',
    hex: `0018 0602 ${V6} 00 02 0003`,
    fields: { errorNodeAddress: '2001:db8::1', flags: 0, errorCode: 2, errorValue: 3 },
  },
  {
    name: 'SCOPE IPv4 (RFC 2205 A.6)',
    hex: '000c 0701 c0000201 c0000202',
    fields: { srcAddresses: ['192.0.2.1', '192.0.2.2'] },
  },
  {
    name: 'SCOPE IPv6 (RFC 2205 A.6)',
    hex: `0024 0702 ${V6} ${V6B}`,
    fields: { srcAddresses: ['2001:db8::1', '2001:db8::2'] },
  },
  { name: 'STYLE FF (RFC 2205 A.7)', hex: '0008 0801 00 00000a', fields: { flags: 0, optionVector: 10 } },
  { name: 'STYLE WF (RFC 2205 A.7)', hex: '0008 0801 00 000011', fields: { flags: 0, optionVector: 17 } },
  { name: 'STYLE SE (RFC 2205 A.7)', hex: '0008 0801 00 000012', fields: { flags: 0, optionVector: 18 } },
  {
    name: 'FILTER_SPEC IPv4 (RFC 2205 A.9)',
    hex: '000c 0a01 c0000201 0000 1770',
    fields: { srcAddress: '192.0.2.1', srcPort: 6000 },
  },
  {
    name: 'FILTER_SPEC IPv4 with reserved bits set',
    hex: '000c 0a01 c0000201 0102 1770',
    fields: { srcAddress: '192.0.2.1', reserved: 258, srcPort: 6000 },
  },
  {
    name: 'FILTER_SPEC IPv6 (RFC 2205 A.9)',
    hex: `0018 0a02 ${V6} 0000 1770`,
    fields: { srcAddress: '2001:db8::1', srcPort: 6000 },
  },
  {
    name: 'FILTER_SPEC IPv6 flow label (RFC 2205 A.9)',
    hex: `0018 0a03 ${V6} 00 0abcde`,
    fields: { srcAddress: '2001:db8::1', flowLabel: 0xabcde },
  },
  {
    name: 'SENDER_TEMPLATE IPv4 (RFC 2205 A.10)',
    hex: '000c 0b01 c0000201 0000 1770',
    fields: { srcAddress: '192.0.2.1', srcPort: 6000 },
  },
  {
    name: 'SENDER_TEMPLATE IPv6 (RFC 2205 A.10)',
    hex: `0018 0b02 ${V6} 0000 1770`,
    fields: { srcAddress: '2001:db8::1', srcPort: 6000 },
  },
  {
    name: 'SENDER_TEMPLATE IPv6 flow label (RFC 2205 A.10)',
    hex: `0018 0b03 ${V6} 00 000001`,
    fields: { srcAddress: '2001:db8::1', flowLabel: 1 },
  },
  {
    name: 'RESV_CONFIRM IPv4 (RFC 2205 A.14)',
    hex: '0008 0f01 c0000201',
    fields: { receiverAddress: '192.0.2.1' },
  },
  {
    name: 'RESV_CONFIRM IPv6 (RFC 2205 A.14)',
    hex: `0014 0f02 ${V6}`,
    fields: { receiverAddress: '2001:db8::1' },
  },
  { name: 'an unknown C-Type of a known class', hex: '0008 0163 01020304', fields: { body: '01020304' } },
  { name: 'an unknown class', hex: '0008 d401 01020304', fields: { body: '01020304' } },
  { name: 'an obsolete FLOWSPEC (RFC 2205 A.8)', hex: '0008 0901 00000000', fields: { body: '00000000' } },
];

const rfc2210: readonly Vector[] = [
  {
    name: 'SENDER_TSPEC (RFC 2210 3.1)',
    hex: `0024 0c02 0000 0007 01 00 0006 ${BUCKET}`,
    fields: {
      version: 0,
      overallLength: 7,
      services: [
        { service: 'Default General Parameters', number: 1, flags: 0, length: 28, parameters: [bucket] },
      ],
    },
  },
  {
    name: 'FLOWSPEC for Controlled-Load (RFC 2210 3.2.1)',
    hex: `0024 0902 0000 0007 05 00 0006 ${BUCKET}`,
    fields: {
      version: 0,
      overallLength: 7,
      services: [{ service: 'Controlled-Load', number: 5, flags: 0, length: 28, parameters: [bucket] }],
    },
  },
  {
    // RFC 2210 writes 9 words of service data and 10 in all: 6 of the bucket and 3 of the RSpec are 9.
    name: 'FLOWSPEC for Guaranteed (RFC 2210 3.2.2)',
    hex: `0030 0902 0000 000a 02 00 0009 ${BUCKET} 8200 0002 48742400 000003e8`,
    fields: {
      version: 0,
      overallLength: 10,
      services: [
        {
          service: 'Guaranteed',
          number: 2,
          flags: 0,
          length: 40,
          parameters: [
            bucket,
            { parameter: 'GUARANTEED_RSPEC', id: 130, flags: 0, length: 12, rate: 250000, slackTerm: 1000 },
          ],
        },
      ],
    },
  },
  {
    name: 'ADSPEC with all three fragments (RFC 2210 3.3.6)',
    hex:
      '0054 0d02 0000 0013 ' +
      '01 80 0008 0400 0001 00000003 0600 0001 49742400 0800 0001 000001f4 0a00 0001 000005dc ' +
      '02 00 0008 8500 0001 00000bb8 8600 0001 00000064 8700 0001 00000bb8 8800 0001 00000064 ' +
      '05 00 0000',
    fields: {
      version: 0,
      overallLength: 19,
      services: [
        {
          service: 'Default General Parameters',
          number: 1,
          flags: 0x80,
          length: 36,
          parameters: [
            { parameter: 'NUMBER_OF_IS_HOPS', id: 4, flags: 0, length: 8, isHopCount: 3 },
            { parameter: 'AVAILABLE_PATH_BANDWIDTH', id: 6, flags: 0, length: 8, pathBandwidth: 1000000 },
            { parameter: 'MINIMUM_PATH_LATENCY', id: 8, flags: 0, length: 8, minimumPathLatency: 500 },
            { parameter: 'PATH_MTU', id: 10, flags: 0, length: 8, pathMtu: 1500 },
          ],
        },
        {
          service: 'Guaranteed',
          number: 2,
          flags: 0,
          length: 36,
          parameters: [
            { parameter: 'Ctot', id: 133, flags: 0, length: 8, ctot: 3000 },
            { parameter: 'Dtot', id: 134, flags: 0, length: 8, dtot: 100 },
            { parameter: 'Csum', id: 135, flags: 0, length: 8, csum: 3000 },
            { parameter: 'Dsum', id: 136, flags: 0, length: 8, dsum: 100 },
          ],
        },
        { service: 'Controlled-Load', number: 5, flags: 0, length: 4, parameters: [] },
      ],
    },
  },
  {
    name: 'ADSPEC whose Controlled-Load fragment overrides the bandwidth (RFC 2210 3.3.5)',
    hex: '0014 0d02 0000 0003 05 00 0002 0600 0001 47f42400',
    fields: {
      version: 0,
      overallLength: 3,
      services: [
        {
          service: 'Controlled-Load',
          number: 5,
          flags: 0,
          length: 12,
          parameters: [
            { parameter: 'AVAILABLE_PATH_BANDWIDTH', id: 6, flags: 0, length: 8, pathBandwidth: 125000 },
          ],
        },
      ],
    },
  },
  {
    name: 'ADSPEC with a service and a parameter that nobody knows, flags and reserved bits set',
    hex: '001c 0d02 0abc 0005 09 ff 0001 deadbeef 05 00 0002 fe 81 0001 00000001',
    fields: {
      version: 0,
      reserved: 0xabc,
      overallLength: 5,
      services: [
        { service: 'unknown(9)', number: 9, flags: 255, length: 8, body: 'deadbeef' },
        {
          service: 'Controlled-Load',
          number: 5,
          flags: 0,
          length: 12,
          parameters: [{ parameter: 'unknown(254)', id: 254, flags: 129, length: 8, body: '00000001' }],
        },
      ],
    },
  },
  {
    name: 'SENDER_TSPEC of the null service (RFC 2997 4)',
    hex: '0014 0c02 0000 0003 06 00 0002 8000 0001 000005dc',
    fields: {
      version: 0,
      overallLength: 3,
      services: [
        {
          service: 'Null',
          number: 6,
          flags: 0,
          length: 12,
          parameters: [
            { parameter: 'NULL_SERVICE_TSPEC', id: 128, flags: 0, length: 8, maximumPacketSize: 1500 },
          ],
        },
      ],
    },
  },
  {
    name: 'FLOWSPEC with octets behind its services',
    hex: '0010 0902 0000 0001 05 00 0000 01020304',
    fields: {
      version: 0,
      overallLength: 1,
      services: [{ service: 'Controlled-Load', number: 5, flags: 0, length: 4, parameters: [] }],
      trailing: '01020304',
    },
  },
];

const policy: readonly Vector[] = [
  {
    name: 'POLICY_DATA with nothing in it (RFC 2750 3.1)',
    hex: '0008 0e01 0008 0000',
    fields: { dataOffset: 8, options: [], elements: [] },
  },
  {
    name: 'POLICY_DATA with an originating RSVP_HOP and a priority (RFC 2750 3.2, RFC 3181 4)',
    hex: '0020 0e01 0014 0000 000c 0301 c0000201 00000000 000c 0001 00 01 00 00 0005 0007',
    fields: {
      dataOffset: 20,
      options: [
        {
          class: 'RSVP_HOP',
          classNum: 3,
          cType: 1,
          length: 12,
          hopAddress: '192.0.2.1',
          logicalInterfaceHandle: 0,
        },
      ],
      elements: [
        {
          element: 'PREEMPTION_PRI',
          pType: 1,
          length: 12,
          flags: 0,
          mergeStrategy: 1,
          errorCode: 0,
          preemptionPriority: 5,
          defendingPriority: 7,
        },
      ],
    },
  },
  {
    // "CN=Al" and "al" with padding, a certificate, and two octets of a signature.
    name: 'POLICY_DATA with an AUTH_USER (RFC 3182 4.3)',
    hex:
      '0038 0e01 0008 0000 0030 0002 ' +
      '0009 0101 434e3d416c 000000 0006 0201 616c 0000 0007 0204 308201 00 ' +
      '0006 0300 abcd 0000 0008 0400 0000 0004',
    fields: {
      dataOffset: 8,
      options: [],
      elements: [
        {
          element: 'AUTH_USER',
          pType: 2,
          length: 48,
          attributes: [
            { attribute: 'POLICY_LOCATOR', aType: 1, subType: 1, length: 9, value: 'CN=Al' },
            { attribute: 'CREDENTIAL', aType: 2, subType: 1, length: 6, value: 'al' },
            { attribute: 'CREDENTIAL', aType: 2, subType: 4, length: 7, value: '308201' },
            { attribute: 'DIGITAL_SIGNATURE', aType: 3, subType: 0, length: 6, value: 'abcd' },
            { attribute: 'POLICY_ERROR_OBJECT', aType: 4, subType: 0, length: 8, errorValue: 4, value: '' },
          ],
        },
      ],
    },
  },
  {
    name: 'POLICY_DATA with the application of RFC 2872 2',
    hex:
      '0034 0e01 0008 0000 002c 0003 ' +
      '0020 0101 4150503d5341502c 205645523d312e312c 20534150503d5072696e74 0007 0201 534150 00',
    fields: {
      dataOffset: 8,
      options: [],
      elements: [
        {
          element: 'AUTH_APP',
          pType: 3,
          length: 44,
          attributes: [
            {
              attribute: 'POLICY_LOCATOR',
              aType: 1,
              subType: 1,
              length: 32,
              value: 'APP=SAP, VER=1.1, SAPP=Print',
            },
            { attribute: 'CREDENTIAL', aType: 2, subType: 1, length: 7, value: 'SAP' },
          ],
        },
      ],
    },
  },
  {
    name: 'POLICY_DATA with what nobody knows: an element, an A-Type, a SubType, octets in the padding',
    hex: '0028 0e01 0008 0000 0008 e000 01020304 0018 0002 0005 8001 aa bbccdd 0005 01c8 61 000000 0004 0203',
    fields: {
      dataOffset: 8,
      options: [],
      elements: [
        { element: 'unknown(57344)', pType: 57344, length: 8, body: '01020304' },
        {
          element: 'AUTH_USER',
          pType: 2,
          length: 24,
          attributes: [
            { attribute: 'unknown(128)', aType: 128, subType: 1, length: 5, body: 'aa', padding: 'bbccdd' },
            { attribute: 'POLICY_LOCATOR', aType: 1, subType: 200, length: 5, body: '61' },
            { attribute: 'CREDENTIAL', aType: 2, subType: 3, length: 4, value: '' },
          ],
        },
      ],
    },
  },
  {
    name: 'INTEGRITY with HMAC-MD5 (RFC 2747 2)',
    hex: '0024 0401 80 00 0a0000000001 0000000100000002 00112233445566778899aabbccddeeff',
    fields: {
      flags: 128,
      keyId: '0a0000000001',
      sequenceNumber: '4294967298',
      digest: '00112233445566778899aabbccddeeff',
    },
  },
  {
    name: 'CHALLENGE (RFC 2747 4.3)',
    hex: '0014 4001 0000 0a0000000001 0123456789abcdef',
    fields: { keyId: '0a0000000001', challengeCookie: '0123456789abcdef' },
  },
];

const extensions: readonly Vector[] = [
  {
    name: 'SESSION IPv4/GPI (RFC 2207 3.1)',
    hex: '000c 0103 0a090002 32 00 0001',
    fields: { destAddress: '10.9.0.2', protocolId: 50, flags: 0, vDstPort: 1 },
  },
  {
    name: 'SESSION IPv6/GPI (RFC 2207 3.1)',
    hex: `0018 0104 ${V6} 33 00 0002`,
    fields: { destAddress: '2001:db8::1', protocolId: 51, flags: 0, vDstPort: 2 },
  },
  {
    name: 'FILTER_SPEC IPv4/GPI (RFC 2207 3.2)',
    hex: '000c 0a04 c0000201 deadbeef',
    fields: { srcAddress: '192.0.2.1', gpi: 0xdeadbeef },
  },
  {
    name: 'FILTER_SPEC IPv6/GPI (RFC 2207 3.2)',
    hex: `0018 0a05 ${V6} 00000100`,
    fields: { srcAddress: '2001:db8::1', gpi: 256 },
  },
  {
    name: 'SENDER_TEMPLATE IPv4/GPI (RFC 2207 3.3)',
    hex: '000c 0b04 c0000201 deadbeef',
    fields: { srcAddress: '192.0.2.1', gpi: 0xdeadbeef },
  },
  {
    name: 'SENDER_TEMPLATE IPv6/GPI (RFC 2207 3.3)',
    hex: `0018 0b05 ${V6} 00000100`,
    fields: { srcAddress: '2001:db8::1', gpi: 256 },
  },
  {
    name: 'MESSAGE_ID (RFC 2961 4.2)',
    hex: '000c 1701 01 00abcd 00000007',
    fields: { flags: 1, epoch: 0xabcd, messageIdentifier: 7 },
  },
  {
    name: 'MESSAGE_ID_ACK (RFC 2961 4.3)',
    hex: '000c 1801 00 00abcd 00000007',
    fields: { flags: 0, epoch: 0xabcd, messageIdentifier: 7 },
  },
  {
    name: 'MESSAGE_ID_NACK (RFC 2961 4.3)',
    hex: '000c 1802 00 00abcd 00000007',
    fields: { flags: 0, epoch: 0xabcd, messageIdentifier: 7 },
  },
  {
    name: 'MESSAGE_ID LIST (RFC 2961 5.1)',
    hex: '0010 1901 00 00abcd 00000007 00000008',
    fields: { flags: 0, epoch: 0xabcd, messageIdentifiers: [7, 8] },
  },
  {
    name: 'IPv4/MESSAGE_ID SRC_LIST (RFC 2961 5.1)',
    hex: '0010 1902 00 00abcd 00000007 c0000201',
    fields: { flags: 0, epoch: 0xabcd, tuples: [{ messageIdentifier: 7, sourceIpAddress: '192.0.2.1' }] },
  },
  {
    name: 'IPv6/MESSAGE_ID SRC_LIST (RFC 2961 5.1)',
    hex: `001c 1903 00 00abcd 00000007 ${V6}`,
    fields: { flags: 0, epoch: 0xabcd, tuples: [{ messageIdentifier: 7, sourceIpAddress: '2001:db8::1' }] },
  },
  {
    name: 'IPv4/MESSAGE_ID MCAST_LIST (RFC 2961 5.1)',
    hex: '0014 1904 00 00abcd 00000007 c0000201 e0000001',
    fields: {
      flags: 0,
      epoch: 0xabcd,
      tuples: [{ messageIdentifier: 7, sourceIpAddress: '192.0.2.1', destinationIpAddress: '224.0.0.1' }],
    },
  },
  {
    name: 'IPv6/MESSAGE_ID MCAST_LIST (RFC 2961 5.1)',
    hex: `002c 1905 00 00abcd 00000007 ${V6} ff0e0000 00000000 00000000 00000001`,
    fields: {
      flags: 0,
      epoch: 0xabcd,
      tuples: [{ messageIdentifier: 7, sourceIpAddress: '2001:db8::1', destinationIpAddress: 'ff0e::1' }],
    },
  },
  {
    name: 'DIAGNOSTIC IPv4 (RFC 2745 3.3)',
    hex: '002c 1e01 10 02 0001 00000063 05dc 0000 c0000201 000c 0b01 c0000202 0000 1770 000c 0a01 c0000203 0000 1771',
    fields: {
      maxRsvpHops: 16,
      rsvpHopCount: 2,
      moreFragments: true,
      requestId: 99,
      pathMtu: 1500,
      fragmentOffset: 0,
      lastHopAddress: '192.0.2.1',
      objects: [
        {
          class: 'SENDER_TEMPLATE',
          classNum: 11,
          cType: 1,
          length: 12,
          srcAddress: '192.0.2.2',
          srcPort: 6000,
        },
        { class: 'FILTER_SPEC', classNum: 10, cType: 1, length: 12, srcAddress: '192.0.2.3', srcPort: 6001 },
      ],
    },
  },
  {
    name: 'DIAGNOSTIC IPv6 (RFC 2745 3.3)',
    hex: `0020 1e02 00 01 0000 00000063 05dc 0010 ${V6}`,
    fields: {
      maxRsvpHops: 0,
      rsvpHopCount: 1,
      moreFragments: false,
      requestId: 99,
      pathMtu: 1500,
      fragmentOffset: 16,
      lastHopAddress: '2001:db8::1',
      objects: [],
    },
  },
  {
    name: 'ROUTE IPv4 (RFC 2745 3.5)',
    hex: '0010 1f01 000000 02 c0000201 c0000202',
    fields: { rPointer: 2, rsvpNodes: ['192.0.2.1', '192.0.2.2'] },
  },
  {
    name: 'ROUTE IPv6 (RFC 2745 3.5)',
    hex: `0018 1f02 000000 01 ${V6}`,
    fields: { rPointer: 1, rsvpNodes: ['2001:db8::1'] },
  },
  {
    // M set, R-error 1, K 3, timer 30 s.
    name: 'DIAG_RESPONSE IPv4 (RFC 2745 3.6)',
    hex: '0020 2001 11223344 c0000201 c0000202 00000000 02 93 001e 0008 0801 00 00000a',
    fields: {
      dreqArrivalTime: 0x11223344,
      incomingInterfaceAddress: '192.0.2.1',
      outgoingInterfaceAddress: '192.0.2.2',
      previousHopAddress: '0.0.0.0',
      dTtl: 2,
      merged: true,
      rError: 1,
      k: 3,
      timerValue: 30,
      objects: [{ class: 'STYLE', classNum: 8, cType: 1, length: 8, flags: 0, optionVector: 10 }],
    },
  },
  {
    name: 'DIAG_RESPONSE IPv6 (RFC 2745 3.6)',
    hex: `003c 2002 00000001 ${V6} ${V6B} 00000000 00000000 00000000 00000000 01 03 001e`,
    fields: {
      dreqArrivalTime: 1,
      incomingInterfaceAddress: '2001:db8::1',
      outgoingInterfaceAddress: '2001:db8::2',
      previousHopAddress: '::',
      dTtl: 1,
      merged: false,
      rError: 0,
      k: 3,
      timerValue: 30,
      objects: [],
    },
  },
  {
    name: 'DIAG_SELECT, an odd number of pairs (RFC 2745 3.4)',
    hex: '0008 2101 09 02 00 00',
    fields: {
      select: [
        { class: 9, cType: 2 },
        { class: 0, cType: 0 },
      ],
    },
  },
  {
    name: 'SESSION_ASSOC (RFC 2746 2.3.1)',
    hex: '001c c000 000c 0101 0a090002 11 00 1388 000c 0a01 c0000201 0000 1770',
    fields: {
      objects: [
        {
          class: 'SESSION',
          classNum: 1,
          cType: 1,
          length: 12,
          destAddress: '10.9.0.2',
          protocolId: 17,
          flags: 0,
          dstPort: 5000,
        },
        { class: 'FILTER_SPEC', classNum: 10, cType: 1, length: 12, srcAddress: '192.0.2.1', srcPort: 6000 },
      ],
    },
  },
  { name: 'NODE_CHAR (RFC 2746 2.3.2)', hex: '0008 8000 00000001', fields: { tunnelCapable: true } },
  {
    // AF11, AF12, AF13: 001010, 001100, 001110 in the six high bits.
    name: 'DCLASS (RFC 2996 2)',
    hex: '0010 e101 00000028 00000030 00000038',
    fields: { dscps: [{ dscp: 10 }, { dscp: 12 }, { dscp: 14 }] },
  },
  {
    name: 'SESSION RSVP-AGGREGATE-IP4 (RFC 3175 3.3)',
    hex: '000c 0109 c0000201 00 00 00 2e',
    fields: { sessionAddress: '192.0.2.1', flags: 0, dscp: 46 },
  },
  {
    name: 'SESSION RSVP-AGGREGATE-IP6 (RFC 3175 3.3)',
    hex: `0018 010a ${V6} 00 00 00 0a`,
    fields: { sessionAddress: '2001:db8::1', flags: 0, dscp: 10 },
  },
  {
    name: 'FILTER_SPEC RSVP-AGGREGATE-IP4 (RFC 3175 3.5)',
    hex: '0008 0a09 c0000201',
    fields: { aggregatorAddress: '192.0.2.1' },
  },
  {
    name: 'FILTER_SPEC RSVP-AGGREGATE-IP6 (RFC 3175 3.5)',
    hex: `0014 0a0a ${V6}`,
    fields: { aggregatorAddress: '2001:db8::1' },
  },
  {
    name: 'SENDER_TEMPLATE RSVP-AGGREGATE-IP4 (RFC 3175 3.4)',
    hex: '0008 0b09 c0000201',
    fields: { aggregatorAddress: '192.0.2.1' },
  },
  {
    name: 'SENDER_TEMPLATE RSVP-AGGREGATE-IP6 (RFC 3175 3.4)',
    hex: `0014 0b0a ${V6}`,
    fields: { aggregatorAddress: '2001:db8::1' },
  },
];

const label = (classNum: string, name: string): readonly Vector[] => [
  { name: `${name}, a label`, hex: `0008 ${classNum}01 00000010`, fields: { label: 16 } },
  {
    name: `${name}, generalized`,
    hex: `000c ${classNum}02 0000001000000011`,
    fields: { label: '0000001000000011' },
  },
  {
    name: `${name}, a waveband`,
    hex: `0010 ${classNum}03 00000001 00000010 0000001f`,
    fields: { wavebandId: 1, startLabel: 16, endLabel: 31 },
  },
];

const trafficEngineering: readonly Vector[] = [
  {
    name: 'SESSION LSP_TUNNEL_IPv4 (RFC 3209 4.6.1.1)',
    hex: '0010 0107 c0000201 0000 0064 c0000202',
    fields: { tunnelEndPointAddress: '192.0.2.1', tunnelId: 100, extendedTunnelId: '192.0.2.2' },
  },
  {
    name: 'SESSION LSP_TUNNEL_IPv6 (RFC 3209 4.6.1.2)',
    hex: `0028 0108 ${V6} 0000 0064 ${V6B}`,
    fields: { tunnelEndPointAddress: '2001:db8::1', tunnelId: 100, extendedTunnelId: '2001:db8::2' },
  },
  {
    name: 'SENDER_TEMPLATE LSP_TUNNEL_IPv4 (RFC 3209 4.6.2.1)',
    hex: '000c 0b07 c0000201 0000 0005',
    fields: { tunnelSenderAddress: '192.0.2.1', lspId: 5 },
  },
  {
    name: 'SENDER_TEMPLATE LSP_TUNNEL_IPv6 (RFC 3209 4.6.2.2)',
    hex: `0018 0b08 ${V6} 0000 0005`,
    fields: { tunnelSenderAddress: '2001:db8::1', lspId: 5 },
  },
  {
    name: 'FILTER_SPEC LSP_TUNNEL_IPv4 (RFC 3209 4.6.3.1)',
    hex: '000c 0a07 c0000201 0000 0005',
    fields: { tunnelSenderAddress: '192.0.2.1', lspId: 5 },
  },
  {
    name: 'FILTER_SPEC LSP_TUNNEL_IPv6 (RFC 3209 4.6.3.2)',
    hex: `0018 0a08 ${V6} 0000 0005`,
    fields: { tunnelSenderAddress: '2001:db8::1', lspId: 5 },
  },
  {
    name: 'LABEL_REQUEST (RFC 3209 4.2.1)',
    hex: '0008 1301 0000 0800',
    fields: { l3pid: 0x0800 },
  },
  {
    name: 'LABEL_REQUEST with an ATM label range (RFC 3209 4.2.2)',
    hex: '0010 1302 0000 0800 8001 0020 0fff ffff',
    fields: { l3pid: 0x0800, m: 1, minimumVpi: 1, minimumVci: 32, maximumVpi: 4095, maximumVci: 65535 },
  },
  {
    // Seven reserved bits, DLI 2 (binary 10), then 23 bits of DLCI: 0000000 1 | 0 0000000 00000000 00010000.
    name: 'LABEL_REQUEST with a Frame Relay label range (RFC 3209 4.2.3)',
    hex: '0010 1303 0000 0800 01000010 007fffff',
    fields: { l3pid: 0x0800, dli: 2, minimumDlci: 16, maximumDlci: 8388607 },
  },
  {
    name: 'LABEL_REQUEST, generalized (RFC 3473 2.1)',
    hex: '0008 1304 01 01 0800',
    fields: { lspEncodingType: 1, switchingType: 1, gPid: 0x0800 },
  },
  ...label('10', 'LABEL (RFC 3209 4.1, RFC 3473 2.3, 2.4)'),
  ...label('22', 'RECOVERY_LABEL (RFC 3473 9.2)'),
  ...label('23', 'UPSTREAM_LABEL (RFC 3473 3)'),
  ...label('81', 'SUGGESTED_LABEL (RFC 3473 2.5)'),
  {
    name: 'LABEL_SET (RFC 3473 2.6)',
    hex: '0010 2401 02 000001 00000010 0000001f',
    fields: { action: 2, labelType: 1, subchannels: [16, 31] },
  },
  {
    name: 'ACCEPTABLE_LABEL_SET (RFC 3473 4.1)',
    hex: '000c 8201 00 000002 00000010',
    fields: { action: 0, labelType: 2, subchannels: [16] },
  },
  {
    name: 'EXPLICIT_ROUTE with each sub-object (RFC 3209 4.3.3, RFC 3473 5.1, RFC 3477 4)',
    hex:
      `003c 1401 01 08 c0000201 20 00 82 14 ${V6} 40 00 ` +
      '03 08 80 01 00000010 04 0c 0000 c0000202 00000003 a0 04 fde8 7e 04 0102',
    fields: {
      subObjects: [
        { subObject: 'IPv4 prefix', type: 1, loose: 0, length: 8, address: '192.0.2.1', prefixLength: 32 },
        { subObject: 'IPv6 prefix', type: 2, loose: 1, length: 20, address: '2001:db8::1', prefixLength: 64 },
        { subObject: 'label', type: 3, loose: 0, length: 8, flags: 128, labelCType: 1, label: [16] },
        {
          subObject: 'unnumbered interface',
          type: 4,
          loose: 0,
          length: 12,
          routerId: '192.0.2.2',
          interfaceId: 3,
        },
        { subObject: 'autonomous system', type: 32, loose: 1, length: 4, autonomousSystem: 65000 },
        { subObject: 'unknown(126)', type: 126, loose: 0, length: 4, body: '0102' },
      ],
    },
  },
  {
    name: 'RECORD_ROUTE with each sub-object (RFC 3209 4.4.1, RFC 3477 5)',
    hex:
      `0038 1501 01 08 c0000201 20 03 02 14 ${V6} 80 00 ` +
      '03 08 01 01 00000010 04 0c 01 00 c0000202 00000003 fe 04 0102',
    fields: {
      subObjects: [
        { subObject: 'IPv4 address', type: 1, length: 8, address: '192.0.2.1', prefixLength: 32, flags: 3 },
        {
          subObject: 'IPv6 address',
          type: 2,
          length: 20,
          address: '2001:db8::1',
          prefixLength: 128,
          flags: 0,
        },
        { subObject: 'label', type: 3, length: 8, flags: 1, labelCType: 1, label: [16] },
        {
          subObject: 'unnumbered interface',
          type: 4,
          length: 12,
          flags: 1,
          routerId: '192.0.2.2',
          interfaceId: 3,
        },
        { subObject: 'unknown(254)', type: 254, length: 4, body: '0102' },
      ],
    },
  },
  {
    name: 'HELLO REQUEST (RFC 3209 5.2.1)',
    hex: '000c 1601 00000001 00000000',
    fields: { srcInstance: 1, dstInstance: 0 },
  },
  {
    name: 'HELLO ACK (RFC 3209 5.2.2)',
    hex: '000c 1602 00000002 00000001',
    fields: { srcInstance: 2, dstInstance: 1 },
  },
  {
    name: 'SESSION_ATTRIBUTE LSP_TUNNEL with a name of five octets (RFC 3209 4.7.1)',
    hex: '0010 cf07 07 03 04 05 6c73703a31 000000',
    fields: { setupPriority: 7, holdingPriority: 3, flags: 4, nameLength: 5, sessionName: 'lsp:1' },
  },
  {
    name: 'SESSION_ATTRIBUTE with other octets in the padding',
    hex: '000c cf07 07 03 04 03 616263 21',
    fields: {
      setupPriority: 7,
      holdingPriority: 3,
      flags: 4,
      nameLength: 3,
      sessionName: 'abc',
      reservedPadding: '21',
    },
  },
  {
    name: 'SESSION_ATTRIBUTE LSP_TUNNEL_RA (RFC 3209 4.7.2)',
    hex: '0018 cf01 00000001 00000002 00000004 00 00 03 04 6c737031',
    fields: {
      excludeAny: 1,
      includeAny: 2,
      includeAll: 4,
      setupPriority: 0,
      holdingPriority: 0,
      flags: 3,
      nameLength: 4,
      sessionName: 'lsp1',
    },
  },
  {
    name: 'RSVP_HOP IPv4 IF_ID (RFC 3473 8.1.1)',
    hex: '0030 0303 c0000201 00000001 0001 0008 c0000203 0003 000c c0000204 00000009 0004 000c c0000205 00000001 0063 0004',
    fields: {
      hopAddress: '192.0.2.1',
      logicalInterfaceHandle: 1,
      tlvs: [
        { tlv: 'IPv4', type: 1, length: 8, address: '192.0.2.3' },
        { tlv: 'IF_INDEX', type: 3, length: 12, address: '192.0.2.4', interfaceId: 9 },
        { tlv: 'COMPONENT_IF_DOWNSTREAM', type: 4, length: 12, address: '192.0.2.5', interfaceId: 1 },
        { tlv: 'unknown(99)', type: 99, length: 4, body: '' },
      ],
    },
  },
  {
    name: 'RSVP_HOP IPv6 IF_ID (RFC 3473 8.1.1)',
    hex: `002c 0304 ${V6} 00000001 0002 0014 ${V6B}`,
    fields: {
      hopAddress: '2001:db8::1',
      logicalInterfaceHandle: 1,
      tlvs: [{ tlv: 'IPv6', type: 2, length: 20, address: '2001:db8::2' }],
    },
  },
  {
    name: 'ERROR_SPEC IPv4 IF_ID (RFC 3473 8.2.1)',
    hex: '0018 0603 c0000201 00 18 0005 0005 000c c0000204 00000009',
    fields: {
      errorNodeAddress: '192.0.2.1',
      flags: 0,
      errorCode: 24,
      errorValue: 5,
      tlvs: [{ tlv: 'COMPONENT_IF_UPSTREAM', type: 5, length: 12, address: '192.0.2.4', interfaceId: 9 }],
    },
  },
  {
    name: 'ERROR_SPEC IPv6 IF_ID (RFC 3473 8.2.1)',
    hex: `0018 0604 ${V6} 04 18 0001`,
    fields: { errorNodeAddress: '2001:db8::1', flags: 4, errorCode: 24, errorValue: 1, tlvs: [] },
  },
  {
    name: 'PROTECTION (RFC 3473 6)',
    hex: '0008 2501 80000014',
    fields: { secondary: true, linkFlags: 0x14 },
  },
  {
    name: 'ADMIN_STATUS (RFC 3473 7.1)',
    hex: '0008 c401 80000005',
    fields: { reflect: true, testing: true, administrativelyDown: false, deletion: true },
  },
  {
    name: 'NOTIFY_REQUEST IPv4 (RFC 3473 4.2.1)',
    hex: '0008 c301 c0000201',
    fields: { notifyNodeAddress: '192.0.2.1' },
  },
  {
    name: 'NOTIFY_REQUEST IPv6 (RFC 3473 4.2.1)',
    hex: `0014 c302 ${V6}`,
    fields: { notifyNodeAddress: '2001:db8::1' },
  },
  {
    name: 'RESTART_CAP (RFC 3473 9.1)',
    hex: '000c 8301 00002710 ffffffff',
    fields: { restartTime: 10000, recoveryTime: 4294967295 },
  },
  {
    name: 'CAPABILITY (RFC 5063 4.2)',
    hex: '0008 8601 00000006',
    fields: {
      recoveryPathTransmitEnabled: true,
      recoveryPathDesired: true,
      recoveryPathSrefreshCapable: false,
    },
  },
];

export const VECTORS: readonly Vector[] = [
  ...rfc2205,
  ...rfc2210,
  ...policy,
  ...extensions,
  ...trafficEngineering,
];

export const BAD_VECTORS: readonly BadVector[] = [
  { name: 'an object of length 0', hex: '0000 0101', code: 'length', offset: 0 },
  { name: 'an object of length 3', hex: '0003 0101', code: 'length', offset: 0 },
  { name: 'an object of length 6', hex: '0006 0501 0000 7530', code: 'length', offset: 0 },
  { name: 'an object longer than the message', hex: '0010 0501 00007530', code: 'length', offset: 0 },
  { name: 'a SESSION without its ports', hex: '0008 0101 0a090002', code: 'truncated', offset: 4 },
  { name: 'a TIME_VALUES without its period', hex: '0004 0501', code: 'truncated', offset: 4 },
  {
    name: 'a SCOPE of half an IPv6 address',
    hex: '000c 0702 20010db8 00000000',
    code: 'truncated',
    offset: 4,
  },
  {
    name: 'a rate that is not a number',
    hex: '0014 0d02 0000 0003 05 00 0002 0600 0001 7fc00000',
    code: 'value',
    offset: 16,
  },
  { name: 'an int-serv version that is not 0', hex: '0008 0902 1000 0000', code: 'value', offset: 4 },
  {
    name: 'services longer than the object',
    hex: '000c 0902 0000 0002 05 00 0000',
    code: 'length',
    offset: 6,
  },
  {
    name: 'a service longer than the services',
    hex: '000c 0902 0000 0001 05 00 0001',
    code: 'length',
    offset: 8,
  },
  {
    name: 'a parameter longer than its service',
    hex: '0014 0902 0000 0003 05 00 0002 0600 0002 47f42400',
    code: 'length',
    offset: 12,
  },
  {
    name: 'a token bucket of one word',
    hex: '0014 0902 0000 0003 05 00 0002 7f00 0001 47f42400',
    code: 'truncated',
    offset: 16,
  },
  { name: 'a Data Offset inside the header', hex: '0008 0e01 0004 0000', code: 'length', offset: 4 },
  { name: 'a Data Offset behind the object', hex: '0008 0e01 000c 0000', code: 'length', offset: 4 },
  { name: 'a policy element of length 0', hex: '000c 0e01 0008 0000 0000 0002', code: 'length', offset: 8 },
  {
    name: 'a policy element of length 6',
    hex: '0010 0e01 0008 0000 0006 0002 0000 0000',
    code: 'length',
    offset: 8,
  },
  {
    name: 'an attribute longer than its element',
    hex: '0010 0e01 0008 0000 0008 0002 0005 0101',
    code: 'length',
    offset: 12,
  },
  {
    name: 'an attribute of length 3',
    hex: '0010 0e01 0008 0000 0008 0002 0003 0101',
    code: 'length',
    offset: 12,
  },
  {
    name: 'a preemption priority of one word',
    hex: '0010 0e01 0008 0000 0008 0001 00 01 00 00',
    code: 'truncated',
    offset: 12,
  },
  { name: 'a sub-object of length 0', hex: '0008 1401 01 00 0000', code: 'length', offset: 4 },
  { name: 'a sub-object of length 6', hex: '000c 1401 01 06 00000000 0000', code: 'length', offset: 4 },
  {
    name: 'a session name longer than the object',
    hex: '000c cf07 07 03 04 05 61626364',
    code: 'length',
    offset: 7,
  },
  {
    name: 'an INTEGRITY without a sequence number',
    hex: '000c 0401 80 00 0a0000000001',
    code: 'truncated',
    offset: 4,
  },
];
