/** Cutting of Arrow streams that pyarrow wrote (test/fixtures/arrowAccounts.py); what is cut is read back by apache-arrow. */
import { Float32, Float64, Int64, tableFromIPC, Utf8 } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutArrow } from '../../src/engine/arrowStream.ts';
import { LIMITS } from '../../src/limits.ts';
import {
  ACCOUNTS,
  CODED,
  COMPRESSED,
  documentsOf,
  FILE,
  LEGACY,
  listOf,
  STREAMS,
  streamNamed,
  streamOf,
  TYPES,
} from './arrowStreams.ts';
import { all, bytesOf, cutsOf, equalPieces, piecesOf } from './pieces.ts';

const ids = ACCOUNTS.map((account) => account.id);
const END = 8;

/** A schema, a dictionary and a batch, with few bytes. */
const SMALL = streamOf(
  [
    { id: 'a', sizes: [1] },
    { id: 'b', sizes: null },
  ],
  CODED,
);

const cut = (bytes: Uint8Array, ...cuts: number[]) =>
  all(cutArrow(piecesOf(bytes, ...cuts), { rowsMax: 1000 }));

/** The ids in a chunk's bytes and rows, found by apache-arrow. */
const idsOf = ({
  bytes,
  start,
  end,
}: {
  bytes: Uint8Array;
  start: number;
  end: number;
}): string[] => [...tableFromIPC(bytes.slice()).getChild('id')!.slice(start, end)].map(String);

describe('cutArrow', () => {
  it.each(STREAMS)('%s: each chunk is a stream by itself, in shared memory', async (_, bytes) => {
    const chunks = await all(cutArrow(equalPieces(bytes, 1000), { rowsMax: 4 }));
    expect(chunks.flatMap(idsOf)).toEqual(ids);
    for (const chunk of chunks) {
      expect(chunk.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(chunk.end - chunk.start).toBeLessThanOrEqual(4);
    }
  });

  it('lets the ranges of one batch share its bytes', async () => {
    const chunks = await all(cutArrow(piecesOf(streamNamed('plain')), { rowsMax: 20 }));
    expect(chunks.map(({ start, end }) => [start, end])).toEqual([
      [0, 20],
      [20, 40],
      [40, 41],
    ]);
    expect(new Set(chunks.map((chunk) => chunk.bytes)).size).toBe(1);
  });

  it('cuts the same at every byte boundary', async () => {
    const expected = await cut(SMALL);
    for (let at = 1; at < SMALL.length; at++) {
      const chunks = await cut(SMALL, at);
      expect(chunks).toHaveLength(expected.length);
      expect(Buffer.from(chunks[0]!.bytes).equals(expected[0]!.bytes)).toBe(true);
    }
  });

  it('cuts the same in any pieces', async () => {
    const bytes = streamNamed('deltas');
    const joined = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> =>
      Buffer.concat((await all(cutArrow(pieces, { rowsMax: 1000 }))).map((chunk) => chunk.bytes));
    const expected = await joined(piecesOf(bytes));
    await fc.assert(
      fc.asyncProperty(cutsOf(bytes.length), async (cuts) => {
        expect((await joined(piecesOf(bytes, ...cuts))).equals(expected)).toBe(true);
      }),
      { seed: 17, numRuns: 200 },
    );
    expect((await joined(equalPieces(bytes, 1))).equals(expected)).toBe(true);
  });

  it('refuses a stream that breaks off, at every byte', async () => {
    for (let end = 0; end < SMALL.length; end++) {
      await expect(cut(SMALL.subarray(0, end))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    }
  });

  it('hands a batch on before the next has come', async () => {
    const bytes = streamNamed('batches');
    let asked = 0;
    async function* source() {
      for await (const piece of equalPieces(bytes, 256)) {
        asked += piece.length;
        yield piece;
      }
    }
    const chunks = cutArrow(source(), { rowsMax: 1000 });
    await chunks.next();
    expect(asked).toBeLessThan(bytes.length / 2);
    await chunks.return(undefined);
  });

  it('says what it does not read', async () => {
    const refused = (bytes: Uint8Array, message: RegExp) =>
      expect(cut(bytes)).rejects.toMatchObject({
        code: 'MALFORMED_ARROW',
        message: expect.stringMatching(message),
      });
    await refused(FILE, /file format; send the stream format/);
    await refused(COMPRESSED, /compressed batches are not read/);
    await refused(LEGACY, /no message begins at byte 0/);
    await refused(bytesOf('{"id":"a"}'), /no message begins at byte 0/);
    await refused(new Uint8Array(0), /stops at byte 0 without its end-of-stream marker/);
    const plain = streamNamed('plain');
    await refused(
      Buffer.concat([plain, plain]),
      new RegExp(`something follows .* at byte ${plain.length}`),
    );
    await refused(plain.subarray(-END), /does not begin with a schema/);
    const open = plain.subarray(0, -END);
    await refused(Buffer.concat([open, plain]), /a second schema/);
  });

  it('refuses sizes beyond the limits before it reads on', async () => {
    const head = new Uint8Array(8).fill(255);
    new DataView(head.buffer).setInt32(4, LIMITS.arrowMetadataBytesMax + 1, true);
    await expect(cut(head)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    new DataView(head.buffer).setInt32(4, -1, true);
    await expect(cut(head)).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    await expect(cut(withBodyLength(BigInt(LIMITS.arrowBatchBytesMax) + 8n))).rejects.toMatchObject(
      { code: 'TOO_LARGE' },
    );
    await expect(cut(withBodyLength(-8n))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    await expect(cut(withBodyLength(0n))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
  });

  it('names the column that accounts do not have', async () => {
    const refused = (
      rows: readonly Record<string, unknown>[],
      types: typeof TYPES,
      error: object,
    ) => expect(cut(streamOf(rows, { ...TYPES, ...types }))).rejects.toMatchObject(error);
    await refused([{ id: 'a', note: 'x' }], {}, { code: 'UNKNOWN_FIELD', path: 'note' });
    await refused([{ mode: 'cross' }], {}, { code: 'MISSING_FIELD', path: 'id' });
    const wrong = (name: string, type: string, got: string) => ({
      code: 'INVALID_FIELD',
      path: name,
      message: `column ${name} must be ${type}, got ${got}`,
    });
    await refused([{ id: 1 }], { id: new Float64() }, wrong('id', 'Utf8', 'Float64'));
    await refused(
      [{ id: 'a', sizes: [1n] }],
      { sizes: listOf(new Int64()) },
      wrong('sizes', 'Float64', 'Int'),
    );
    await refused(
      [{ id: 'a', sizes: [1] }],
      { sizes: listOf(new Float32()) },
      wrong('sizes', 'Float64', 'Float32'),
    );
    await refused(
      [{ id: 'a', sizes: 1 }],
      { sizes: new Float64() },
      wrong('sizes', 'List<Float64>', 'Float64'),
    );
    await refused(
      [{ id: 'a', collateral: ['USD'] }],
      { collateral: listOf(new Utf8()) },
      {
        code: 'INVALID_FIELD',
        path: 'collateral',
      },
    );
  });
});

/** The stream with another length of its batch's body, which stands as an i64 in the batch's metadata. */
function withBodyLength(length: bigint): Uint8Array {
  const bytes = streamNamed('plain').slice();
  const view = new DataView(bytes.buffer);
  const schema = 8 + view.getInt32(4, true);
  const metadata = view.getInt32(schema + 4, true);
  const body = BigInt(bytes.length - END - (schema + 8 + metadata));
  for (let at = schema + 8; at < schema + 8 + metadata; at += 4) {
    if (view.getBigInt64(at, true) !== body) continue;
    view.setBigInt64(at, length, true);
    return bytes;
  }
  throw new Error('no body length found');
}

describe('a damaged stream', () => {
  it('fails as a whole where offsets go backwards', async () => {
    const bytes = streamOf([
      { id: 'a', sizes: [1, 2] },
      { id: 'b', sizes: [3] },
      { id: 'c', sizes: [4] },
    ]);
    // Ends of the three lists: 0, 2, 3, 4.
    const offsets = Buffer.from(Int32Array.of(0, 2, 3, 4).buffer);
    const at = Buffer.from(bytes).indexOf(offsets);
    expect(at).toBeGreaterThan(0);
    bytes[at + 8] = 1;
    await expect(documentsOf(piecesOf(bytes))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    bytes[at + 8] = 9;
    await expect(documentsOf(piecesOf(bytes))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
  });

  it('fails as a whole where an index points outside of the dictionary', async () => {
    const bytes = streamOf([{ id: 'a' }, { id: 'b' }, { id: 'a' }, { id: 'b' }], CODED);
    const at = Buffer.from(bytes).indexOf(Buffer.from(Int32Array.of(0, 1, 0, 1).buffer));
    expect(at).toBeGreaterThan(0);
    for (const code of [2, 255]) {
      bytes[at] = code;
      await expect(documentsOf(piecesOf(bytes))).rejects.toMatchObject({ code: 'MALFORMED_ARROW' });
    }
  });

  it('is refused with a typed error or read as accounts, and never hangs', async () => {
    const damage = fc.constantFrom(...STREAMS).chain(([, bytes]) =>
      fc.tuple(
        fc.constant(bytes),
        fc.array(
          fc.tuple(fc.integer({ min: 8, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ([bytes, changes]) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[at] = value;
        try {
          await documentsOf(piecesOf(damaged));
        } catch (error) {
          expect((error as { code: string }).code).toMatch(
            /^(MALFORMED_ARROW|TOO_LARGE|UNKNOWN_FIELD|MISSING_FIELD|INVALID_FIELD)$/,
          );
        }
      }),
      { seed: 19, numRuns: 2000 },
    );
  });
});
