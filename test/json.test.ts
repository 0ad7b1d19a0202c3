import { describe, expect, it } from 'vitest';
import { canonicalJson, decodeText, hashOf, parseJson } from '../src/json.ts';

const failure = (text: string) => expect(() => parseJson(text));

describe('reading JSON strictly', () => {
  it('refuses a key that stands twice, however deep, and names it', () => {
    failure('{"a":1,"a":2}').toThrow(/"a" stands twice/);
    failure('[{"b":[{"x":{"c":1,"c":1}}]}]').toThrow(/"c" stands twice/);
    failure('{"a":1,"\\u0061":2}').toThrow(/"a" stands twice/);
    expect(parseJson('{"a":{"a":[{"a":1},{"a":2}]},"b":":","c:":"\\"{:"}')).toEqual({
      a: { a: [{ a: 1 }, { a: 2 }] },
      b: ':',
      'c:': '"{:',
    });
  });

  it('refuses __proto__, spelt or escaped', () => {
    failure('{"__proto__":{"x":1}}').toThrow(/__proto__/);
    failure('{"\\u005f_proto__":{"x":1}}').toThrow(/__proto__/);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('refuses nesting beyond the limit, at any depth, without a fault', () => {
    expect(parseJson(`${'['.repeat(63)}${']'.repeat(63)}`)).toBeDefined();
    for (const depth of [65, 5_000, 100_000]) {
      failure(`${'['.repeat(depth)}${']'.repeat(depth)}`).toThrow(
        expect.objectContaining({ code: 'MALFORMED_JSON' }),
      );
      failure(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`).toThrow(
        expect.objectContaining({ code: 'MALFORMED_JSON' }),
      );
    }
  });

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(() => decodeText(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(/UTF-8/);
    failure(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toThrow();
  });
});

describe('canonical JSON', () => {
  it('is that of RFC 8785, section 3.2.3, for keys and numbers', () => {
    const value = {
      '\u20ac': 1,
      '\r': 2,
      '1': 3,
      '\u0080': 4,
      '\u00f6': 5,
      '\ud83d\ude00': 6,
      '\ufb33': 7,
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":3,"\u0080":4,"\u00f6":5,"\u20ac":1,"\ud83d\ude00":6,"\ufb33":7}',
    );
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  it('gives one hash whatever the order of keys', () => {
    expect(hashOf({ a: 1, b: [2, { d: 3, c: 4 }] })).toBe(hashOf({ b: [2, { c: 4, d: 3 }], a: 1 }));
  });
});
