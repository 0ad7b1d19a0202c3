/** Cutting of NDJSON and JSON arrays against the plain ways: split('\n') and JSON.parse of the whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchValues, cutArray, cutLines } from '../../src/engine/chunks.ts';
import { LIMITS } from '../../src/limits.ts';
import { all, bytesOf, cutsOf, equalPieces, piecesOf, textOf } from './pieces.ts';

const WIDE = { linesMax: 1e9, bytesMax: 1e9 };
const WHOLE = { documentsMax: 1e9, bytesMax: 1e9 };

/** The numbered lines that hold something, found the plain way. */
function numberedLines(text: string, firstLine = 1): [number, string][] {
  return text
    .split('\n')
    .map((line, i): [number, string] => [firstLine + i, line])
    .filter(([, line]) => line.trim() !== '');
}

async function lines(text: string, cuts: readonly number[], options = WIDE) {
  const chunks = await all(cutLines(piecesOf(bytesOf(text), ...cuts), options));
  // Each shard has bytes of its own until it gives them back.
  expect(new Set(chunks.map(({ bytes }) => bytes.buffer)).size).toBe(chunks.length);
  for (const { bytes } of chunks) {
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  }
  return chunks.map(({ bytes, firstLine }) => ({ text: textOf(bytes), firstLine }));
}

describe('cutLines', () => {
  const line = fc.oneof(
    fc.constantFrom('', ' ', '\t\r', '\r', '{"id":"é₿😀"}', '{"id":"a","n":1}\r', 'x'.repeat(40)),
    fc.string({ maxLength: 12 }).map((s) => JSON.stringify(s)),
  );

  it('gives each line once, with its number, wherever the pieces are cut', async () => {
    const inputs = fc
      .tuple(fc.array(line, { maxLength: 20 }), fc.constantFrom('', '\n'))
      .map(([all, end]) => all.join('\n') + end)
      .chain((text) =>
        fc.tuple(
          fc.constant(text),
          cutsOf(bytesOf(text).length),
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 90 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(inputs, async ([text, cuts, linesMax, bytesMax]) => {
        const chunks = await lines(text, cuts, { linesMax, bytesMax });
        expect(chunks.flatMap((chunk) => numberedLines(chunk.text, chunk.firstLine))).toEqual(
          numberedLines(text),
        );
        for (const chunk of chunks) {
          const held = numberedLines(chunk.text).length;
          expect(held).toBeGreaterThan(0);
          expect(held).toBeLessThanOrEqual(linesMax);
          const single = chunk.text.replace(/\n$/, '').split('\n').length === 1;
          if (!single) expect(bytesOf(chunk.text).length).toBeLessThanOrEqual(bytesMax);
        }
      }),
      { seed: 7, numRuns: 400 },
    );
  });

  it('cuts the same at every byte boundary', async () => {
    const text = '{"id":"a"}\n\n {"id":"é"}\r\n{"id":"c"}';
    const options = { linesMax: 2, bytesMax: 1000 };
    const expected = [
      { text: '{"id":"a"}\n\n {"id":"é"}\r\n', firstLine: 1 },
      { text: '{"id":"c"}', firstLine: 4 },
    ];
    for (let cut = 0; cut <= bytesOf(text).length; cut++) {
      expect(await lines(text, [cut], options)).toEqual(expected);
    }
    const single = await all(cutLines(equalPieces(bytesOf(text), 1), options));
    expect(single.map(({ bytes }) => textOf(bytes))).toEqual(expected.map((chunk) => chunk.text));
  });

  it('has no chunk for no account', async () => {
    expect(await lines('', [])).toEqual([]);
    expect(await lines('\n \n\t\r\n', [])).toEqual([]);
  });

  it('leaves a byte order mark where it is', async () => {
    expect(await lines('\ufeff{}\n', [])).toEqual([{ text: '\ufeff{}\n', firstLine: 1 }]);
  });

  it('refuses a line beyond the limit and names it, before its end has come', async () => {
    const megabyte = new Uint8Array(1 << 20).fill(120);
    let given = 0;
    async function* endless() {
      yield bytesOf('{}\n\n');
      for (; given < 1000; given++) yield megabyte;
    }
    await expect(all(cutLines(endless(), WIDE))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `line 3 is longer than ${LIMITS.accountBytesMax} bytes`,
    });
    expect(given).toBe(LIMITS.accountBytesMax / megabyte.length);
  });

  it('hands a chunk on before it asks for more', async () => {
    let asked = 0;
    async function* source() {
      for (; asked < 5; asked++) yield bytesOf('{}\n');
    }
    const chunks = cutLines(source(), { linesMax: 1, bytesMax: 100 });
    await chunks.next();
    expect(asked).toBe(0);
    await chunks.return(undefined);
  });
});

async function documents(bytes: Uint8Array, cuts: readonly number[], options = WHOLE) {
  const chunks = await all(cutArray(piecesOf(bytes, ...cuts), options));
  return chunks.map((chunk) => {
    expect(chunk.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    const starts = [0, ...chunk.ends];
    expect(starts.at(-1)).toBe(chunk.bytes.length);
    return Array.from(chunk.ends, (end, i) => textOf(chunk.bytes.subarray(starts[i]!, end)));
  });
}

const malformed = async (text: string, message: string) => {
  const bytes = bytesOf(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    await expect(all(cutArray(piecesOf(bytes, cut), WHOLE))).rejects.toMatchObject({
      code: 'MALFORMED_JSON',
      message,
    });
  }
};

describe('cutArray', () => {
  it('gives the elements that JSON.parse finds, wherever the pieces are cut', async () => {
    const inputs = fc
      .tuple(
        fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 12 }),
        fc.constantFrom(0, 1, '\t'),
      )
      .map(([value, indent]) => ({
        value,
        bytes: bytesOf(` ${JSON.stringify(value, null, indent)}\r\n`),
      }))
      .chain((input) =>
        fc.tuple(
          fc.constant(input),
          cutsOf(input.bytes.length),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 60 }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(inputs, async ([{ value, bytes }, cuts, documentsMax, bytesMax]) => {
        const chunks = await documents(bytes, cuts, { documentsMax, bytesMax });
        expect(chunks.flat().map((text) => JSON.parse(text))).toEqual(
          JSON.parse(JSON.stringify(value)),
        );
        for (const chunk of chunks) {
          expect(chunk.length).toBeLessThanOrEqual(documentsMax);
          if (chunk.length > 1)
            expect(bytesOf(chunk.join('')).length).toBeLessThanOrEqual(bytesMax);
        }
      }),
      { seed: 11, numRuns: 600 },
    );
  });

  it('follows strings and escapes across every byte boundary', async () => {
    const value = [
      { a: '],[{"\\', 'b\\"': ['}', '\\\\', '"'] },
      'x\\"],',
      [],
      [[1, [2]]],
      -1.5e3,
      null,
      'é₿😀',
    ];
    const bytes = bytesOf(JSON.stringify(value, null, 2));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const chunks = await documents(bytes, [cut]);
      expect(chunks.flat().map((text) => JSON.parse(text))).toEqual(value);
    }
    const chunks = await all(cutArray(equalPieces(bytes, 1), WHOLE));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.ends).toHaveLength(value.length);
  });

  it('has no chunk for an empty array', async () => {
    expect(await documents(bytesOf('[]'), [])).toEqual([]);
    expect(await documents(bytesOf(' \n[ \t ] \n'), [])).toEqual([]);
  });

  it('names the byte at which the array is malformed', async () => {
    await malformed('{"id":"a"}', 'a JSON array was expected, not at byte 0');
    await malformed('', 'a JSON array was expected, the input ends at byte 0');
    await malformed(
      '[{"id":"a"} {"id":"b"}]',
      'a comma or the end of the array was expected at byte 12',
    );
    await malformed('["a""b"]', 'a comma or the end of the array was expected at byte 4');
    await malformed('[1 2]', 'a comma or the end of the array was expected at byte 3');
    await malformed('[1"a"]', 'a comma or the end of the array was expected at byte 2');
    await malformed('[1}', 'a comma or the end of the array was expected at byte 2');
    await malformed('[{},,{}]', 'an element is missing at byte 4');
    await malformed('[,{}]', 'an element is missing at byte 1');
    await malformed('[{},]', 'an element is missing at byte 4');
    await malformed('[}', 'an element is missing at byte 1');
    await malformed('[{}]x', 'something follows the JSON array at byte 4');
    await malformed('[]]', 'something follows the JSON array at byte 2');
    for (const text of ['[', '[{"a":"]', '[{}', '[{},', '[1', '["\\"]', '[{"a":[}]']) {
      await malformed(text, `the JSON array is cut off at byte ${text.length}`);
    }
    await malformed('\ufeff[]', 'a JSON array was expected, not at byte 0');
  });

  it('never accepts what JSON.parse refuses', async () => {
    const fragments = fc
      .array(fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', '1', ' ', '{}', '"a":'), {
        maxLength: 14,
      })
      .map((parts) => `[${parts.join('')}`);
    const accepted = async (text: string): Promise<unknown> => {
      try {
        return (await documents(bytesOf(text), [])).flat().map((element) => JSON.parse(element));
      } catch {
        return 'refused';
      }
    };
    const parsed = (text: string): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        return 'refused';
      }
    };
    await fc.assert(
      fc.asyncProperty(fragments, async (text) => {
        expect(await accepted(text)).toEqual(parsed(text));
      }),
      { seed: 13, numRuns: 3000 },
    );
  });

  it('refuses an element beyond the limit before its end has come', async () => {
    const megabyte = new Uint8Array(1 << 20).fill(120);
    async function* endless() {
      yield bytesOf('[{},{"id":"');
      for (let i = 0; i < 1000; i++) yield megabyte;
    }
    await expect(all(cutArray(endless(), WHOLE))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      path: '[1]',
    });
  });
});

describe('batchValues', () => {
  it('groups in order, of what is at hand or still to come', async () => {
    async function* later() {
      yield* [1, 2, 3, 4, 5];
    }
    expect(await all(batchValues([1, 2, 3, 4], 2))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await all(batchValues(later(), 2))).toEqual([[1, 2], [3, 4], [5]]);
    expect(await all(batchValues([], 2))).toEqual([]);
  });
});
