/** Whole surfaces: SVI slices fitted to a chain, volatilities implied by prices, and a smile read in every scenario. */
import { impliedVolatility } from '../../src/market/impliedVolatility.ts';
import { sliceParameters } from '../../src/market/sliceTable.ts';
import { compileSurface, type VolatilitySurface } from '../../src/market/surface.ts';
import { sviTotalVariance } from '../../src/market/svi.ts';
import { fitSlices } from '../../src/market/sviSurface.ts';
import { black76, exp } from '../../src/numerics.ts';
import { contest, KERNEL_EFFORT, QUICK_EFFORT, type Timed } from '../contest.ts';
import type { Suite } from '../context.ts';
import { openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { atMost, type Line, spreadOf, type Target } from '../line.ts';

const DAY = 86_400_000;
const AS_OF = Date.UTC(2026, 0, 2, 8);
const FORWARD = 90_000;
/** As an exchange lists them: dense near expiry, and half of the quotes on the quarterly ones. */
const EXPIRIES = [1, 2, 3, 4, 11, 18, 32, 60, 88, 179, 270, 361];
const SECONDS_MAX = 1;

export const surface: Suite = {
  name: 'surface',
  about: 'SVI slices, implied volatilities and moving smiles, one core',
  async run({ quick }) {
    const effort = quick ? QUICK_EFFORT : KERNEL_EFFORT;
    const days = quick ? EXPIRIES.slice(4, 6) : EXPIRIES;
    const quotes = chain(days, quick ? 9 : 50);
    const items = quotes.slices.reduce((sum, slice) => sum + slice.strikes.length, 0);
    const fitted = fitSlices(quotes.slices);
    const parameters = fitted.slices.flatMap(({ svi }) => Object.values(svi!));
    const run = () => void fitSlices(quotes.slices);
    const [fit] = await contest([{ name: 'ours', items, run }], effort);
    // A BTC and an ETH chain have some 800 quotes in 24 slices: two of these.
    const target = atMost('seconds', fit!.best, SECONDS_MAX / 2);
    const fits = lineOf('SVI slices', 'quotes/s', fit!, digestOf(Float64Array.from(parameters)), [
      target,
    ]);
    return [fits, await implied(quotes, effort), ...(await moving(quotes, effort, quick))];
  },
};

/** Smiles of a known shape, with the ripple of quotes that no SVI slice meets exactly. */
function chain(days: readonly number[], strikes: number): VolatilitySurface {
  const forwards = new Map(days.map((day) => [AS_OF + day * DAY, FORWARD]));
  const records = days.map((day) => {
    const maturity = day / 365;
    const level = Math.sqrt(maturity);
    const slice = { a: 0.1 * maturity, b: 0.12 * level, rho: -0.15, m: 0.02, sigma: 0.6 * level };
    const reach = 3 * Math.sqrt(sviTotalVariance(slice, 0));
    return {
      expiry: new Date(AS_OF + day * DAY).toISOString(),
      quotes: Array.from({ length: strikes }, (_, i) => {
        const k = reach * ((2 * i) / (strikes - 1) - 1);
        const ripple = 0.001 * (((i * 7) % 5) - 2);
        const iv = Math.sqrt(sviTotalVariance(slice, k) / maturity) + ripple;
        return { strike: FORWARD * exp(k), iv };
      }),
    };
  });
  return compileSurface(records, forwards, AS_OF);
}

async function implied({ slices }: VolatilitySurface, effort: typeof KERNEL_EFFORT): Promise<Line> {
  const options = slices.flatMap(({ strikes, totalVariances, maturity }) =>
    [...strikes].map((strike, i) => {
      const right = strike < FORWARD ? -1 : 1;
      const price = black76(FORWARD, strike, Math.sqrt(totalVariances[i]!), right);
      return { price, strike, maturity, right } as const;
    }),
  );
  const found = new Float64Array(options.length);
  const run = (): void => {
    options.forEach(({ price, strike, maturity, right }, i) => {
      found[i] = impliedVolatility(price, FORWARD, strike, maturity, right);
    });
  };
  const [timed] = await contest([{ name: 'ours', items: options.length, run }], effort);
  return lineOf('implied volatilities', '/s', timed!, digestOf(found));
}

async function moving(
  quotes: VolatilitySurface,
  effort: typeof KERNEL_EFFORT,
  quick: boolean,
): Promise<Line[]> {
  const n = quick ? 64 : 8192;
  const desk = openDesk(1 << 20);
  const { kernels } = desk;
  const [moves, up, down, table] = [n, n, n, 256].map((size) => desk.array(size));
  moves!.values.forEach((_, i) => {
    moves!.values[i] = 0.4 * (((i * 2_654_435_761) % 65_536) / 32_768 - 1);
  });
  const lines: Line[] = [];
  const fitted = { slices: fitSlices(quotes.slices).slices };
  for (const [name, of] of [
    ['smile, quoted', quotes],
    ['smile, SVI', fitted],
  ] as const) {
    const slice = of.slices[of.slices.length >> 1]!;
    table!.values.set(sliceParameters(of, slice.expiryMs, slice.maturity)!.words);
    const run = () =>
      kernels.sliceVolatilities(table!.at, n, moves!.at, 0.05, 0.9, 0, 0, up!.at, down!.at);
    const [timed] = await contest([{ name: 'ours', items: n, run }], effort);
    lines.push(lineOf(name, 'scenarios/s', timed!, digestOf(up!.values, down!.values)));
  }
  return lines;
}

function lineOf(
  name: string,
  unit: string,
  timed: Timed,
  hash: string,
  targets: readonly Target[] = [],
): Line {
  return {
    suite: 'surface',
    name,
    rate: timed.rate,
    unit,
    seconds: timed.best,
    per: `${timed.items}`,
    spread: spreadOf(timed),
    ratios: {},
    hash,
    targets,
    notes: [],
  };
}
