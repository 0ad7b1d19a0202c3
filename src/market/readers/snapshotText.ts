/** A snapshot as text for people and version control: one line for each contract, forward and quote, fields in the contract's order. */
import { type MarketSnapshot, readSnapshot } from '../snapshot.ts';

const ORDER = [
  'id',
  'asOf',
  'currency',
  'underlyings',
  'instruments',
  'type',
  'underlying',
  'spot',
  'rate',
  'oracleConfidence',
  'expiry',
  'strike',
  'right',
  'style',
  'settlement',
  'multiplier',
  'mark',
  'price',
  'iv',
  'halfSpread',
  'dailyVolume',
  'distance',
  'size',
  'forwards',
  'surface',
  'liquidity',
  'depth',
  'quotes',
];

/**
 * The same text for the same snapshot, whatever the order of its keys; `readSnapshot` of its JSON gives an equal value, and so an equal
 * market hash.
 * @throws what `readSnapshot` throws: a NaN would be written as null
 */
export function writeSnapshot(snapshot: MarketSnapshot): string {
  return `${layOut(readSnapshot(snapshot), '')}\n`;
}

function layOut(value: unknown, indent: string): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const items = list
    ? value.map((item) => layOut(item, inner))
    : membersOf(value).map(([key, item]) => `${JSON.stringify(key)}: ${layOut(item, inner)}`);
  const [open, close] = list ? '[]' : '{}';
  if (items.length === 0) return `${open}${close}`;
  const flat = !list && Object.values(value).every((item) => typeof item !== 'object');
  if (flat) return `{ ${items.join(', ')} }`;
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

function membersOf(value: object): [string, unknown][] {
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return members.sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
}
