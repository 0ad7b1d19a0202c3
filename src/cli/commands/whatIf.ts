/** `plimsoll what-if`: margin before and after a change of one account, and whether its orders may be accepted. */
import { type AccountChange, ChangeSchema, type FillRecord } from '../../engine/studies/changes.ts';
import { PlimsollError } from '../../errors.ts';
import type { Order } from '../../margin/account.ts';
import { reader } from '../../schema.ts';
import { answerQuestion, type QuestionOptions } from '../accountQuestion.ts';
import { readDocument } from '../inputs.ts';
import { number } from '../options.ts';
import { whatIfTable } from '../output/whatIfTable.ts';
import type { Terminal } from '../terminal.ts';

export interface WhatIfOptions extends QuestionOptions {
  readonly change?: string;
  readonly fill?: string[];
  readonly order?: string[];
}

export async function runWhatIf(options: WhatIfOptions, terminal: Terminal): Promise<number> {
  const files = options.change === undefined ? [] : [options.change];
  const change = await changeOf(options);
  return answerQuestion(
    options,
    terminal,
    files,
    (engine, account) => engine.whatIf(account, { change }),
    whatIfTable,
  );
}

const readChange = reader(ChangeSchema);

/** The file's change, with the trades of the command line at its end. */
async function changeOf({ change, fill = [], order = [] }: WhatIfOptions): Promise<AccountChange> {
  if (change === undefined && fill.length === 0 && order.length === 0) {
    const message = 'nothing changes: give --change FILE, --order or --fill';
    throw new PlimsollError('USAGE', message, { path: 'change' });
  }
  const stated =
    change === undefined
      ? {}
      : await readDocument(change, (value) => readChange(value, { prefix: 'change' }));
  const fills = [...(stated.fills ?? []), ...fill.map(fillOf)];
  const orders = [...(stated.orders ?? []), ...order.map(orderOf)];
  return {
    ...stated,
    ...(fills.length === 0 ? {} : { fills }),
    ...(orders.length === 0 ? {} : { orders }),
  };
}

/** `buy 5 BTC-PERPETUAL 88000`. */
function orderOf(text: string): Order {
  const { side, size, instrument, price } = tradeOf(text, 'order');
  if (price === undefined) {
    const message = `--order needs a price: ${JSON.stringify(text)}`;
    throw new PlimsollError('USAGE', message, { path: 'order' });
  }
  return { instrument, side, size, price };
}

function fillOf(text: string): FillRecord {
  const { side, size, instrument, price } = tradeOf(text, 'fill');
  const signed = side === 'buy' ? size : -size;
  return { instrument, size: signed, ...(price === undefined ? {} : { price }) };
}

function tradeOf(text: string, option: 'order' | 'fill') {
  const [side, size, instrument, price, ...rest] = text.trim().split(/\s+/);
  const wrong = (why: string): never => {
    const form = `--${option} is SIDE SIZE INSTRUMENT${option === 'order' ? ' PRICE' : ' [PRICE]'}`;
    throw new PlimsollError('USAGE', `${form}, ${why}: ${JSON.stringify(text)}`, { path: option });
  };
  if (side !== 'buy' && side !== 'sell') return wrong('SIDE is buy or sell');
  if (size === undefined || instrument === undefined || rest.length > 0)
    return wrong('no more, no less');
  const parsed = { size: Number.NaN, price: undefined as number | undefined };
  try {
    parsed.size = number(size);
    if (price !== undefined) parsed.price = number(price);
  } catch (error) {
    return wrong((error as Error).message);
  }
  if (!(parsed.size > 0)) return wrong('SIZE is greater than 0');
  return { side, instrument, ...parsed } as const;
}
