// Canned replies: their slots are completed from the card, and what cannot be completed is shown as a gap to fill.

import type { Canned, Card, Served } from './wire';

/** A gap as it stands in the composer: found again, selected, and not sent by mistake. `[text](address)` is a link. */
export const GAP = /\[[^\]\n]{1,80}\](?!\()/;

/** What may stand between braces in a reply, and where it comes from. */
export function slots(card: Card | undefined, me: string, served: readonly Served[]): Record<string, string> {
  return {
    ...served.find((m) => m.code === card?.municipality.code)?.slots,
    agent: me,
    municipality: card?.municipality.name ?? '',
    area: card?.area.title ?? '',
    citizen_question: card?.brief?.question ?? '',
    reference: card?.callback?.reference ?? '',
  };
}

/** `{name}` and `{{name}}` alike; a slot that is unknown or empty becomes `[udfyld: name]`. */
export function complete(text: string, values: Record<string, string>): string {
  return text.replace(/\{\{?\s*([\p{L}\p{N}_.-]+)\s*\}\}?/gu, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : '';
    return value || `[udfyld: ${name.replace(/[_.]/g, ' ')}]`;
  });
}

/** An article as a message: the citizen's chat has no headings in what people write. */
export const asReply = (article: string): string => article.replace(/^#{1,6}[ \t]+(.+?)[ \t#]*$/gm, '**$1**');

const fold = (s: string): string => s.toLowerCase().normalize('NFC');

/** Every word of `typed` must occur; hits in the title come first. Order is otherwise the editors' own. */
export function filter(all: readonly Canned[], typed: string): Canned[] {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  const rank = (c: Canned): number => {
    const title = fold(`${c.id} ${c.title}`);
    const text = fold(c.text);
    if (words.every((w) => title.includes(w))) return 0;
    return words.every((w) => title.includes(w) || text.includes(w)) ? 1 : 2;
  };
  const ranked = all.map((c) => [rank(c), c] as const).filter(([r]) => r < 2);
  return ranked.sort((a, b) => a[0] - b[0]).map(([, c]) => c);
}

/** What is typed after a "/" that begins the composer's text; undefined when no reply is being looked for. */
export function wanted(text: string): string | undefined {
  return /^\/(?!\/)[^\n]{0,40}$/.test(text) ? text.slice(1) : undefined;
}
