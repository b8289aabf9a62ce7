// Two people wrote in the same place: the merged text as pieces, of which some are to be chosen, and the text that the
// choices make. Nobody has to know what <<<<<<< means.

export type Piece = { same: string } | { yours: string; theirs: string };
export type Choice = 'yours' | 'theirs' | 'both';

/** Pieces of a text with conflict markers of seven signs, with or without the common ancestor in the middle. */
export function pieces(merged: string): Piece[] {
  const out: Piece[] = [];
  let at: 'same' | 'yours' | 'base' | 'theirs' = 'same';
  let [same, yours, theirs] = ['', '', ''];
  // Each line with its end, so that what comes out is what went in.
  for (const line of merged.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const mark = /^(<{7}|\|{7}|={7}|>{7})(?: .*)?\r?\n?$/.exec(line)?.[1]?.[0];
    if (at === 'same' && mark === '<') {
      if (same) out.push({ same });
      [at, same, yours, theirs] = ['yours', '', '', ''];
    } else if (at === 'yours' && mark === '|') at = 'base';
    else if ((at === 'yours' || at === 'base') && mark === '=') at = 'theirs';
    else if (at === 'theirs' && mark === '>') {
      out.push({ yours, theirs });
      at = 'same';
    } else if (at === 'same') same += line;
    else if (at === 'yours') yours += line;
    else if (at === 'theirs') theirs += line;
  }
  if (same) out.push({ same });
  return out;
}

/** The text that these choices make, in the order of the pieces that differ; undefined while one is missing. */
export function settled(all: readonly Piece[], choices: readonly (Choice | undefined)[]): string | undefined {
  let [n, text] = [0, ''];
  for (const p of all) {
    if ('same' in p) {
      text += p.same;
      continue;
    }
    const choice = choices[n++];
    if (!choice) return undefined;
    text += choice === 'both' ? p.yours + p.theirs : p[choice];
  }
  return text;
}

/** A piece of an article's file as an editor reads it: without the signs of the file. */
export const plain = (text: string): string => text.replace(/^\+\+\+$/gm, '').replace(/^\[(?:\[.*\]|.*)\]$/gm, '').replace(/^\s*"(.*)",?$/gm, '$1').trim();
