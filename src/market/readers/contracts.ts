/**
 * What a Deribit instrument name says. BTC-27MAR26-100000-C is an option settled in BTC, BTC-27MAR26 an inverse future, BTC-PERPETUAL
 * an inverse perpetual; SOL_USDC-… are their linear forms, quoted and paid in USDC; a `d` in a strike is its decimal point
 * (XRP_USDC-27MAR26-0d55-C is 0.55). Everything dated expires at 08:00 UTC. Source: docs.deribit.com, "Naming conventions".
 */
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { show } from '../../schema.ts';
import { MILLISECONDS_PER_DAY, parseInstant } from '../dates.ts';

export interface Contract {
  readonly name: string;
  /** Index currency, the underlying's id: `BTC`, for the inverse book and for the linear one. */
  readonly underlying: string;
  /** Quoted and paid in USDC; else the contract is inverse or settled in coin. */
  readonly linear: boolean;
  readonly type: 'perpetual' | 'future' | 'option';
  /** 0 of perpetuals. */
  readonly expiryMs: number;
  /** NaN unless an option. */
  readonly strike: number;
  readonly right: 'call' | 'put' | null;
}

const DERIVATIVE =
  /^([A-Z0-9]+)(_USDC)?-(?:PERPETUAL|(\d{1,2}[A-Z]{3}\d{2})(?:-(\d+(?:d\d+)?)-([CP]))?)$/;
/** Spot pairs (BTC_USDC), and combinations (BTC-FS-27MAR26_PERP, BTC-CS-…): not contracts of their own that an account keeps. */
const SPOT_OR_COMBINATION = /^[A-Z0-9]+_[A-Z0-9]+$|^[A-Z0-9]+(?:_[A-Z0-9]+)?-[A-Z]{2,6}\d{0,2}-.+$/;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/**
 * The contract that a name stands for; null for spot pairs and combinations.
 * @throws INVALID_FIELD for any other name
 */
export function parseContract(name: string): Contract | null {
  const match = DERIVATIVE.exec(name);
  if (match === null) {
    if (SPOT_OR_COMBINATION.test(name)) return null;
    return refuse(name, 'is not the name of a Deribit instrument');
  }
  const [, underlying, usdc, date, strike, right] = match;
  const contract = { name, underlying: underlying!, linear: usdc !== undefined };
  if (date === undefined) {
    return { ...contract, type: 'perpetual', expiryMs: 0, strike: Number.NaN, right: null };
  }
  const expiryMs = parseExpiry(date);
  if (Number.isNaN(expiryMs)) return refuse(name, `has no expiry in ${date}`);
  if (strike === undefined) {
    return { ...contract, type: 'future', expiryMs, strike: Number.NaN, right: null };
  }
  const level = Number(strike.replace('d', '.'));
  if (!(level >= LIMITS.priceMin && level <= LIMITS.priceMax)) {
    return refuse(name, `has a strike outside ${LIMITS.priceMin} … ${LIMITS.priceMax}`);
  }
  return {
    ...contract,
    type: 'option',
    expiryMs,
    strike: level,
    right: right === 'C' ? 'call' : 'put',
  };
}

/** Whether an instant is on the day of expiry that the name says; only the hour is a convention. Perpetuals have no such day. */
export function expiresOn(contract: Contract, expiryMs: number): boolean {
  if (contract.type === 'perpetual') return true;
  const day = Math.floor(contract.expiryMs / MILLISECONDS_PER_DAY);
  return Math.floor(expiryMs / MILLISECONDS_PER_DAY) === day;
}

function refuse(name: string, text: string): never {
  throw new PlimsollError('INVALID_FIELD', `instrument_name ${show(name)} ${text}`, {
    path: 'instrument_name',
  });
}

/** 08:00 UTC of a day such as 7MAR26; NaN where there is no such day. */
function parseExpiry(date: string): number {
  const month = MONTHS.indexOf(date.slice(-5, -2)) + 1;
  const day = date.slice(0, -5).padStart(2, '0');
  return parseInstant(`20${date.slice(-2)}-${String(month).padStart(2, '0')}-${day}T08:00:00Z`);
}
