// Lines of an article's file as an editor reads them: fields by their names, sentences without quotes, no signs of the file.

import type { Hunk } from './api';
import { FIELDS } from './words';

export type Line = Hunk['lines'][number];

const SYNTAX = /^\s*(?:\+\+\+|\]|\[+[\w.]+\]+|\w+ = \[)\s*$/;

/** A piece of the line without its first and last characters, so many of each, wherever its parts end. */
function trimmed(parts: Line['parts'], first: number, last: number): Line['parts'] {
  const length = parts.reduce((n, p) => n + p.text.length, 0);
  let at = 0;
  return parts.map((p) => {
    const [from, to] = [Math.max(0, first - at), Math.max(0, length - last - at)];
    at += p.text.length;
    return { ...p, text: p.text.slice(from, Math.max(from, to)) };
  }).filter((p) => p.text !== '');
}

/** Undefined for a line that only the file needs. */
export function readable(line: Line): Line | undefined {
  const whole = line.parts.map((p) => p.text).join('').replace(/\n$/, '');
  if (SYNTAX.test(whole)) return undefined;
  const field = /^(\w+) = /.exec(whole);
  const head = field?.[0] ?? '';
  const quoted = /^\s*"/.exec(whole.slice(head.length));
  // The line's end is no character of its text.
  const ends = line.parts.map((p) => p.text).join('').length - whole.length;
  const last = ends + (quoted ? /",?\s*$/.exec(whole)?.[0].length ?? 0 : 0);
  const parts = trimmed(line.parts, head.length + (quoted?.[0].length ?? 0), last);
  const name = field?.[1];
  if (!name) return { ...line, parts };
  const said = `${Object.hasOwn(FIELDS, name) ? FIELDS[name] : name}: `;
  const [begin, ...rest] = parts;
  // The name is as it was, also where what follows is not.
  return { ...line, parts: begin && !begin.changed ? [{ ...begin, text: said + begin.text }, ...rest] : [{ text: said, changed: false }, ...parts] };
}
