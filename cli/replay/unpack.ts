import type { WireObject } from '../../rsvp/wire/index.js';
import { senderText, styleText } from '../flow.js';

/**
 * The flows of a Resv, one list of objects each: "A packed message must be unpacked where a separate request is issued for
 * each of the packed flows as if they were individual RSVP messages", with all its POLICY_DATA (RFC 2749 3.1). Only FF
 * packs several; a FLOWSPEC stands for the flows behind it as well (RFC 2205 3.1.4).
 */
export function unpackFlows(objects: readonly WireObject[]): (readonly WireObject[])[] {
  if (styleText(objects) !== 'FF') return [objects];
  const style = objects.findIndex((object) => object.class === 'STYLE');
  const common = objects.slice(0, style + 1);
  const flows: WireObject[][] = [];
  let flowspec: WireObject | undefined;
  for (const object of objects.slice(style + 1)) {
    if (object.class === 'FLOWSPEC') flowspec = object;
    else if (object.class === 'FILTER_SPEC')
      flows.push(flowspec === undefined ? [object] : [flowspec, object]);
    // What stands behind a FILTER_SPEC belongs to it (LABEL of RFC 3209 3.2); POLICY_DATA out of its place to all.
    else if (object.class === 'POLICY_DATA' || flows.length === 0) common.push(object);
    else flows.at(-1)?.push(object);
  }
  return flows.length <= 1 ? [objects] : flows.map((flow) => [...common, ...flow]);
}

/** The objects without some senders; undefined where none is left. */
export function withoutSenders(
  objects: readonly WireObject[],
  gone: ReadonlySet<string>,
): readonly WireObject[] | undefined {
  const left = objects.filter((object) => object.class !== 'FILTER_SPEC' || !gone.has(senderText(object)));
  return left.some((object) => object.class === 'FILTER_SPEC') ? left : undefined;
}
