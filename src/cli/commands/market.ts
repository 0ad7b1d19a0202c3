/** `plimsoll market`: exchange files in, one snapshot in our own JSON out. */
import { compileMarket } from '../../market/market.ts';
import { writeSnapshot } from '../../market/readers/snapshotText.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { EXIT } from '../exitCodes.ts';
import { readMarket, refuseOverwriting, refuseSharedInput } from '../inputs.ts';
import type { MarketOptions, OutOptions } from '../options.ts';
import { count, money } from '../output/figures.ts';
import { writeOut } from '../output/sink.ts';
import { table } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';

export interface ConvertOptions extends MarketOptions, OutOptions {}

export async function runMarket(options: ConvertOptions, terminal: Terminal): Promise<number> {
  refuseSharedInput(options.market ?? []);
  refuseOverwriting(options.out, options.market ?? []);
  const snapshot = await readMarket(options);
  const { out } = options;
  if (terminal.json) {
    if (out !== undefined && out !== '-') {
      await writeOut(out, writeSnapshot(snapshot), terminal);
      await terminal.document(holdings(snapshot));
    } else await writeOut('-', writeSnapshot(snapshot), terminal);
    return EXIT.ok;
  }
  if (out !== undefined) await writeOut(out, writeSnapshot(snapshot), terminal);
  const text = marketTable(holdings(snapshot));
  if (out === '-') terminal.note(text.trimEnd());
  else await terminal.write(text);
  return EXIT.ok;
}

interface Holdings {
  readonly asOf: string;
  readonly currency: string;
  readonly underlyings: readonly {
    readonly id: string;
    readonly spot: number;
    readonly forwards: number;
    readonly smiles: number;
    readonly instruments: number;
    readonly withProblems: number;
  }[];
}

/** What a market holds. An instrument with a problem is there, and positions in it are rejected. */
function holdings(snapshot: MarketSnapshot): Holdings {
  const { instruments, underlyings } = compileMarket(snapshot);
  const { asOf, currency } = snapshot;
  const held = snapshot.underlyings.map(({ id, spot, forwards = [], surface = [] }) => {
    const own = instruments.filter(({ underlying }) => underlyings[underlying]?.id === id);
    const withProblems = own.filter(({ problem }) => problem !== null).length;
    const counts = { forwards: forwards.length, smiles: surface.length, instruments: own.length };
    return { id, spot, ...counts, withProblems };
  });
  return { asOf, currency, underlyings: held };
}

const COLUMNS = [
  { title: 'underlying' },
  { title: 'spot', align: 'right' },
  { title: 'forwards', align: 'right' },
  { title: 'smiles', align: 'right' },
  { title: 'instruments', align: 'right' },
  { title: 'with problems', align: 'right' },
] as const;

function marketTable({ asOf, currency, underlyings }: Holdings): string {
  const rows = underlyings.map((held) => [
    held.id,
    money(held.spot),
    count(held.forwards),
    count(held.smiles),
    count(held.instruments),
    count(held.withProblems),
  ]);
  return `Market as of ${asOf}, in ${currency}\n\n${table(COLUMNS, rows)}`;
}
