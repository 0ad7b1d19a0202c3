/**
 * Columns that a text takes on a terminal. Characters of East Asian width W or F (Unicode Standard Annex 11) take two, marks that
 * combine with the character before them none, the rest one: ambiguous characters are narrow, as outside of East Asian fonts.
 */
const NONE = /^[\p{Mn}\p{Me}\u1160-\u11ff]/u;
// Ranges, not scripts: they hold what is unassigned today and will be wide. \p{Emoji_Presentation} but for flags, which are pairs, is wide.
const TWO =
  /^(?:[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|(?![\u{1f1e6}-\u{1f1ff}])\p{Emoji_Presentation})/u;

/** @param text printable: control and format characters are written out before. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  if (character < '\u0300') return 1;
  if (NONE.test(character)) return 0;
  return TWO.test(character) ? 2 : 1;
}
