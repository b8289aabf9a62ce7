// What keeps a rate, or what a municipality says of itself, from being sent. The service checks the same once more.

import type { Facts, Rate } from './api';

export const DAYS: [string, string][] = [['mandag', 'Mandag'], ['tirsdag', 'Tirsdag'], ['onsdag', 'Onsdag'], ['torsdag', 'Torsdag'], ['fredag', 'Fredag'], ['loerdag', 'Lørdag'], ['soendag', 'Søndag']];

const SPAN = /^(?:lukket|(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00))$/;

/** By field: a weekday, `link NAME`, `accent`. */
export function wrong(f: Facts): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [day] of DAYS) if (!SPAN.test(f.hours[day] ?? '')) out[day] = 'Skriv 08:00-16:00 eller lukket';
  for (const [name, url] of Object.entries(f.links)) if (url && !url.startsWith('https://')) out[`link ${name}`] = 'Skal begynde med https://';
  if (!/^#[0-9a-f]{6}$/i.test(f.accent)) out.accent = 'Skriv for eksempel #0f5c4c';
  return out;
}

/** In words; empty when it may be sent. `fresh`: it gets its short name now. */
export function rateProblem(r: Rate, fresh: boolean, taken: boolean): string {
  if (!r.name.trim()) return 'Skriv, hvad satsen hedder.';
  if (fresh && !/^[a-z0-9_]{2,60}$/.test(r.id)) return 'Kortnavnet må kun have a-z, 0-9 og _.';
  if (fresh && taken) return `Kortnavnet »${r.id}« er allerede brugt.`;
  if (!/^\d/.test(r.value.trim())) return 'Værdien skal begynde med et tal, for eksempel 1.234,50.';
  if (!(r.year >= 2020 && r.year <= 2100)) return 'Skriv året, værdien gælder for.';
  return r.source.trim() ? '' : 'Skriv, hvor værdien står.';
}
