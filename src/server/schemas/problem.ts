/** The one shape of every answer that is not a success. */
import Type, { type Static, type TSchema } from 'typebox';
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:plimsoll:problem: and the code in lower case.' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong here, with value and limit; for people.' }),
    code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[], {
      description: 'Stable: what programs match on.',
    }),
    path: Type.Optional(Type.String({ description: 'The field at fault: positions[3].size.' })),
    account: Type.Optional(Type.String({ description: 'Id of the account at fault.' })),
  },
  {
    additionalProperties: false,
    title: 'Problem',
    description: 'RFC 9457.',
    examples: [
      {
        type: 'urn:plimsoll:problem:unknown-instrument',
        title: 'The position names an instrument that the market does not hold.',
        status: 422,
        detail: 'positions[0].instrument "BTC-PERP" is not an instrument of the market',
        code: 'UNKNOWN_INSTRUMENT',
        path: 'positions[0].instrument',
        account: 'acct-1',
      },
    ],
  },
);

export type Problem = Static<typeof ProblemSchema>;

const content = { 'application/problem+json': { schema: ProblemSchema } };

const header = (description: string, schema: TSchema) => ({ description, required: true, schema });
const retryAfter = {
  'Retry-After': header('Seconds.', Type.Integer({ minimum: 1 })),
};

/** Every status of a problem over HTTP, as the reference shows it. */
export const PROBLEM_RESPONSES = {
  400: { name: 'Malformed', description: 'Malformed.', content },
  404: { name: 'NotFound', description: 'Nothing under this name or path.', content },
  405: {
    name: 'MethodNotAllowed',
    description: 'The path exists, but not for this method.',
    headers: { Allow: header('The methods that the path has.', Type.String()) },
    content,
  },
  408: { name: 'Timeout', description: 'The request or its body came too slowly.', content },
  413: { name: 'TooLarge', description: 'The body is too large.', content },
  415: {
    name: 'UnsupportedMediaType',
    description: 'A content type or encoding that the route does not read.',
    content,
  },
  422: {
    name: 'Invalid',
    description: 'Well-formed but wrong: `code` and `path` say what and where.',
    content,
  },
  431: { name: 'HeadersTooLarge', description: 'The header fields are too large.', content },
  500: { name: 'Internal', description: 'A fault of the service.', content },
  503: {
    name: 'Unavailable',
    description: 'Saturated, starting or closing: try again after `Retry-After` seconds.',
    headers: retryAfter,
    content,
  },
  default: {
    name: 'Problem',
    description:
      'Whatever else is no success. A path that is not in this document answers 404, a method that its path has not 405.',
    content,
  },
} as const;

export type ProblemStatus = keyof typeof PROBLEM_RESPONSES;

/** What any request can meet, whatever it asks for: no route needs to name them. */
export const COMMON_STATUSES: readonly ProblemStatus[] = [400, 405, 408, 431, 500, 'default'];

/** Responses of a route that are its own, by status, for its schema. */
export function problems(
  ...statuses: Exclude<ProblemStatus, 'default'>[]
): Record<number, { description: string; content: typeof content }> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: PROBLEM_RESPONSES[status].description, content },
    ]),
  );
}
