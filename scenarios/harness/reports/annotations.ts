/** What was broken, as GitHub's workflow commands: printed by a step, each is shown at the contract's line. */
import { placeOf } from './place.ts';
import { brokenIn, type Reported } from './reported.ts';

export function annotations(reported: Reported): string {
  return brokenIn(reported)
    .map(({ violation, judged, sentence }) => {
      const { law, subject, expected, seen } = violation;
      const place = placeOf(reported.contracts, violation);
      const at = place === undefined ? '' : `file=${property(place.file)},line=${place.line},`;
      const text = `${sentence} ${judged.name}, ${subject}: expected ${expected}, seen ${seen}`;
      return `::error ${at}title=${property(`${law} ${subject}`)}::${escaped(text)}\n`;
    })
    .join('');
}

const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
