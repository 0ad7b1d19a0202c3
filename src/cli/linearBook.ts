/** The book of a backtest: read off `BTC=1,ETH=-1`, or off an account of linear positions and its market. */
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { accountId, positionPath, readAccount } from '../margin/account.ts';
import { resolveMethodology } from '../margin/methodology.ts';
import { countedAmounts } from '../margin/portfolio.ts';
import { compileMarket, type Instrument, type Market } from '../market/market.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import type { Holding } from '../risk/backtest/book.ts';
import { show } from '../schema.ts';
import { accountDocuments, openAccounts } from './accountSource.ts';
import { number } from './options.ts';

/** @throws USAGE for a text of another form */
export function bookOf(text: string, units: boolean): Holding[] {
  return text.split(',').map((part) => {
    const at = part.lastIndexOf('=');
    const underlying = part.slice(0, at).trim();
    if (at < 1 || underlying === '') throw malformed(part);
    const amount = amountOf(part, part.slice(at + 1).trim());
    return units ? { underlying, units: amount } : { underlying, exposure: amount };
  });
}

function amountOf(part: string, text: string): number {
  try {
    return number(text);
  } catch {
    throw malformed(part);
  }
}

function malformed(part: string): PlimsollError {
  const message = `--book is UNDERLYING=AMOUNT,… (BTC=1,ETH=-1), got ${show(part)}`;
  return new PlimsollError('USAGE', message, { path: 'book' });
}

/**
 * The one account of a file, or that of the id named, as a linear book. Linear contracts and coins are units: size · multiplier · mark/spot, and a
 * coin's amount less its haircut; an inverse contract is a currency exposure, size · multiplier · spot/mark, since its coins gain in worth what
 * they lose in number. Positions are taken as marked to market each day: entry prices and orders play no part.
 * @throws UNSUPPORTED_INSTRUMENT for what is not linear in the spot, and what is wrong with the account
 */
export async function accountBook(
  path: string,
  id: string | undefined,
  snapshot: MarketSnapshot,
): Promise<Holding[]> {
  const account = readAccount(await documentOf(path, id));
  const market = compileMarket(snapshot);
  const holdings = new Map<string, { exposure: number; units: number }>();
  const add = (underlying: string, exposure: number, units: number): void => {
    const before = holdings.get(underlying) ?? { exposure: 0, units: 0 };
    holdings.set(underlying, {
      exposure: before.exposure + exposure,
      units: before.units + units,
    });
  };
  account.instruments.forEach((name, i) => {
    const place = { account: account.id, path: positionPath(account, i, 'instrument') };
    const { instrument, underlying } = linearInstrument(name, market, place);
    const size = account.sizes[i]! * instrument.multiplier;
    const basis = instrument.mark / underlying.spot;
    if (instrument.settlement === 'inverse') add(underlying.id, size / basis, 0);
    else add(underlying.id, 0, size * basis);
  });
  const methodology = resolveMethodology({}, false);
  account.collateral.forEach(({ asset, amount }, i) => {
    if (asset === market.currency || amount === 0) return;
    if (!market.underlyingIndex.has(asset)) {
      const message = `collateral[${i}].asset ${show(asset)} is neither the currency nor an underlying`;
      const at = { account: account.id, path: `collateral[${i}].asset` };
      throw new PlimsollError('UNKNOWN_ASSET', message, at);
    }
  });
  for (const [asset, amount] of countedAmounts(account.collateral, market.currency, methodology)) {
    if (asset !== market.currency && amount !== 0) add(asset, 0, amount);
  }
  const book = [...holdings]
    .filter(([, { exposure, units }]) => exposure !== 0 || units !== 0)
    .map(([underlying, amounts]) => ({ underlying, ...amounts }));
  if (book.length > 0) return book;
  const message = `the account ${show(account.id)} holds nothing that moves`;
  throw new PlimsollError('INVALID_FIELD', message, { account: account.id, path: 'positions' });
}

function linearInstrument(
  name: string,
  market: Market,
  place: { readonly account: string; readonly path: string },
) {
  const index = market.instrumentIndex.get(name);
  if (index === undefined) {
    const message = `${place.path} ${show(name)} is not an instrument of the market`;
    throw new PlimsollError('UNKNOWN_INSTRUMENT', message, place);
  }
  const instrument: Instrument = market.instruments[index]!;
  if (instrument.problem !== null) {
    throw new PlimsollError(instrument.problem.code, instrument.problem.message, place);
  }
  if (!['spot', 'perpetual', 'future'].includes(instrument.type)) {
    const message = `${place.path} ${show(name)} is of type ${instrument.type}: a backtest takes linear positions`;
    throw new PlimsollError('UNSUPPORTED_INSTRUMENT', message, place);
  }
  return { instrument, underlying: market.underlyings[instrument.underlying]! };
}

async function documentOf(path: string, id: string | undefined): Promise<unknown> {
  const found: unknown[] = [];
  for await (const { bytes } of accountDocuments(await openAccounts(path))) {
    const value = parseJson(decodeText(bytes));
    if (id === undefined || accountId(value) === id) found.push(value);
    if (found.length > 1) break;
  }
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    const what = id === undefined ? 'no account' : `no account ${show(id)}`;
    throw new PlimsollError('NOT_FOUND', `${path} holds ${what}`, { path: 'account' });
  }
  const message = `${path} holds several accounts${id === undefined ? ': name one with --id' : ` ${show(id)}`}`;
  throw new PlimsollError('USAGE', message, { path: 'id' });
}
