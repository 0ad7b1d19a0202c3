/** Widths against Python's tables of Unicode, and tables by what they come to. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../src/cli/output/displayWidth.ts';
import { pairs, table } from '../../src/cli/output/table.ts';

const FIXTURE = new URL('./fixtures/displayWidth.json', import.meta.url);

/** A nonspacing mark until Unicode 15, spacing since: which it is depends on the version of Node. */
const MOVED = 0x1171e;

interface Fixture {
  readonly runs: readonly (readonly [first: number, last: number, columns: number])[];
}

describe('the width of a text', () => {
  it('is that of Unicode for every character', () => {
    const { runs } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    const wrong: string[] = [];
    let seen = 0;
    for (const [first, last, columns] of runs) {
      for (let code = first; code <= last; code++) {
        seen += 1;
        const got = displayWidth(String.fromCodePoint(code));
        if (got !== columns && code !== MOVED)
          wrong.push(`${code.toString(16)}: ${got}, not ${columns}`);
      }
    }
    expect(wrong).toEqual([]);
    // Unicode 14 has 144,697 graphic and format characters, of which fewer than 200 are format.
    expect(seen).toBeGreaterThan(144_000);
  });

  it('counts a letter and its marks as one, a flag as two', () => {
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('\u{1f1e9}\u{1f1ea}')).toBe(2);
    expect(displayWidth('')).toBe(0);
  });
});

describe('tables', () => {
  it('are aligned where some characters are wide and some have no width', () => {
    const text = table(
      [{ title: 'id' }, { title: 'n', align: 'right' }],
      [
        ['東京', '1'],
        ['e\u0301ab', '22'],
        ['ｆｕｌｌ', '三'],
      ],
    );
    expect(text).toBe(
      'id         n\n────────  ──\n東京       1\ne\u0301ab       22\nｆｕｌｌ  三\n',
    );
  });

  it('of pairs, too', () => {
    expect(
      pairs([
        ['日', '1'],
        ['abc', '2'],
      ]),
    ).toBe('日   1\nabc  2\n');
  });
});
