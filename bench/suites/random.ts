/** Random bits and normals. Streams are opened as the engine opens them: one a factor and block of 1,024. */
import seedrandom from 'seedrandom';
import { mustAgree } from '../agreement.ts';
import {
  contest,
  type Effort,
  KERNEL_EFFORT,
  QUICK_EFFORT,
  ratiosOf,
  type Timed,
} from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { type Desk, openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { atLeast, type Line, spreadOf, type Target } from '../line.ts';
import { boxMuller, threefry, xoshiro } from '../twins/random.ts';

const KEY = 0x706c696d736f6c6cn;
const BLOCK = 1024;
/** Words of one state: 128 bytes. */
const STATE = 16;
/** 16 KiB for the kernels. */
const SCRATCH = 2048;

export const random: Suite = {
  name: 'random',
  about: 'random bits and normals, one core',
  async run(context) {
    const desk = openDesk(1 << 21);
    const effort = context.quick ? QUICK_EFFORT : KERNEL_EFFORT;
    return [
      await counterLine(desk, context, effort),
      await bitsLine(desk, context, effort),
      await ziggurat(desk, context, effort),
      await inversion(desk, context, effort),
    ];
  },
};

function line(
  name: string,
  timed: readonly Timed[],
  hash: string,
  extra: Partial<Line> = {},
): Line {
  const [ours] = timed;
  return {
    suite: 'random',
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
    ...extra,
  };
}

async function counterLine(desk: Desk, { quick }: Context, effort: Effort): Promise<Line> {
  const { kernels } = desk;
  const streams = quick ? 64 : 4096;
  const states = desk.array(STATE * streams);
  const open = (): void => {
    for (let i = 0; i < streams; i++) kernels.openStream(states.at + i * 128, KEY, 1n, i, 3);
  };
  open();
  const hash = digestOf(states.values);
  mustAgree('threefry', wordsOf(states.values.subarray(0, STATE)), plainState(), EXACT);
  const key = halves(KEY, 1n);
  const counter = halves(0n, 0n);
  const out = new Uint32Array(4);
  const timed = await contest(
    [
      { name: 'ours', items: streams * STATE, run: open },
      {
        name: 'twin',
        items: streams * STATE,
        run() {
          for (let i = 0; i < streams * 8; i++) {
            counter[0] = i;
            threefry(key, counter, out, 0);
          }
        },
      },
    ],
    effort,
  );
  const notes = ['by openStream: 16 words a call'];
  return line('Threefry2x64-20, u64', timed, hash, { notes });
}

const EXACT = { bound: 0, scale: 1 } as const;

/** Two 64-bit words as halves, low first. */
function halves(a: bigint, b: bigint): Uint32Array {
  return new Uint32Array(new BigUint64Array([a, b]).buffer);
}

function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.slice().buffer);
}

/** The state of the stream (KEY, 1; 0, 3) by the twin. */
function plainState(): Uint32Array {
  const key = halves(KEY, 1n);
  const words = new Uint32Array(4);
  const state = new Uint32Array(STATE * 2);
  for (let j = 0; j < 8; j++) {
    threefry(key, halves(0n, 24n + BigInt(j)), words, 0);
    // Encryption j gives words 2j and 2j + 1 of lanes 4l…4l + 3; word k of lane l stands at 4k + l.
    for (let i = 0; i < 2; i++) {
      const [lane, k] = [(2 * j + i) >> 2, (2 * j + i) & 3];
      state.set(words.subarray(2 * i, 2 * i + 2), 2 * (4 * k + lane));
    }
  }
  return state;
}

async function bitsLine(desk: Desk, context: Context, effort: Effort): Promise<Line> {
  const { kernels } = desk;
  const n = 16_384;
  const repeats = context.quick ? 1 : 32;
  const state = desk.array(STATE);
  const out = desk.array(n);
  const fill = (): void => {
    for (let i = 0; i < repeats; i++) kernels.fillBits(state.at, out.at, n);
  };
  const twinState = new Uint32Array(8);
  const twinOut = new Uint32Array(2 * n);
  kernels.openStream(state.at, KEY, 1n, 0, 0);
  const words = wordsOf(state.values);
  kernels.fillBits(state.at, out.at, n);
  for (let lane = 0; lane < 4; lane++) {
    for (let k = 0; k < 4; k++) {
      const at = 2 * (4 * k + lane);
      twinState.set(words.subarray(at, at + 2), 2 * k);
    }
    xoshiro(twinState, twinOut, lane, 4);
  }
  mustAgree('xoshiro256++', wordsOf(out.values), twinOut, EXACT);
  const hash = digestOf(out.values);
  const numpy = context.peers.numpy?.contender('numpy SFC64', 'bits', {
    items: n,
    milliseconds: effort.milliseconds,
    parameters: { bits: 'SFC64', count: n },
  });
  const timed = await contest(
    [
      { name: 'ours', items: n * repeats, run: fill },
      { name: 'twin', items: n, run: () => xoshiro(twinState, twinOut, 0, 1) },
      ...(numpy === undefined ? [] : [numpy]),
    ],
    effort,
  );
  return line('xoshiro256++ bits, u64', timed, hash);
}

interface Draw {
  readonly name: string;
  readonly kernel: 'normals' | 'normalsByInversion';
  readonly targets: (rate: number) => readonly Target[];
}

const ziggurat = normalsLine({
  name: 'normals, ziggurat',
  kernel: 'normals',
  targets: (rate) => [atLeast('rate', rate, 280e6)],
});
const inversion = normalsLine({
  name: 'normals, inversion',
  kernel: 'normalsByInversion',
  targets: () => [],
});

function normalsLine({ name, kernel, targets }: Draw) {
  return async (desk: Desk, context: Context, effort: Effort): Promise<Line> => {
    const { kernels } = desk;
    const blocks = 8;
    const repeats = context.quick ? 1 : 8;
    const state = desk.array(STATE);
    const scratch = desk.array(SCRATCH);
    const out = desk.array(BLOCK * blocks);
    // Other streams at each call: the same ones again would be learnt by the branch predictor.
    let factor = 0;
    const draw = (): void => {
      for (let i = 0; i < repeats; i++, factor++) {
        for (let block = 0; block < blocks; block++) {
          kernels.openStream(state.at, KEY, 1n, factor, block);
          kernels[kernel](state.at, out.at + block * BLOCK * 8, BLOCK, scratch.at);
        }
      }
    };
    draw();
    const hash = digestOf(out.values);
    const items = BLOCK * blocks;
    const plain = new Float64Array(items);
    const seeded = seedrandom('plimsoll');
    const peer = (bits: string) =>
      context.peers.numpy?.contender(`numpy ${bits}`, 'normals', {
        items,
        milliseconds: effort.milliseconds,
        parameters: { bits, count: items },
      }) ?? [];
    const timed = await contest(
      [
        { name: 'ours', items: items * repeats, run: draw },
        { name: 'twin', items, run: () => boxMuller(Math.random, plain) },
        { name: 'seedrandom', items, run: () => boxMuller(seeded, plain) },
        peer('PCG64'),
        peer('SFC64'),
      ].flat(),
      effort,
    );
    const notes = ['a stream opened each 1,024; the twin is Box–Muller of Math.random'];
    return line(name, timed, hash, { targets: targets(timed[0]!.rate), notes });
  };
}
