/**
 * The whole run on a moved market: scenarios drawn, instruments revalued, accounts margined. The cube is cold, the workers are warm, as
 * in a service whose market has just been replaced. One worker and two in turn.
 */
import { availableParallelism } from 'node:os';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { Progress } from '../../src/engine/fill.ts';
import { demoOptionsMarket } from '../../src/market/demoMarket.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import type { Context, Suite } from '../context.ts';
import { digestOf, shortDigest } from '../digest.ts';
import { accountSource, FORMS, TRANSPORT } from '../http/accountStreams.ts';
import { atLeast, atMost, type Line, samplesOf, spreadOf } from '../line.ts';

const STAGES = ['scenarios', 'revaluation', 'accounts'] as const;
type Stage = (typeof STAGES)[number];
type StageSeconds = Readonly<Record<Stage, number>>;

interface Size {
  readonly factors: number;
  readonly options: number;
  readonly scenarios: number;
  readonly accounts: number;
  readonly positions: number;
  readonly rounds: number;
}

const FULL: Size = {
  factors: 50,
  options: 1000,
  scenarios: 10_240,
  accounts: 5000,
  positions: 50,
  rounds: 4,
};
const QUICK: Size = {
  factors: 6,
  options: 60,
  scenarios: 1024,
  accounts: 40,
  positions: 5,
  rounds: 1,
};
const SECONDS = 0.5;
const SPEED_UP = 1.85;

/** How accounts come in and results go out. */
const WAYS = {
  values: 'objects in and out: nothing parsed, but copied from thread to thread',
  rows: 'NDJSON rows in, NDJSON out: parsed and written',
  columns: 'NDJSON columns in, NDJSON out: parsed and written',
  arrow: 'Arrow in and out',
} as const;
type Way = keyof typeof WAYS;

export const endToEnd: Suite = {
  name: 'endToEnd',
  about: '50 factors, 1,000 options, 10,240 scenarios, 5,000 accounts × 50 positions, cold cube',
  async run({ quick }: Context) {
    const size = quick ? QUICK : FULL;
    const counts = availableParallelism() >= 2 ? [1, 2] : [1];
    const run = await openRun(size, counts);
    try {
      const lines: Line[] = [];
      for (const way of Object.keys(WAYS) as Way[]) lines.push(...(await measure(run, way)));
      const hashes = new Set(lines.flatMap(({ hash }) => hash ?? []));
      if (hashes.size > 1) throw new Error(`ways differ: ${[...hashes].join(', ')}`);
      return lines;
    } finally {
      for (const { engine } of run.engines) await engine.close();
    }
  },
};

type Run = Awaited<ReturnType<typeof openRun>>;

async function openRun(size: Size, workerCounts: readonly number[]) {
  const { factors, options, scenarios, accounts: count, positions } = size;
  const { market, factors: model } = demoOptionsMarket({ factors, options });
  const source = accountSource(market, positions, count);
  const streams = new Map<Way, readonly Uint8Array[]>();
  for (const form of FORMS) {
    if (form === 'array') continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of source.stream(form, count)) pieces.push(piece);
    streams.set(form, pieces);
  }
  const warm = moved(market);
  const engines = [];
  for (const workers of workerCounts) {
    const clock = new StageClock();
    const engine = await createEngine({
      market: warm,
      factors: model,
      methodology: { preset: 'market-risk', scenarios },
      workers,
      onProgress: (progress) => clock.see(progress),
    });
    engines.push({ engine, clock, workers });
  }
  return { size, market, warm, accounts: source.values(count), streams, engines };
}

/** The same instruments at other prices. */
function moved(market: MarketSnapshot): MarketSnapshot {
  const underlyings = market.underlyings.map((underlying) => ({
    ...underlying,
    spot: underlying.spot * 1.01,
    ...(underlying.forwards === undefined
      ? {}
      : { forwards: underlying.forwards.map((f) => ({ ...f, price: f.price * 1.01 })) }),
  }));
  return { ...market, underlyings };
}

/** When each stage's last task was done. */
class StageClock {
  private readonly ends = new Map<Stage, number>();

  see({ stage, done, total }: Progress): void {
    if (done >= total) this.ends.set(stage, performance.now());
  }

  /** Seconds of each stage of a run from `start` to `end`; planning counts as drawing. */
  read(start: number, end: number): StageSeconds {
    let from = start;
    const seconds = STAGES.map((stage) => {
      const to = stage === 'accounts' ? end : (this.ends.get(stage) ?? from);
      const spent = (to - from) / 1000;
      from = to;
      return [stage, spent] as const;
    });
    return Object.fromEntries(seconds) as Record<Stage, number>;
  }
}

interface Timing {
  readonly seconds: number;
  readonly stages: StageSeconds;
  readonly digest: string;
}

async function runOnce(
  { market, warm, accounts, streams }: Run,
  { engine, clock }: Run['engines'][number],
  way: Way,
): Promise<Timing> {
  await engine.updateMarket(warm);
  const start = performance.now();
  await engine.updateMarket(market);
  const finish = await (way === 'values'
    ? takeValues(engine, accounts)
    : takeStream(engine, way, streams.get(way)!));
  const end = performance.now();
  return { seconds: (end - start) / 1000, stages: clock.read(start, end), digest: finish() };
}

/** Takes all results; the digest, made afterwards, is that of their lines. */
async function takeValues(engine: Engine, accounts: readonly unknown[]): Promise<() => string> {
  const outcomes: unknown[] = [];
  for await (const outcome of engine.marginBatch(accounts)) outcomes.push(outcome);
  return () => {
    const text = outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join('');
    return digestOf(Buffer.from(text));
  };
}

async function takeStream(
  engine: Engine,
  way: Exclude<Way, 'values'>,
  pieces: readonly Uint8Array[],
): Promise<() => string> {
  let digest = '';
  const source = (async function* () {
    yield* pieces;
  })();
  const onSummary = (summary: { readonly digest: string }): void => {
    digest = shortDigest(summary.digest);
  };
  for await (const _ of engine.marginStream(source, TRANSPORT[way], { onSummary }));
  return () => digest;
}

async function measure(run: Run, way: Way): Promise<readonly Line[]> {
  const timings = run.engines.map((): Timing[] => []);
  // One round that does not count: the first calls of a way run unoptimised code.
  for (let round = -1; round < run.size.rounds; round++) {
    for (const [i, opened] of run.engines.entries()) {
      const timing = await runOnce(run, opened, way);
      if (round >= 0) timings[i]!.push(timing);
    }
  }
  const digests = new Set(timings.flat().map(({ digest }) => digest));
  if (digests.size > 1) throw new Error(`runs differ: ${[...digests].join(', ')}`);
  const bests = timings.map((some) => some.reduce((a, b) => (b.seconds < a.seconds ? b : a)));
  return run.engines.flatMap(({ workers }, i) => {
    const seconds = timings[i]!.map((timing) => timing.seconds);
    return linesOf(run, way, { workers, samples: samplesOf(seconds), best: bests[i]!, bests });
  });
}

function linesOf(
  { size }: Run,
  way: Way,
  of: {
    readonly workers: number;
    readonly samples: ReturnType<typeof samplesOf>;
    readonly best: Timing;
    readonly bests: readonly Timing[];
  },
): Line[] {
  const { workers, samples, best, bests } = of;
  const name = `full run, ${way}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const ratios = workers === 1 ? {} : { '1 worker': bests[0]!.seconds / best.seconds };
  const targets =
    workers === 2
      ? [
          atMost('seconds', best.seconds, SECONDS),
          atLeast('1 worker', ratios['1 worker']!, SPEED_UP),
        ]
      : [];
  const common = { suite: 'endToEnd', hash: null, targets: [], notes: [] };
  const whole: Line = {
    ...common,
    name,
    rate: size.accounts / best.seconds,
    unit: 'accounts/s',
    seconds: best.seconds,
    per: 'run',
    spread: spreadOf(samples),
    ratios,
    hash: best.digest,
    targets,
    notes: [WAYS[way]],
  };
  const { factors, options, scenarios, accounts } = size;
  const work: Readonly<Record<Stage, readonly [number, string]>> = {
    scenarios: [factors * scenarios, 'shocks/s'],
    revaluation: [options * scenarios, 'options/s'],
    accounts: [accounts, 'accounts/s'],
  };
  const stages = STAGES.map((stage): Line => {
    const spent = best.stages[stage];
    const [items, unit] = work[stage];
    const over = bests[0]!.stages[stage] / spent;
    return {
      ...common,
      name: `  ${stage}`,
      rate: items / spent,
      unit,
      seconds: spent,
      per: 'run',
      spread: null,
      ratios: workers === 1 ? {} : { '1 worker': over },
    };
  });
  return [whole, ...stages];
}
