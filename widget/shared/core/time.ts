// Times as an agent reads them, in Danish and in Danish time whatever the machine is set to.

const ZONE = 'Europe/Copenhagen';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const clockFormat = new Intl.DateTimeFormat('da-DK', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const dayFormat = new Intl.DateTimeFormat('da-DK', { timeZone: ZONE, weekday: 'long', day: 'numeric', month: 'long' });
const dateFormat = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' });

/** "09.05" */
export const clock = (at_ms: number): string => clockFormat.format(at_ms).replace(':', '.');

/** "i dag", "i morgen", "i går", or "torsdag 3. december". */
export function day(at_ms: number, now_ms: number): string {
  const date = dateFormat.format(at_ms);
  if (date === dateFormat.format(now_ms)) return 'i dag';
  // A day may have 23 or 25 hours, so noon to noon is what a step of 24 hours is safe for.
  const noon = Date.parse(`${dateFormat.format(now_ms)}T12:00:00Z`);
  if (date === dateFormat.format(noon + 24 * HOUR)) return 'i morgen';
  if (date === dateFormat.format(noon - 24 * HOUR)) return 'i går';
  return dayFormat.format(at_ms);
}

/** "i dag kl. 09.00–09.30" */
export const slot = (from_ms: number, to_ms: number, now_ms: number): string =>
  `${day(from_ms, now_ms)} kl. ${clock(from_ms)}–${clock(to_ms)}`;

/** Short, for columns and badges: "45 sek.", "4 min.", "1 t. 05 min.", "2 døgn". Never negative. */
export function short(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} sek.`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min.`;
  const h = Math.floor(m / 60);
  if (h < 24) return `${h} t. ${String(m % 60).padStart(2, '0')} min.`;
  return `${Math.floor(h / 24)} døgn`;
}

/** The same to be heard: "4 minutter", "1 time og 5 minutter". */
export function spoken(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const many = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`;
  if (s < 60) return many(s, 'sekund', 'sekunder');
  const m = Math.floor(s / 60);
  if (m < 60) return many(m, 'minut', 'minutter');
  const h = Math.floor(m / 60);
  if (h < 24) return many(h, 'time', 'timer') + (m % 60 ? ` og ${many(m % 60, 'minut', 'minutter')}` : '');
  return `${Math.floor(h / 24)} døgn`;
}

/** What is left of a countdown: "0:09", "12:30". Rounded up, so that it is 0:00 only when it is over. */
export function left(until_ms: number, now_ms: number): string {
  const s = Math.max(0, Math.ceil((until_ms - now_ms) / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** "83 %"; a dash where nothing was counted yet. */
export const percent = (share: number | undefined): string => (share === undefined ? '–' : `${Math.round(share * 100)} %`);
/** "2:05"; a dash where nothing was counted yet. */
export const average = (ms: number | undefined): string => (ms === undefined ? '–' : left(ms, 0));
