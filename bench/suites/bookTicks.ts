/**
 * From a tick to the figures of the accounts that it concerns. One tick at a time, of spot and all forwards of one of ten underlyings in turn,
 * sent when all figures are current; the clock runs from the call of the desk to the moment when the account's new figures are durable.
 */
import { join } from 'node:path';
import type { Desk } from '../../src/book/desk/desk.ts';
import { touchedBy } from '../../src/book/desk/exposure.ts';
import { digestOf } from '../digest.ts';
import { atMost, type Line, samplesOf, spreadOf } from '../line.ts';
import {
  inFolder,
  line,
  openSite,
  type PresetName,
  quantile,
  type SiteOptions,
  SMALL,
} from './bookSite.ts';

/** Spot, two perpetuals, 3 futures and 94 options of each underlying. */
const FULL = {
  market: { underlyings: 10, options: 940, futureExpiries: 3 },
  scenarios: 10_240,
  accounts: 2_000,
  positions: 20,
  /** The first ones run code that is not optimised yet. */
  warmUp: 10,
  ticks: 30,
};
const QUICK = { ...SMALL, warmUp: 1, ticks: 3 };
const NEAREST = 10;
const LAST_MS = 250;
const NEAREST_MS = 25;

/** Milliseconds from the call of the desk. */
interface TickTimes {
  readonly affected: number;
  readonly durable: number;
  readonly nearest: number;
  readonly last: number;
}

export function ticks(preset: PresetName, quick: boolean): Promise<readonly Line[]> {
  const { warmUp, ticks: count, ...size } = quick ? QUICK : FULL;
  return inFolder(async (folder) => {
    const options: SiteOptions = { ...size, preset };
    const site = await openSite(join(folder, 'book.db'), options);
    try {
      const { desk } = site;
      await desk.quiet();
      const times: TickTimes[] = [];
      for (let n = 0; n < warmUp + count; n++) {
        const one = await oneTick(desk, n);
        if (n >= warmUp) times.push(one);
      }
      return linesOf(preset, size, times, hashOfFigures(desk));
    } finally {
      await site.close();
    }
  });
}

async function oneTick(desk: Desk, n: number): Promise<TickTimes> {
  const { underlyings, asOf } = desk.market;
  const { id, spot, forwards = [] } = underlyings[n % underlyings.length]!;
  // Up and down in turn, so that accounts do not drift away from where they began.
  const factor = Math.floor(n / underlyings.length) % 2 === 0 ? 1.002 : 1 / 1.002;
  const tick = {
    sequence: n,
    underlying: id,
    asOf: new Date(Date.parse(asOf) + 1_000 * (n + 1)).toISOString(),
    spot: spot * factor,
    forwards: forwards.map(({ expiry, price }) => ({ expiry, price: price * factor })),
  };
  const affected = holdersOf(desk, id);
  const nearest = affected.slice(0, NEAREST);
  const seen = new Map<string, number>();
  const stop = desk.journal.listen((records) => {
    const at = performance.now();
    for (const { kind, body } of records) {
      if (kind === 'margin') seen.set((body as { readonly account: string }).account, at);
    }
  });
  const start = performance.now();
  await desk.ticks({ source: 'bench', ticks: [tick] });
  const durable = performance.now() - start;
  await desk.quiet();
  stop();
  const lastOf = (ids: readonly string[]): number =>
    ids.reduce((last, account) => {
      const at = seen.get(account);
      if (at === undefined) throw new Error(`${account} has no new figures after a tick of ${id}`);
      return Math.max(last, at - start);
    }, 0);
  return { affected: affected.length, durable, nearest: lastOf(nearest), last: lastOf(affected) };
}

/** Accounts whose margin hangs on an underlying, nearest to a threshold first. */
function holdersOf(desk: Desk, underlying: string): readonly string[] {
  const { book } = desk;
  const held = [...book.accounts.values()].filter((account) =>
    touchedBy(book, account).has(underlying),
  );
  const nearness = (id: string): number => desk.latest(id)!.nearness;
  return held.map(({ id }) => id).sort((a, b) => nearness(a) - nearness(b));
}

function hashOfFigures(desk: Desk): string {
  const hashes = Array.from(desk.book.accounts.keys(), (id) => desk.latest(id)!.hash);
  return digestOf(Buffer.from(hashes.join('\n')));
}

function linesOf(
  preset: PresetName,
  { accounts, positions, scenarios }: Omit<SiteOptions, 'preset'>,
  times: readonly TickTimes[],
  hash: string,
): readonly Line[] {
  const affected = times.reduce((sum, one) => sum + one.affected, 0) / times.length;
  const durable = times.map((one) => one.durable).sort((a, b) => a - b);
  const measured = (what: 'nearest' | 'last', name: string, boundMs: number): Line => {
    const sorted = times.map((one) => one[what]).sort((a, b) => a - b);
    const samples = samplesOf(sorted.map((ms) => ms / 1000));
    const p50Ms = 1000 * samples.median;
    return line({
      name: preset === 'market-risk' ? `${name}, market risk alone` : name,
      rate: 1 / samples.best,
      unit: 'ticks/s',
      seconds: samples.best,
      per: 'tick',
      spread: spreadOf(samples),
      figures: {
        p50Ms,
        p90Ms: quantile(sorted, 0.9),
        maxMs: sorted.at(-1)!,
        tickDurableP50Ms: quantile(durable, 0.5),
        accountsAffected: affected,
      },
      hash,
      targets: [atMost('p50Ms', p50Ms, boundMs)],
      notes: [
        `p50 ${p50Ms.toFixed(1)} ms, p90 ${quantile(sorted, 0.9).toFixed(1)} ms over ${times.length} ticks; ${Math.round(affected)} of ${accounts} accounts of ${positions} positions concerned, ${scenarios} scenarios, methodology ${preset}`,
      ],
    });
  };
  return [
    measured('last', 'tick to last account', LAST_MS),
    measured('nearest', 'tick to ten nearest', NEAREST_MS),
  ];
}
