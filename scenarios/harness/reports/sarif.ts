/** What was broken, in the format that code scanners leave their findings in: each stands at the contract's line. */
import { fingerprint } from '../law.ts';
import { placeOf } from './place.ts';
import { brokenIn, type Reported } from './reported.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

export function sarif(reported: Reported): string {
  const { laws, judged, contracts } = reported;
  const known = new Map([...laws, ...judged.flatMap(({ by = [] }) => by)].map((law) => [law.id, law.sentence]));
  const rules = Array.from(known, ([id, sentence]) => ({ id, shortDescription: { text: sentence } }));
  const results = brokenIn(reported).map(({ violation, judged: { name }, sentence }) => {
    const { law, subject, expected, seen } = violation;
    const place = placeOf(contracts, violation);
    const logical = { logicalLocations: [{ name: subject, fullyQualifiedName: `${name}: ${subject}` }] };
    const physical = place && {
      physicalLocation: { artifactLocation: { uri: place.file }, region: { startLine: place.line } },
    };
    return {
      ruleId: law,
      level: 'error',
      message: { text: `${sentence} ${subject}: expected ${expected}, seen ${seen}` },
      locations: [{ ...physical, ...logical }],
      partialFingerprints: { 'onesim/v1': fingerprint(violation) },
    };
  });
  const run = { tool: { driver: { name: 'onesim', rules } }, columnKind: 'utf16CodeUnits', results };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}
