/** Full revaluation: a ladder of strikes of one expiry in a drawing block of scenarios, into rows of P&L. */
import { mustAgree } from '../agreement.ts';
import { contest, KERNEL_EFFORT, QUICK_EFFORT, ratiosOf } from '../contest.ts';
import type { Context, Suite } from '../context.ts';
import { type Desk, openDesk } from '../desk.ts';
import { digestOf } from '../digest.ts';
import { atLeast, type Line, spreadOf } from '../line.ts';
import type { Peers } from '../peers/peers.ts';
import { black76Row } from '../twins/black76.ts';

const SCENARIOS = 1024;
const FORWARD = 90_000;
const MATURITY = 0.2;
const VOLATILITY = 0.55;
/** Options that QuantLib prices one by one, strikes × scenarios. */
const QUANTLIB_SCENARIOS = 64;

export const black76: Suite = {
  name: 'black76',
  about: 'Black-76 revaluation of a strike ladder, one core',
  async run(context) {
    const desk = openDesk(1 << 21);
    const ladder = makeLadder(desk, context.quick ? 4 : 16);
    await giveLadder(context.peers, ladder);
    return [
      await measure(context, desk, ladder, false),
      await measure(context, desk, ladder, true),
    ];
  },
};

type Ladder = ReturnType<typeof makeLadder>;

function makeLadder(desk: Desk, count: number) {
  const { kernels } = desk;
  const row = () => desk.array(SCENARIOS);
  const [shock, vol, logMove, forward, up, down, conversion, ones] = [
    row(),
    row(),
    row(),
    row(),
    row(),
    row(),
    row(),
    row(),
  ];
  const state = desk.array(16);
  const scratch = desk.array(2048);
  for (const [i, { at }] of [shock, vol].entries()) {
    kernels.openStream(state.at, 11n, 1n, i, 0);
    kernels.normals(state.at, at, SCENARIOS, scratch.at);
    kernels.scaleShocks(at, 0, SCENARIOS, i === 0 ? 0.03 : 0.05, 0, 3);
  }
  kernels.expiryScenarios(
    shock.at,
    0,
    vol.at,
    SCENARIOS,
    FORWARD,
    MATURITY,
    0.8,
    logMove.at,
    forward.at,
    up.at,
    down.at,
    conversion.at,
  );
  ones.values.fill(1);
  const strikes = Array.from({ length: count }, (_, i) => {
    const strike = FORWARD * (0.6 + (0.8 * i) / (count - 1));
    const v0 = VOLATILITY * Math.sqrt(MATURITY);
    return { strike, v0, logMoneyness: kernels.log(FORWARD / strike), call: row(), put: row() };
  });
  return { logMove, forward, up, down, ones, strikes };
}

async function giveLadder(peers: Peers, { logMove, forward, up, strikes }: Ladder): Promise<void> {
  const columns = {
    strike: strikes.map(({ strike }) => strike),
    logMoneyness: strikes.map(({ logMoneyness }) => logMoneyness),
    v0: strikes.map(({ v0 }) => v0),
  };
  for (const peer of [peers.numpy, peers.quantlib]) {
    if (peer === null) continue;
    for (const [name, { values }] of Object.entries({ logMove, forward, up })) {
      await peer.give(name, values.slice(), [SCENARIOS]);
    }
    for (const [name, values] of Object.entries(columns)) {
      const given = name === 'logMoneyness' ? 'moneyness' : name;
      await peer.give(given, Float64Array.from(values), [strikes.length]);
    }
  }
}

function reprice(desk: Desk, { logMove, forward, up, down, ones, strikes }: Ladder, both: boolean) {
  for (const { strike, v0, logMoneyness, call, put } of strikes) {
    desk.kernels.optionRows(
      SCENARIOS,
      logMove.at,
      forward.at,
      up.at,
      down.at,
      ones.at,
      logMoneyness,
      strike,
      v0,
      1,
      0,
      call.at,
      0,
      both ? put.at : 0,
      SCENARIOS,
      0,
    );
  }
}

async function measure(
  { quick, peers }: Context,
  desk: Desk,
  ladder: Ladder,
  both: boolean,
): Promise<Line> {
  const effort = quick ? QUICK_EFFORT : KERNEL_EFFORT;
  const { milliseconds } = effort;
  const { strikes } = ladder;
  const sides = both ? 2 : 1;
  const options = strikes.length * SCENARIOS * sides;
  const repeats = quick ? 1 : 4;
  reprice(desk, ladder, both);
  const rows = strikes.flatMap(({ call, put }) =>
    both ? [call.values, put.values] : [call.values],
  );
  const hash = digestOf(...rows);
  const prices = Float64Array.from({ length: options }, (_, i) => {
    return rows[Math.floor(i / SCENARIOS)]![i % SCENARIOS]!;
  });
  const twin = plainLadder(ladder, both);
  twin.run();
  // Absolute, as a share of the forward: the textbook form cancels far out of the money.
  const allowed = { bound: 1e-14, scale: FORWARD };
  mustAgree('the twin', twin.prices, prices, allowed);
  if (peers.numpy !== null) {
    mustAgree('numpy', await peers.numpy.values('black76', { both }), prices, allowed);
  }
  const scenarios = QUANTLIB_SCENARIOS;
  if (peers.quantlib !== null && !both) {
    const theirs = await peers.quantlib.values('black76', { scenarios });
    const ours = strikes.flatMap(({ call }) => [...call.values.subarray(0, scenarios)]);
    // Its cumulative normal is good to some 1e-15 too.
    mustAgree('QuantLib', theirs, ours, { bound: 1e-13, scale: FORWARD });
  }
  const timed = await contest(
    [
      {
        name: 'ours',
        items: options * repeats,
        run() {
          for (let i = 0; i < repeats; i++) reprice(desk, ladder, both);
        },
      },
      { name: 'twin', items: options, run: twin.run },
      peers.numpy?.contender('numpy', 'black76', {
        items: options,
        milliseconds,
        parameters: { both },
      }) ?? [],
      both
        ? []
        : (peers.quantlib?.contender('QuantLib', 'black76', {
            items: strikes.length * scenarios,
            milliseconds,
            parameters: { scenarios },
          }) ?? []),
    ].flat(),
    effort,
  );
  const [ours] = timed;
  return {
    suite: 'black76',
    name: both ? 'Black-76, call and put' : 'Black-76, one side',
    rate: ours!.rate,
    unit: 'options/s',
    seconds: ours!.best,
    per: `${ours!.items}`,
    spread: spreadOf(ours!),
    ratios: ratiosOf(timed),
    hash,
    targets: [atLeast('rate', ours!.rate, both ? 155e6 : 90e6)],
    notes: both ? [] : ['QuantLib as called from Python, one option a call'],
  };
}

function plainLadder({ logMove, forward, up, strikes }: Ladder, both: boolean) {
  const state = {
    logMove: logMove.values.slice(),
    forward: forward.values.slice(),
    up: up.values.slice(),
  };
  const sides = both ? 2 : 1;
  const prices = new Float64Array(strikes.length * sides * SCENARIOS);
  const rows = Array.from({ length: strikes.length * sides }, (_, i) =>
    prices.subarray(i * SCENARIOS, (i + 1) * SCENARIOS),
  );
  const run = (): void => {
    strikes.forEach((strike, i) => {
      black76Row(state, strike, rows[i * sides]!, both ? rows[i * sides + 1]! : null);
    });
  };
  return { prices, run };
}
