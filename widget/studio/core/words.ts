// The interface's words for codes of the service. Short, plain, and never the editor's fault.

import type { ChangeKind, DraftState, Fault, LinkKind, NodeState, Release, Turn } from './api';

const table = <K extends string>(words: Record<K, string>) => (code: string): string => (Object.hasOwn(words, code) ? words[code as K] : code);

export const regionName = table({ '1081': 'Region Nordjylland', '1082': 'Region Midtjylland', '1083': 'Region Syddanmark', '1084': 'Region Hovedstaden', '1085': 'Region Sjælland' });
export const language = table({ da: 'Dansk', en: 'Engelsk', de: 'Tysk', uk: 'Ukrainsk', ar: 'Arabisk', pl: 'Polsk', tr: 'Tyrkisk' });
export const state = table<DraftState>({ open: 'I gang', waiting: 'Venter på godkendelse', approved: 'Godkendt', scheduled: 'Planlagt', published: 'Udgivet', dropped: 'Kasseret' });
export const change = table<ChangeKind>({ added: 'Ny', changed: 'Ændret', removed: 'Fjernet' });
export const releaseKind = table<Release['kind']>({ draft: 'Kladde', undo: 'Fortrydelse', folder: 'Fra mappen', start: 'Fundet ved start' });
export const turn = table<Turn>({ lost: 'Tabt', contested: 'Usikkert', flipped: 'Skifter svar', answered: 'Ny besvaret' });
export const turnMeans = table<Turn>({
  lost: 'Fik et svar før, men ikke med kladden.', contested: 'Fik et sikkert svar før; nu vælger borgeren mellem flere.',
  flipped: 'Får et andet svar end før.', answered: 'Fik intet svar før, men får et nu.',
});
export const node = table<NodeState>({
  starting: 'Starter', same: 'I brug', folder: 'I brug, mappen er ændret', behind: 'På vej', stuck: 'Kan ikke følge med', away: 'Uden forbindelse', gone: 'Ikke hørt fra',
});
export const outcome = table({
  answered: 'besvaret', clarify: 'vælger mellem flere', failed: 'intet svar', handover: 'tilbud om et menneske', refused: 'afvist', crisis: 'krisesvar', smalltalk: 'småsnak', flow: 'forløb',
});
export const link = table<LinkKind>({ gone: 'Findes ikke', unreachable: 'Svarer ikke', bad: 'Ikke en adresse', failing: 'Serverfejl', moved: 'Flyttet', refused: 'Afvist', private: 'Internt net' });
export const FIELDS: Record<string, string> = {
  id: 'Navn i adressen', area: 'Område', title: 'Titel', source: 'Kilde', owner: 'Ansvarlig', review_by: 'Gennemses senest', valid_from: 'Gælder fra', valid_to: 'Gælder til',
  links: 'Links', examples: 'Eksempler', body: 'Svaret', keywords: 'Søgeord', kle: 'KLE-nummer', audience: 'Målgruppe', hidden: 'Skjulte svar', contact: 'Kontakt', hours: 'Åbningstid', closed: 'Lukkedage', name: 'Navn', value: 'Værdi', unit: 'Enhed', year: 'År', url: 'Adresse', sample: 'Vejledende', accent: 'Farve',
  telefon: 'Telefon', email: 'E-mail', adresse: 'Adresse', aabningstid: 'Åbningstid', hjemmeside: 'Hjemmeside', mandag: 'Mandag', tirsdag: 'Tirsdag', onsdag: 'Onsdag', torsdag: 'Torsdag', fredag: 'Fredag', loerdag: 'Lørdag', soendag: 'Søndag',
};

/** Where in a file a fault is, as an editor knows it; lines are the file's, which an editor of an article does not see. */
export const where = (f: Fault, lines = true): string => {
  const field = FIELDS[f.field.split('.')[0] ?? ''] ?? (f.field.startsWith('{{') ? f.field : '');
  return [field, lines && f.line > 0 ? `linje ${f.line}` : ''].filter(Boolean).join(', ');
};

const many = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`;
export const articles = (n: number): string => many(n, 'svar', 'svar');
export const changes = (n: number): string => many(n, 'ændring', 'ændringer');
export const faults = (n: number): string => many(n, 'fejl', 'fejl');
export const towns = (n: number): string => many(n, 'kommune', 'kommuner');
export const sentences = (n: number): string => many(n, 'sætning', 'sætninger');
export const questions = (n: number): string => many(n, 'spørgsmål', 'spørgsmål');
