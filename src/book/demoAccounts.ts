/** Made-up accounts for any market: retail, hedgers, option sellers and market makers, from safe to insolvent. The same seed gives the same bytes. */
import { PlimsollError } from '../errors.ts';
import type { AccountInput } from '../margin/account.ts';
import { type DemoRandom, demoRandom } from '../market/demoRandom.ts';
import { significant } from '../market/rounding.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import {
  type DemoContract,
  type DemoUnderlying,
  demoContracts,
  ROUGH_MOVES,
} from './demoContracts.ts';

export interface DemoAccountOptions {
  readonly market: MarketSnapshot;
  /** Accounts, ≥ 0. */
  readonly count: number;
  /** Mean number of positions; default 20. A market with fewer contracts gives fewer. */
  readonly positions?: number;
  /** Every account has `positions` positions, none more or fewer; default false. */
  readonly equal?: boolean;
  readonly seed?: string;
}

export type DemoAccount = Required<
  Pick<AccountInput, 'id' | 'mode' | 'currency' | 'collateral'>
> & {
  positions: { instrument: string; size: number; entryPrice?: number }[];
};

interface Style {
  /** Of all accounts. */
  readonly share: number;
  /** Positions, as a multiple of the mean: the multiples average to 1. */
  readonly breadth: number;
  readonly underlyings: number;
  /** Of positions. */
  readonly options: number;
  readonly longOutrights: number;
  /** Of options; hedgers buy puts and sell calls instead. */
  readonly longOptions: number;
  readonly collar: boolean;
  /** Currency a position, log-uniform. */
  readonly notional: readonly [number, number];
  /** Collateral in coin: of the coins sold forward for a hedger, of the risk for others. */
  readonly coins: number;
}

const RETAIL: Style = {
  share: 0.5,
  breadth: 0.4,
  underlyings: 2,
  options: 0.3,
  longOutrights: 0.65,
  longOptions: 0.75,
  collar: false,
  notional: [500, 3e4],
  coins: 0.15,
};
const HEDGER: Style = {
  share: 0.2,
  breadth: 0.8,
  underlyings: 1,
  options: 0.5,
  longOutrights: 0.05,
  longOptions: 0.5,
  collar: true,
  notional: [2e4, 1e6],
  coins: 0.9,
};
const SELLER: Style = {
  share: 0.15,
  breadth: 1.2,
  underlyings: 2,
  options: 0.9,
  longOutrights: 0.5,
  longOptions: 0.08,
  collar: false,
  notional: [5e3, 4e5],
  coins: 0.4,
};
const MAKER: Style = {
  share: 0.15,
  breadth: 46 / 15,
  underlyings: 6,
  options: 0.9,
  longOutrights: 0.5,
  longOptions: 0.5,
  collar: false,
  notional: [5e3, 3e5],
  coins: 0.1,
};
const STYLES = [RETAIL, HEDGER, SELLER, MAKER];

/**
 * Accounts `acct-000001`, `acct-000002`, … one at a time. Account i depends on market, positions and seed alone, not on `count`.
 * @throws INVALID_FIELD for a count or mean out of range, UNKNOWN_INSTRUMENT where the market has nothing to hold
 */
export function* demoAccounts(options: DemoAccountOptions): Generator<DemoAccount> {
  const { market, count, positions = 20, equal = false, seed = 'plimsoll' } = options;
  requireWhole('count', count, 0);
  requireWhole('positions', positions, 1);
  const underlyings = demoContracts(market);
  if (underlyings.length === 0) {
    throw new PlimsollError(
      'UNKNOWN_INSTRUMENT',
      'the market lists no perpetual, future or option that an account could hold',
      { path: 'instruments' },
    );
  }
  for (let i = 1; i <= count; i++) {
    const random = demoRandom(`${seed}/account/${i}`);
    const id = `acct-${String(i).padStart(6, '0')}`;
    yield { id, ...makeAccount(underlyings, market.currency, { positions, equal }, random) };
  }
}

function requireWhole(name: string, value: number, low: number): void {
  if (Number.isSafeInteger(value) && value >= low) return;
  throw new PlimsollError(
    'INVALID_FIELD',
    `${name} must be a whole number ≥ ${low}, got ${value}`,
    {
      path: name,
    },
  );
}

interface Holding {
  readonly contract: DemoContract;
  readonly size: number;
  /** Of perpetuals and futures. */
  readonly entryPrice: number | undefined;
}

function makeAccount(
  underlyings: readonly DemoUnderlying[],
  currency: string,
  { positions, equal }: { positions: number; equal: boolean },
  random: DemoRandom,
): Omit<DemoAccount, 'id'> {
  const style = drawStyle(random);
  const wanted = equal
    ? positions
    : Math.max(1, Math.round(positions * style.breadth * random.between(0.5, 1.5)));
  const chosen = chooseUnderlyings(underlyings, style, wanted, random);
  const holdings = chooseContracts(chosen, style, wanted, random).map((contract) =>
    hold(contract, style, random),
  );
  return {
    mode: 'portfolio',
    currency,
    collateral: collateralise(holdings, chosen[0]!, style, currency, random),
    positions: holdings.map(({ contract, size, entryPrice }) => ({
      instrument: contract.id,
      size,
      ...(entryPrice === undefined ? {} : { entryPrice }),
    })),
  };
}

function drawStyle(random: DemoRandom): Style {
  let left = random.uniform();
  for (const style of STYLES) {
    left -= style.share;
    if (left < 0) return style;
  }
  return MAKER;
}

/** So many underlyings, the first ones likelier, and more of them where the account would run out of contracts. */
function chooseUnderlyings(
  underlyings: readonly DemoUnderlying[],
  style: Style,
  wanted: number,
  random: DemoRandom,
): DemoUnderlying[] {
  const left = [...underlyings];
  const chosen: DemoUnderlying[] = [];
  let contracts = 0;
  while (left.length > 0 && (chosen.length < style.underlyings || contracts < 1.5 * wanted)) {
    // The lesser of two draws: early underlyings are held by more accounts.
    const at = Math.min(random.index(left.length), random.index(left.length));
    const [underlying] = left.splice(at, 1);
    chosen.push(underlying!);
    contracts += underlying!.outrights.length + underlying!.options.length;
  }
  return chosen;
}

function chooseContracts(
  chosen: readonly DemoUnderlying[],
  style: Style,
  wanted: number,
  random: DemoRandom,
): DemoContract[] {
  const outrights = chosen.flatMap((underlying) => underlying.outrights);
  const options = chosen.flatMap((underlying) => underlying.options);
  const contracts: DemoContract[] = [];
  while (contracts.length < wanted && outrights.length + options.length > 0) {
    const option = random.uniform() < style.options;
    const pool = (option && options.length > 0) || outrights.length === 0 ? options : outrights;
    let at = random.index(pool.length);
    // Most open interest is out of the money: two draws more before one in the money is taken.
    for (let draw = 0; draw < 2 && pool[at]!.inTheMoney; draw++) at = random.index(pool.length);
    contracts.push(pool[at]!);
    pool[at] = pool.at(-1)!;
    pool.pop();
  }
  return contracts;
}

/** Sizes have two significant digits, entry prices lie within some 3% of the mark. */
function hold(contract: DemoContract, style: Style, random: DemoRandom): Holding {
  const exposure = random.scale(style.notional[0], style.notional[1]);
  const share = contract.option ? style.longOptions : style.longOutrights;
  const drawn = random.uniform() < share;
  const long = contract.option && style.collar ? contract.put : drawn;
  const size = significant((long ? 1 : -1) * (exposure / contract.notional), 2);
  const drift = Math.max(-0.1, Math.min(0.1, 0.03 * random.normal()));
  const entryPrice = contract.option ? undefined : significant(contract.mark * (1 + drift), 5);
  return { contract, size, entryPrice };
}

function collateralise(
  holdings: readonly Holding[],
  main: DemoUnderlying,
  style: Style,
  currency: string,
  random: DemoRandom,
): DemoAccount['collateral'] {
  const haircut = main.id === 'BTC' || main.id === 'ETH' ? 0.05 : 0.15;
  const sold = -holdings.reduce(
    (sum, { contract, size }) =>
      contract.option ? sum : sum + Math.min(0, size * contract.notional),
    0,
  );
  const coinValue =
    style.coins * random.between(0.5, 1.2) * (style.collar ? sold : roughRisk(holdings, 0, main));
  const coins = significant(coinValue / main.spot, 3);
  const held = (1 - haircut) * coins;
  const target = drawCover(random) * ADD_ONS * roughRisk(holdings, held, main);
  const cash = target - held * main.spot - openValue(holdings);
  // An account rich in option value needs no cash, and none is owed by anybody.
  const collateral: DemoAccount['collateral'] = [];
  if (cash > 0.01) collateral.push({ asset: currency, amount: Number(cash.toFixed(2)) });
  if (coins > 0) collateral.push({ asset: main.id, amount: coins });
  return collateral;
}

/** Requirement over rough risk, about: what stress, liquidity and the other components add to market risk. */
const ADD_ONS = 2.4;

/** Equity as a multiple of the rough requirement: most accounts are safe, a few of each hundred lie in every band down to insolvency. */
function drawCover(random: DemoRandom): number {
  const band = random.uniform();
  if (band < 0.02) return random.between(-0.3, 0);
  if (band < 0.06) return random.between(0.1, 0.75);
  if (band < 0.12) return random.between(0.8, 1);
  if (band < 0.22) return random.between(1, 1.3);
  return random.scale(1.3, 8);
}

/**
 * The worse of two crude views: everything moves together, or each underlying has its own bad day (root of the sum of squares). At least
 * 0.5% of the gross exposure.
 */
function roughRisk(holdings: readonly Holding[], coins: number, main: DemoUnderlying): number {
  const total = new Float64Array(ROUGH_MOVES.length);
  const own = new Map<number, Float64Array>();
  let gross = 0;
  const add = (underlying: number, amount: number, moves: Float64Array): void => {
    const sums = own.get(underlying) ?? new Float64Array(ROUGH_MOVES.length);
    own.set(underlying, sums);
    for (let i = 0; i < moves.length; i++) {
      sums[i] = sums[i]! + amount * moves[i]!;
      total[i] = total[i]! + amount * moves[i]!;
    }
  };
  for (const { contract, size } of holdings) {
    add(contract.underlying, size, contract.moves);
    gross += Math.abs(size) * contract.notional;
  }
  add(main.index, coins, main.moves);
  let squares = 0;
  for (const sums of own.values()) {
    const worst = Math.min(0, ...sums);
    squares += worst * worst;
  }
  return Math.max(-Math.min(...total), Math.sqrt(squares), 0.005 * gross);
}

/** Unrealised P&L and net option value, in the currency. */
function openValue(holdings: readonly Holding[]): number {
  return holdings.reduce((sum, { contract, size, entryPrice }) => {
    const { inverse, multiplier, mark, spot, value } = contract;
    if (entryPrice === undefined) return sum + size * value;
    const gain = inverse ? (1 / entryPrice - 1 / mark) * spot : mark - entryPrice;
    return sum + size * multiplier * gain;
  }, 0);
}
