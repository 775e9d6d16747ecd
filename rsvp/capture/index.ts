export { addressText, parseAddress } from './address.js';
export { decodeCapture, CaptureDecoder, readCapture, type CaptureOptions } from './decoder.js';
export type { Fault, FaultCode } from './fault.js';
export { PROTOCOL, type Packet } from './packet.js';
export type { Frame } from './frame.js';
export { CaptureReader } from './reader.js';
export { LINK } from './link.js';
export { timestampMillis, timestampOfMillis, timestampText, type Timestamp } from './time.js';
export { pcapFile, pcapHeader, pcapRecord, type PcapOptions, type TimedOctets } from './write.js';
export {
  buildIp,
  buildIpv4,
  buildIpv6,
  buildUdp,
  ethernetFrame,
  fragmentIpv4,
  fragmentIpv6,
  type IpFields,
} from './build-ip.js';
export { buildTcp, TCP_FLAG, TcpConversation, type TcpEnd, type TcpFields } from './build-tcp.js';
