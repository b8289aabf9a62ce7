import { plain } from './markdown';

/** One line of the conversation as the citizen saw it. */
export interface Entry { who: string; text: string; markdown: boolean; extra: string[]; at: Date | undefined; mark?: string }

const two = (n: number): string => String(n).padStart(2, '0');
const clock = (d: Date): string => `${two(d.getHours())}.${two(d.getMinutes())}`;
const day = (d: Date): string => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

/** Plain text with CR LF: it is opened in whatever a citizen's computer calls Notepad. */
export function transcript(title: string, disclosure: string, entries: Entry[], now: Date): string {
  const parts = entries.map((e) => {
    const head = e.at ? `${e.who} (${clock(e.at)}):` : `${e.who}:`;
    return [head, e.mark, e.markdown ? plain(e.text) : e.text, ...e.extra].filter(Boolean).join('\n');
  });
  return [title, `${day(now)} ${clock(now)}`, disclosure, ...parts].join('\n\n').replace(/\n/g, '\r\n') + '\r\n';
}

export const fileName = (code: string, now: Date): string => `borgerlinje-${code}-${day(now)}.txt`;
