/** Whether the numbers of a tick can be prices at all. */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { readInstant } from '../market/instruments.ts';
import type { BestQuote, ProblemKind, SequencedTick } from './feed.ts';

export interface Fault {
  readonly kind: ProblemKind;
  readonly message: string;
  readonly path: string;
}

/** The first thing wrong with a tick; null where there is none. Paths are within the tick: `surface[0].quotes[2].iv`. */
export function faultOf(tick: SequencedTick): Fault | null {
  return (
    instantFault(tick.asOf, 'asOf') ??
    (tick.spot === undefined ? null : priceFault(tick.spot, 'spot')) ??
    firstFault(tick.forwards, 'forwards', forwardFault) ??
    firstFault(tick.surface, 'surface', sliceFault) ??
    firstFault(tick.marks, 'marks', ({ mark }, path) => priceFault(mark, `${path}.mark`)) ??
    firstFault(tick.quotes, 'quotes', quoteFault)
  );
}

function firstFault<T>(
  list: readonly T[] | undefined,
  path: string,
  check: (item: T, path: string) => Fault | null,
): Fault | null {
  if (list === undefined) return null;
  for (let i = 0; i < list.length; i++) {
    const fault = check(list[i]!, `${path}[${i}]`);
    if (fault !== null) return fault;
  }
  return null;
}

function instantFault(text: string, path: string): Fault | null {
  try {
    readInstant(text, path);
    return null;
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return { kind: 'malformed', message: error.message, path };
  }
}

function priceFault(price: number, path: string): Fault | null {
  return rangeFault(price, path, LIMITS.priceMin, LIMITS.priceMax);
}

/** A zero is what feeds send for "none": it has a name of its own. */
function rangeFault(value: number, path: string, least: number, most: number): Fault | null {
  if (value >= least && value <= most) return null;
  if (value === 0) return { kind: 'zero-price', message: `${path} is 0`, path };
  const message = `${path} must be from ${least} to ${most}, got ${value}`;
  return { kind: 'malformed', message, path };
}

function forwardFault(
  { expiry, price }: { readonly expiry: string; readonly price: number },
  path: string,
): Fault | null {
  return instantFault(expiry, `${path}.expiry`) ?? priceFault(price, `${path}.price`);
}

type Slice = NonNullable<SequencedTick['surface']>[number];

function sliceFault({ expiry, quotes }: Slice, path: string): Fault | null {
  return (
    instantFault(expiry, `${path}.expiry`) ??
    firstFault(quotes, `${path}.quotes`, ({ strike, iv }, at) => {
      const { impliedVolatilityMin, impliedVolatilityMax } = LIMITS;
      return (
        priceFault(strike, `${at}.strike`) ??
        rangeFault(iv, `${at}.iv`, impliedVolatilityMin, impliedVolatilityMax)
      );
    })
  );
}

/** A locked book (bid = ask) is not crossed: it happens for a moment on any exchange. */
function quoteFault({ instrument, bid, ask }: BestQuote, path: string): Fault | null {
  const bad =
    (bid === undefined ? null : priceFault(bid, `${path}.bid`)) ??
    (ask === undefined ? null : priceFault(ask, `${path}.ask`));
  if (bad !== null) return bad;
  if (bid === undefined || ask === undefined || !(bid > ask)) return null;
  const message = `${instrument} is bid at ${bid}, above its ask of ${ask}`;
  return { kind: 'crossed', message, path };
}
