/** Documents of a shard against TextDecoder and JSON.parse over the same bytes. */
import { describe, expect, it } from 'vitest';
import { type Documents, readDocuments } from '../../src/engine/documents.ts';
import { arrayElements } from '../../src/engine/transport.ts';

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function lines(bytes: Uint8Array, firstLine = 1): Documents {
  return readDocuments({ form: 'ndjson', bytes: shared(bytes), firstLine });
}

const all = ({ count, read }: Documents) => Array.from({ length: count }, (_, i) => read(i));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('lines of a shard', () => {
  it('are read in ASCII and beyond, blank ones left out, the last one with or without its end', () => {
    for (const end of ['', '\n', '\r\n']) {
      for (const name of ['plain', 'Zoë', '結算所', '🚢', '\u2028']) {
        const text = `{"id":"a"}\n \t\r\n\n{"id":${JSON.stringify(name)}}\r\n{"n":[1,2]}${end}`;
        const values = text
          .split('\n')
          .filter((line) => line.trim() !== '' || line.includes('\u2028'))
          .map((line) => ({ value: JSON.parse(line) as unknown }));
        expect(all(lines(utf8(text)))).toEqual(values);
      }
    }
  });

  it('fail alone where they are no JSON or no UTF-8, by their number in the input', () => {
    const [good, torn] = [utf8('{"id":"é"}\n'), Uint8Array.from([34, 0xc3, 34, 10])];
    const documents = all(lines(Buffer.concat([good, utf8('\n'), torn, utf8('{]\n'), good]), 41));
    expect(documents).toHaveLength(4);
    expect(documents[0]).toEqual({ value: { id: 'é' } });
    expect(documents[1]).toMatchObject({ error: { code: 'MALFORMED_JSON' } });
    expect(documents[1]).toMatchObject({ error: { message: 'line 43: the bytes are not UTF-8' } });
    expect(documents[2]).toMatchObject({ error: { code: 'MALFORMED_JSON' } });
    expect(documents[2]).toMatchObject({ error: { message: expect.stringMatching(/^line 44: /) } });
    expect(documents[3]).toEqual(documents[0]);
  });

  it('tell a byte order mark from white space', () => {
    expect(all(lines(utf8('\ufeff{"id":"a"}\n')))[0]).toMatchObject({
      error: { code: 'MALFORMED_JSON' },
    });
  });
});

describe('documents end to end', () => {
  it('are read each by itself', () => {
    const parts = ['{"id":"a"}', ' {"id":"ß"}', '[', '"x"'].map(utf8);
    let at = 0;
    const ends = Uint32Array.from(parts, (part) => {
      at += part.length;
      return at;
    });
    const bytes = shared(Buffer.concat(parts));
    const [a, b, cut, x] = all(readDocuments({ form: 'documents', bytes, ends }));
    expect([a, b, x]).toEqual([{ value: { id: 'a' } }, { value: { id: 'ß' } }, { value: 'x' }]);
    expect(cut).toMatchObject({ error: { code: 'MALFORMED_JSON' } });
  });
});

describe('lines as elements of an array', () => {
  it('are what JSON reads between brackets', () => {
    for (const values of [[], [1], [{ id: 'é\n' }, 'a,b', ['\n,']]]) {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      const elements = arrayElements(utf8(text), values.length);
      expect(JSON.parse(`[${new TextDecoder().decode(elements)}null]`)).toEqual([...values, null]);
      expect(elements.length).toBe(utf8(text).length + values.length);
    }
  });
});
