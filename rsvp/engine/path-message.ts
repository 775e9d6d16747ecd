import { TimeValues } from '../wire/index.js';
import type { RsvpInput, WireObject } from '../wire/index.js';
import { updateAdspec } from './adspec.js';
import { thaw, thawAll } from './frozen.js';
import type { Frozen } from './frozen.js';
import { E_POLICE, hopObject, LOCAL, sessionObject, templateObject } from './identity.js';
import type { NodeInterface } from './node.js';
import type { Path, PathAdvert, PathContents } from './state.js';

/** PATH REFRESH (RFC 2209 2): objects in the order of RFC 2205 3.1.3. TIME_VALUES is put in by the exchange. */

export const PATH = 1;
export const PATH_TEAR = 5;

export function pathMessage({ path, interface: index, policy }: PathAdvert): RsvpInput {
  const { core, session, sender } = path;
  const contents = path.contents as PathContents;
  const link = core.interface(index);
  const policyData = policy?.replacement ?? path.policy?.replacement ?? contents.policy;
  return {
    msgType: PATH,
    objects: [
      sessionObject(session, isEntryPoliced(path) ? E_POLICE : 0),
      hopObject(core.addressOf(index, session), index),
      ...thawAll(policyData, core.options.codec),
      ...thawAll(contents.extra),
      templateObject(sender),
      thaw(contents.tspec),
      ...adspecFor(path, contents, link),
    ],
  };
}

/** RFC 2205 3.8: the flag goes on until the first node that is capable of policing. */
function isEntryPoliced({ core, contents }: Path): boolean {
  return contents?.isEntryPolice === true && !core.options.isPolicing;
}

function adspecFor(
  path: Path,
  contents: PathContents,
  link: NodeInterface | undefined,
): readonly WireObject[] {
  if (contents.adspec === '') return [];
  const adspec = thaw(contents.adspec);
  if (link === undefined) return [adspec];
  const isAfterNonRsvpHop = contents.isAfterNonRsvpHop;
  return [
    updateAdspec(adspec, { interface: link, isAfterNonRsvpHop, isIsHop: path.core.options.isPolicing }),
  ];
}

/** RFC 2205 3.1.5. Objects of unknown classes are those of the tear that it comes of, not those of the Path (3.10). */
export function pathTearMessage(path: Path, index: number, extra: readonly Frozen[]): RsvpInput {
  const { core, session, sender } = path;
  return {
    msgType: PATH_TEAR,
    objects: [
      sessionObject(session),
      hopObject(core.addressOf(index, session), index),
      ...thawAll(extra),
      templateObject(sender),
      ...(path.contents === undefined ? [] : [thaw(path.contents.tspec)]),
    ],
  };
}

/** The objects of a Path as it came, for policy (RFC 2749 2.3). */
export function pathObjects(path: Path, contents: PathContents): readonly WireObject[] {
  const { core, session, sender } = path;
  return [
    sessionObject(session, contents.isEntryPolice ? E_POLICE : 0),
    ...(contents.incoming === LOCAL ? [] : [hopObject(contents.hop, contents.handle)]),
    TimeValues.make({ refreshPeriod: contents.refreshPeriod }),
    ...thawAll(contents.policy, core.options.codec),
    templateObject(sender),
    thaw(contents.tspec),
    ...(contents.adspec === '' ? [] : [thaw(contents.adspec)]),
  ];
}
