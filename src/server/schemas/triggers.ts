/** The triggers of booked accounts: what is asked, and a page of them. */
import Type, { type Static } from 'typebox';
import { TriggersSchema } from '../../engine/studies/triggersSchema.ts';
import { LIMITS } from '../../limits.ts';

const closed = { additionalProperties: false } as const;
const id = Type.String({ minLength: 1, maxLength: LIMITS.idLengthMax });
const some = (description: string) =>
  Type.Optional(Type.Union([id, Type.Array(id)], { description }));
const seconds = (description: string) => Type.Number({ minimum: 0, description });

export const TriggersQuerySchema = Type.Object(
  {
    account: some('Only of this account; may stand several times.'),
    underlying: some('Only moves of this underlying; may stand several times.'),
    within: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,3}(\\.[0-9]{1,9})?$',
        description: 'Only moves of at most so much on the nearer side: 0.05 is 5%.',
      }),
    ),
    after: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: LIMITS.idLengthMax,
        description: 'Only accounts after this id: `next` of the page before.',
      }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,8}$',
        description: `Accounts of the page, at most and by default ${LIMITS.triggersPageMax}.`,
      }),
    ),
  },
  closed,
);

export const BookedTriggersSchema = Type.Object(
  {
    ...TriggersSchema.properties,
    seq: Type.Integer({
      description: 'Record that published the figures that they begin with.',
    }),
    marketSeq: Type.Integer({ description: 'Last record that had changed the market then.' }),
    age: seconds(
      "Seconds for which they have been behind the account's figures; 0 where they are of them.",
    ),
  },
  { ...closed, title: 'BookedTriggers' },
);

export const TriggersPageSchema = Type.Object(
  {
    accounts: Type.Integer({ description: 'Booked accounts.' }),
    waiting: Type.Integer({
      description: 'Of them, those whose triggers are behind their figures or not known yet.',
    }),
    greatestAge: seconds('The greatest age of all accounts, those without triggers included.'),
    triggers: Type.Array(BookedTriggersSchema, { description: 'By account id.' }),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'What `after` of the next page is; null: this is the last.',
    }),
  },
  { ...closed, title: 'TriggersPage' },
);
export type TriggersPage = Static<typeof TriggersPageSchema>;
