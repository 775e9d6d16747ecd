import { Command, Argument } from 'commander';
import { encodeLines } from './decode/encode-lines.js';
import { LineWriter } from './terminal.js';

export function command(): Command {
  return new Command('encode')
    .description('Encode messages from JSON on stdin, one a line, to hex on stdout.')
    .addArgument(new Argument('<protocol>', 'what the messages are').choices(['rsvp', 'cops']))
    .addHelpText('after', EXAMPLES)
    .action(async (protocol: 'rsvp' | 'cops') => {
      process.exitCode = await encodeLines(protocol, process.stdin, new LineWriter());
    });
}

const EXAMPLES = `
A line is a message as \`bandex decode --json\` writes it: the whole line, or its \`rsvp\` or \`cops\` alone.
Lengths follow from the contents; a checksum that is left out is computed. A line that is no message is
said on stderr with the place that is wrong, and the exit code is then 3.

Examples:
  bandex decode --json link.pcap | bandex encode rsvp
  echo '{"type":"Path","ttl":64,"objects":[
    {"class":"SESSION","cType":1,"destAddress":"10.9.2.2","protocolId":17,"flags":0,"dstPort":5000}]}' |
    tr -d '\\n' | bandex encode rsvp`;
