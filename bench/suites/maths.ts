/** Elementary functions over arrays that stay in the cache. */
import { cumulativeStdNormalProbability, probit } from 'simple-statistics';
import { mustAgree } from '../agreement.ts';
import { contest, KERNEL_EFFORT, QUICK_EFFORT, ratiosOf } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { type Desk, openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { type Line, spreadOf } from '../line.ts';
import { mapArray, normalCdf } from '../twins/maths.ts';

interface Elementary {
  readonly name: 'exp' | 'log' | 'normalCdf' | 'inverseNormalCdf';
  /** From a standard normal z to an argument. */
  readonly argument: (z: number, desk: Desk) => number;
  readonly twin?: (x: number) => number;
  readonly simpleStatistics?: (x: number) => number;
}

const FUNCTIONS: readonly Elementary[] = [
  { name: 'exp', argument: (z) => 2 * z, twin: Math.exp },
  { name: 'log', argument: (z, { kernels }) => kernels.exp(2 * z), twin: Math.log },
  {
    name: 'normalCdf',
    argument: (z) => 1.5 * z,
    twin: normalCdf,
    simpleStatistics: cumulativeStdNormalProbability,
  },
  {
    name: 'inverseNormalCdf',
    argument: (z, { kernels }) => kernels.normalCdf(z),
    simpleStatistics: probit,
  },
];

export const maths: Suite = {
  name: 'maths',
  about: 'exp, log, Φ and Φ⁻¹ over arrays, one core',
  async run(context) {
    const lines: Line[] = [];
    for (const elementary of FUNCTIONS) lines.push(await measure(elementary, context));
    return lines;
  },
};

async function measure(elementary: Elementary, { quick, peers }: Context): Promise<Line> {
  const { name, argument, twin, simpleStatistics } = elementary;
  const effort = quick ? QUICK_EFFORT : KERNEL_EFFORT;
  const n = 8192;
  const repeats = quick ? 1 : 8;
  const desk = openDesk(1 << 20);
  const { kernels } = desk;
  const input = desk.array(n);
  const output = desk.array(n);
  kernels.openStream(output.at, 7n, 1n, 0, 0);
  kernels.normalsByInversion(output.at, input.at, n, desk.array(2048).at);
  for (let i = 0; i < n; i++) input.values[i] = argument(input.values[i]!, desk);
  const array = kernels[`${name}Array`];
  array(input.at, output.at, n);
  const hash = digestOf(output.values);
  const plainIn = input.values.slice();
  const plainOut = new Float64Array(n);
  if (twin !== undefined) {
    mapArray(twin, plainIn, plainOut);
    mustAgree(`the twin of ${name}`, plainOut, output.values, { bound: 4e-15, scale: 1 });
  }
  if (peers.numpy !== null) {
    await peers.numpy.give('x', plainIn, [n]);
    const theirs = await peers.numpy.values(name, { of: 'x' });
    // Both round a few times; cdf and quantile add their methods' own errors.
    mustAgree(`numpy's ${name}`, theirs, output.values, { bound: 4e-15, scale: 1 });
  }
  const { milliseconds } = effort;
  const parameters = { of: 'x' };
  const timed = await contest(
    [
      {
        name: 'ours',
        items: n * repeats,
        run() {
          for (let i = 0; i < repeats; i++) array(input.at, output.at, n);
        },
      },
      contenderOf('twin', twin),
      contenderOf('simple-statistics', simpleStatistics),
      peers.numpy?.contender('numpy', name, { items: n, milliseconds, parameters }) ?? [],
    ].flat(),
    effort,
  );
  const [ours] = timed;
  return {
    suite: 'maths',
    name,
    rate: ours!.rate,
    unit: '/s',
    seconds: ours!.best,
    per: `${ours!.items}`,
    spread: spreadOf(ours!),
    ratios: ratiosOf(timed),
    hash,
    targets: [],
    notes: [],
  };

  function contenderOf(label: string, f: ((x: number) => number) | undefined) {
    if (f === undefined) return [];
    return [{ name: label, items: n, run: () => mapArray(f, plainIn, plainOut) }];
  }
}
