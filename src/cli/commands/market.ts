/** `plimsoll market`: exchange files in, one snapshot in our own JSON out. */
import { compileMarket } from '../../market/market.ts';
import { writeSnapshot } from '../../market/readers/snapshotText.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { EXIT } from '../exitCodes.ts';
import { readMarket, refuseSharedInput } from '../inputs.ts';
import type { MarketOptions, OutOptions } from '../options.ts';
import { count, money } from '../output/figures.ts';
import { writeOut } from '../output/sink.ts';
import { table } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';

export interface ConvertOptions extends MarketOptions, OutOptions {}

export async function runMarket(options: ConvertOptions, terminal: Terminal): Promise<number> {
  refuseSharedInput(options.market ?? []);
  const snapshot = await readMarket(options);
  const target = options.out ?? (terminal.json ? '-' : undefined);
  const text = marketTable(snapshot);
  if (target !== undefined) {
    const bytes = writeSnapshot(snapshot);
    await writeOut(target, bytes, terminal);
  }
  if (target === '-') terminal.note(text.trimEnd());
  else await terminal.write(text);
  return EXIT.ok;
}

const COLUMNS = [
  { title: 'underlying' },
  { title: 'spot', align: 'right' },
  { title: 'forwards', align: 'right' },
  { title: 'smiles', align: 'right' },
  { title: 'instruments', align: 'right' },
  { title: 'with problems', align: 'right' },
] as const;

/** What a market holds. An instrument with a problem is there, and positions in it are rejected. */
export function marketTable(snapshot: MarketSnapshot): string {
  const { instruments, underlyings } = compileMarket(snapshot);
  const rows = snapshot.underlyings.map((record) => {
    const own = instruments.filter(({ underlying }) => underlyings[underlying]?.id === record.id);
    return [
      record.id,
      money(record.spot),
      count(record.forwards?.length ?? 0),
      count(record.surface?.length ?? 0),
      count(own.length),
      count(own.filter(({ problem }) => problem !== null).length),
    ];
  });
  return `Market as of ${snapshot.asOf}, in ${snapshot.currency}\n\n${table(COLUMNS, rows)}`;
}
