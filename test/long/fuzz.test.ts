/** Any bytes for an account: an answer or a typed error, never a fault of ours, never a figure that is not a number. */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { demoAccounts } from '../../src/book/demoAccounts.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';

const { market, factors } = demoMarket({ underlyings: 2, seed: 'fuzz' });
const seeds = [...demoAccounts({ market, count: 50, positions: 6, seed: 'fuzz' })].map((account) =>
  JSON.stringify(account),
);
const engine = await createEngine({ market, factors, workers: 2, methodology: { scenarios: 256 } });

afterAll(() => engine.close());

const odd = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '"1"',
    'NaN',
    '1e999',
    '-0',
    '5e-324',
    '9007199254740993',
    '1e308',
    '""',
    '[]',
    '{}',
    '"\\ud800"',
  ),
  fc.json({ maxDepth: 2 }),
);
/** A valid account, and perhaps one of its values replaced, a key renamed, a byte changed or its end cut off. */
const documents = fc
  .record({
    base: fc.constantFrom(...seeds),
    at: fc.nat(1_000_000),
    kind: fc.constantFrom('none', 'none', 'value', 'key', 'byte', 'cut', 'any'),
    text: odd,
    byte: fc.nat(255),
  })
  .map(({ base, at, kind, text, byte }) => {
    if (kind === 'none') return Buffer.from(base);
    if (kind === 'any') return Buffer.from(text);
    if (kind === 'cut') return Buffer.from(base.slice(0, at % base.length));
    if (kind === 'byte') {
      const bytes = Buffer.from(base);
      bytes[at % bytes.length] = byte;
      return bytes;
    }
    const pattern = kind === 'key' ? /"\w+"(?=:)/g : /(?<=:)("[^"]*"|-?[\d.e+-]+)/g;
    const places = [...base.matchAll(pattern)];
    const place = places[at % places.length]!;
    return Buffer.from(
      base.slice(0, place.index) +
        (kind === 'key' ? '"x"' : text) +
        base.slice(place.index + place[0].length),
    );
  });

it('200,000 spoiled documents', async () => {
  let answered = 0;
  let total = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(documents, { minLength: 50, maxLength: 200 }), async (batch) => {
      const outcomes = await Promise.all(batch.map((bytes) => engine.marginDocument(bytes)));
      total += batch.length;
      for (const outcome of outcomes) {
        if ('error' in outcome) expect(outcome.error.code).not.toBe('INTERNAL');
        else {
          answered += 1;
          for (const figure of [
            outcome.initialMargin,
            outcome.maintenanceMargin,
            outcome.equity,
            outcome.risk.valueAtRisk,
          ]) {
            expect(Number.isFinite(figure)).toBe(true);
          }
        }
      }
    }),
    { seed: 20_260_102, numRuns: 2_600 },
  );
  expect(total).toBeGreaterThan(190_000);
  // A fuzz whose documents never pass tests only the first check.
  expect(answered / total).toBeGreaterThan(0.15);
});
