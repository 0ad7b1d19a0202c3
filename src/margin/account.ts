/** An account as it arrives: row objects or the compact columnar form. One schema each; both become the same `Account`. */
import Type, { type Static } from 'typebox';
import { columns } from '../columns.ts';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { reader, show } from '../schema.ts';

const closed = { additionalProperties: false } as const;
const id = (description: string) =>
  Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax, description });

const PRICE = Type.Number({ minimum: LIMITS.priceMin, maximum: LIMITS.priceMax });

export const MARGIN_MODES = ['portfolio', 'cross', 'isolated'] as const;
export type MarginMode = (typeof MARGIN_MODES)[number];

export const CollateralSchema = Type.Object(
  {
    asset: id("The account's currency, or an underlying with a spot."),
    amount: Type.Number({ description: 'In units of the asset; negative is owed.' }),
  },
  closed,
);

export const PositionSchema = Type.Object(
  {
    instrument: id('Id of an instrument of the market.'),
    size: Type.Number({ description: 'Signed, in contracts; > 0 long. Not 0.' }),
    entryPrice: Type.Optional(
      Type.Union([PRICE, Type.Null()], {
        description:
          'Quote price (coin for coin-settled options). Without it nothing is unrealised.',
      }),
    ),
    allocated: Type.Optional(
      Type.Number({
        description: "Isolated mode: the position's own collateral, in the account's currency.",
      }),
    ),
  },
  closed,
);

export const OrderSchema = Type.Object(
  {
    id: Type.Optional(id('Id of the order.')),
    instrument: id('Id of an instrument of the market.'),
    side: Type.Enum(['buy', 'sell']),
    size: Type.Number({ exclusiveMinimum: 0, description: 'In contracts.' }),
    price: Type.Number({
      minimum: LIMITS.priceMin,
      maximum: LIMITS.priceMax,
      description: 'Limit price.',
    }),
  },
  closed,
);

const common = {
  id: id('Id of the account.'),
  mode: Type.Optional(
    Type.Enum([...MARGIN_MODES], { description: 'Margin mode. Default portfolio.' }),
  ),
  currency: Type.Optional(id("Must be the market's. Default: the market's.")),
  creditLine: Type.Optional(
    Type.Number({
      minimum: 0,
      description: "Taken off the requirement, in the account's currency. Default 0.",
    }),
  ),
  collateral: Type.Optional(Type.Array(CollateralSchema, { maxItems: LIMITS.collateralMax })),
  orders: Type.Optional(
    Type.Array(OrderSchema, {
      maxItems: LIMITS.ordersMax,
      description: 'Open orders: the worse side is charged, all buys or all sells filled.',
    }),
  ),
};

export const AccountSchema = Type.Object(
  {
    ...common,
    positions: Type.Optional(Type.Array(PositionSchema, { maxItems: LIMITS.positionsMax })),
  },
  { ...closed, title: 'Account' },
);

export const ColumnarAccountSchema = Type.Object(
  {
    ...common,
    instruments: Type.Array(id('Id of an instrument.'), { maxItems: LIMITS.positionsMax }),
    sizes: Type.Array(Type.Number(), { maxItems: LIMITS.positionsMax }),
    entryPrices: Type.Optional(
      Type.Array(Type.Union([PRICE, Type.Null()]), {
        maxItems: LIMITS.positionsMax,
      }),
    ),
    allocated: Type.Optional(
      Type.Array(Type.Union([Type.Number(), Type.Null()]), { maxItems: LIMITS.positionsMax }),
    ),
  },
  { ...closed, title: 'ColumnarAccount' },
);

export type AccountInput = Static<typeof AccountSchema>;
export type ColumnarAccountInput = Static<typeof ColumnarAccountSchema>;
export type Collateral = Static<typeof CollateralSchema>;
export type Order = Static<typeof OrderSchema>;

/** The one inner form: columns. */
export interface Account {
  readonly id: string;
  readonly mode: MarginMode;
  readonly currency: string | null;
  readonly creditLine: number;
  readonly collateral: readonly Collateral[];
  readonly orders: readonly Order[];
  readonly instruments: readonly string[];
  readonly sizes: ArrayLike<number>;
  /** NaN: none. */
  readonly entryPrices: ArrayLike<number> | null;
  readonly allocated: ArrayLike<number> | null;
  /** How errors name position i. */
  readonly columnar: boolean;
}

const readRows = reader(AccountSchema);
const readColumns = reader(ColumnarAccountSchema);

/** The id of an account that may be malformed otherwise, for its error record. */
export function accountId(value: unknown): string | null {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' && id.length <= LIMITS.idLengthMax ? id : null;
}

/** @throws INVALID_FIELD, UNKNOWN_FIELD or MISSING_FIELD with the field's path */
export function readAccount(value: unknown): Account {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new PlimsollError('INVALID_FIELD', `an account must be an object, got ${show(value)}`);
  }
  const place = { account: accountId(value) ?? '' };
  if ('instruments' in value || 'sizes' in value) return fromColumns(readColumns(value, place));
  return fromRows(readRows(value, place));
}

type Columns = Pick<Account, 'instruments' | 'sizes' | 'entryPrices' | 'allocated' | 'columnar'>;

/** Field by field: an object spread costs more here than reading the whole account does. */
function compose(input: AccountInput | ColumnarAccountInput, columns: Columns): Account {
  return {
    id: input.id,
    mode: input.mode ?? 'portfolio',
    currency: input.currency ?? null,
    creditLine: input.creditLine ?? 0,
    collateral: input.collateral ?? [],
    orders: input.orders ?? [],
    instruments: columns.instruments,
    sizes: columns.sizes,
    entryPrices: columns.entryPrices,
    allocated: columns.allocated,
    columnar: columns.columnar,
  };
}

function fromRows(input: AccountInput): Account {
  const positions = input.positions ?? [];
  const n = positions.length;
  const instruments = new Array<string>(n);
  const [sizes, entryPrices] = columns(2, n) as [Float64Array, Float64Array];
  let allocated: Float64Array | null = null;
  for (let i = 0; i < n; i++) {
    const position = positions[i]!;
    instruments[i] = position.instrument;
    sizes[i] = position.size;
    entryPrices[i] = position.entryPrice ?? Number.NaN;
    if (position.allocated !== undefined) {
      allocated ??= new Float64Array(n).fill(Number.NaN);
      allocated[i] = position.allocated;
    }
  }
  return compose(input, { instruments, sizes, entryPrices, allocated, columnar: false });
}

function fromColumns(input: ColumnarAccountInput): Account {
  const { instruments } = input;
  const n = instruments.length;
  const read = (
    values: readonly (number | null)[] | undefined,
    name: string,
    column: Float64Array | undefined,
  ) => {
    if (values === undefined || column === undefined) return null;
    if (values.length !== n) {
      const message = `${name} has ${values.length} entries, instruments ${n}`;
      throw new PlimsollError('INVALID_FIELD', message, { path: name, account: input.id });
    }
    for (let i = 0; i < n; i++) column[i] = values[i] ?? Number.NaN;
    return column;
  };
  const rooms = columns(3, n);
  const sizes = read(input.sizes, 'sizes', rooms[0])!;
  const entryPrices = read(input.entryPrices, 'entryPrices', rooms[1]);
  const allocated = read(input.allocated, 'allocated', rooms[2]);
  return compose(input, { instruments, sizes, entryPrices, allocated, columnar: true });
}

/** The path of a field of position i, in the form that the account came in. */
export function positionPath(
  account: Account,
  i: number,
  field: 'instrument' | 'size' | 'entryPrice' | 'allocated',
): string {
  if (!account.columnar) return `positions[${i}].${field}`;
  const column = field === 'allocated' ? field : `${field}s`;
  return `${column}[${i}]`;
}
