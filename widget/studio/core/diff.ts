// Lines of an article's file as an editor reads them: fields by their names, sentences without quotes, no signs of the file.

import type { Hunk } from './api';
import { FIELDS } from './words';

export type Line = Hunk['lines'][number];

const SYNTAX = /^\s*(?:\+\+\+|\]|\[+[\w.]+\]+|\w+ = \[)\s*$/;

/** Undefined for a line that only the file needs. */
export function readable(line: Line): Line | undefined {
  const whole = line.parts.map((p) => p.text).join('');
  if (SYNTAX.test(whole)) return undefined;
  const quoted = /^\s*"|^\w+ = "/.test(whole);
  const parts = line.parts.map((p, i) => {
    let { text } = p;
    if (i === 0) text = text.replace(/^(\w+) = "?/, (all, name: string) => (Object.hasOwn(FIELDS, name) ? `${FIELDS[name]}: ` : all)).replace(/^\s*"/, '');
    if (i === line.parts.length - 1 && quoted) text = text.replace(/",?\s*$/, '');
    return { ...p, text: text.replace(/\n$/, '') };
  });
  return { ...line, parts };
}
