/** The small log of a real desk, and how its texts may be spoiled. */
import { openDesk } from '../../../src/book/desk/desk.ts';
import { openStore } from '../../../src/book/store/store.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { readFactorModel } from '../../../src/market/factorModel.ts';
import { readSnapshot } from '../../../src/market/snapshot.ts';
import { SMALL_FACTORS, SMALL_MARKET } from '../../cli/command.ts';

/** Accounts, collateral, fills with keys and answers, a tick, published margins, changes of state, a margin call; and a snapshot. */
export async function writeLog(location: string): Promise<void> {
  const engine = await createEngine({
    market: readSnapshot(SMALL_MARKET),
    factors: readFactorModel(SMALL_FACTORS),
    methodology: { scenarios: 200 },
    workers: 1,
  });
  const store = await openStore(location);
  const desk = await openDesk({ store, engine });
  const collateral = [{ asset: 'USD', amount: 12_000 }];
  await desk.command({ do: 'put-account', account: { id: 'a', collateral } });
  const fill = { id: 'f-1', instrument: 'BTC-LINEAR', size: 1, price: 90_000 };
  const filled = { do: 'fill', account: 'a', fills: [fill] };
  await desk.command(filled, { key: 'key-1', body: filled });
  await desk.quiet();
  const tick = { sequence: 1, underlying: 'BTC', asOf: '2026-01-02T08:00:01Z', spot: 85_000 };
  await desk.ticks({ source: 'feed', ticks: [tick] });
  await desk.quiet();
  const moved = { do: 'move-collateral', account: 'a', asset: 'USD', amount: 9, reason: 'é 🚢' };
  await desk.command(moved, { key: 'key-2', body: moved });
  await desk.close();
  await store.close();
  await engine.close();
}

/** The text with one character changed, one too many and one too few; something where there was nothing, and nothing where there was something. */
export function* spoiled(text: string | null): Generator<string | null> {
  if (text === null) {
    yield '1';
    yield '';
    return;
  }
  for (let i = 0; i < text.length; i++) {
    // Half of a pair of surrogates is no text: the pair goes together.
    const there = String.fromCodePoint(text.codePointAt(i)!);
    if (/[\udc00-\udfff]/.test(there)) continue;
    yield text.slice(0, i) + (there === '0' ? '1' : '0') + text.slice(i + there.length);
  }
  yield `${text} `;
  yield text.slice(0, -1);
}
