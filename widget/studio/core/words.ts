// The interface's words for codes of the service. Short, plain, and never the editor's fault.

import type { ChangeKind, DraftState, Fault, Release, Turn } from './api';

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
export const outcome = table({
  answered: 'besvaret', clarify: 'vælger mellem flere', failed: 'intet svar', handover: 'tilbud om et menneske', refused: 'afvist', crisis: 'krisesvar', smalltalk: 'småsnak', flow: 'forløb',
});
export const FIELDS: Record<string, string> = {
  id: 'Navn i adressen', area: 'Område', title: 'Titel', source: 'Kilde', owner: 'Ansvarlig', review_by: 'Gennemses senest', valid_from: 'Gælder fra', valid_to: 'Gælder til',
  links: 'Links', examples: 'Eksempler', body: 'Svaret', keywords: 'Søgeord', kle: 'KLE-nummer', audience: 'Målgruppe', hidden: 'Skjulte svar', contact: 'Kontakt', hours: 'Åbningstid', closed: 'Lukkedage', name: 'Navn', value: 'Værdi', unit: 'Enhed', year: 'År', url: 'Adresse', sample: 'Vejledende', accent: 'Farve',
};

/** The check's English, sentence by sentence; what is new stays as the check says it. */
const CHECKS: [RegExp, string][] = [
  [/^must be 3 to 70 characters$/, 'Titlen skal have 3 til 70 tegn.'],
  [/^is missing: name the page or the law/, 'Skriv siden eller loven, som oplysningerne kommer fra.'],
  [/^«(.*)» must be one https address, or a law by name$/, '»$1« skal være en adresse, der begynder med https://, eller navnet på en lov.'],
  [/^is empty: name the team/, 'Skriv, hvem der har ansvaret for svaret.'],
  [/^«(.*)» must be 2 to 60 of a-z, 0-9 and -$/, '»$1« må kun have a-z, 0-9 og bindestreg, 2 til 60 tegn.'],
  [/^«(.*)» is not in omraader\.toml$/, 'Området »$1« findes ikke. Vælg et fra listen.'],
  [/^«(.*)» is also the id of (.*)$/, 'Navnet »$1« er allerede brugt af et andet svar.'],
  [/^(\S+) is before valid_from (\S+)$/, 'Slutdatoen $1 ligger før startdatoen $2.'],
  [/^ran out on (\S+): renew/, 'Svaret udløb $1. Forny det eller fjern det.'],
  [/^(\S+) has passed: read it again$/, 'Datoen $1 er passeret. Læs svaret igennem, og sæt en ny dato.'],
  [/^«(.*)» is not a plain date/, '»$1« er ikke en dato.'],
  [/^(\d+) links: at most (\d+)$/, 'Der er $1 links. Højst $2.'],
  [/^«(.*)» must be an https address or a \{\{kommune\.link/, '»$1« skal begynde med https:// eller være et felt som {{kommune.link.…}}.'],
  [/^link «(.*)» must be an https address/, 'Linket »$1« skal begynde med https:// eller være et felt som {{kommune.link.…}}.'],
  [/^a link has no closing parenthesis$/, 'Et link mangler sin slutparentes.'],
  [/^is empty$/, 'Feltet er tomt.'],
  [/^(\d+) words: (\d+) to (\d+) are allowed$/, 'Svaret har $1 ord. Det skal have $2 til $3.'],
  [/^HTML is not allowed$/, 'Tegnene < og > kan ikke bruges her.'],
  [/^must begin with the short answer/, 'Begynd med det korte svar, før den første overskrift.'],
  [/^an amount is typed/, 'Et beløb er skrevet med tal. Skriv {{sats. og vælg satsen, så følger den med, når den ændres.'],
  [/^a phone number is typed/, 'Et telefonnummer er skrevet med tal. Skriv {{kommune.telefon}}, så passer det i hver kommune.'],
  [/^unknown slot: satser\.toml has no \[(.*)\]$/, 'Der er ingen sats, der hedder »$1«. Skriv {{sats. og vælg fra listen.'],
  [/^unknown slot: krise\.toml has no \[(.*)\]$/, 'Der er ingen krisetelefon, der hedder »$1«.'],
  [/^unknown slot/, 'Feltet findes ikke. Skriv {{ og vælg fra listen.'],
  [/^(\d+) sentences: at least (\d+)$/, 'Der er $1 danske eksempler. Der skal være mindst $2.'],
  [/^a sentence of (\d+) characters: (\d+) to (\d+) are allowed$/, 'Et eksempel har $1 tegn. Det skal have $2 til $3.'],
  [/^«(.*)» stands twice$/, 'Eksemplet »$1« står to gange.'],
  [/^«(.*)» is also an example of (\S+)$/, 'Eksemplet »$1« hører også til et andet svar ($2).'],
  [/^there is no inherited article «(.*)» to hide$/, 'Svaret »$1« arves ikke og kan derfor ikke skjules.'],
  [/^«(.*)» must begin with a digit$/, '»$1« skal begynde med et tal.'],
  [/^is missing$/, 'Feltet mangler.'],
  [/^is missing or empty$/, 'Filen mangler eller er tom.'],
  [/^(\S+) is not a year from 2020 on$/, '$1 er ikke et år fra 2020 og frem.'],
  [/^«(.*)» must begin with https:\/\/$/, '»$1« skal begynde med https://.'],
  [/^«(.*)» is not a span such as/, '»$1« er ikke en åbningstid. Skriv for eksempel 08:00-20:00 eller lukket.'],
  [/^«(.*)» is not a colour/, '»$1« er ikke en farve. Skriv for eksempel #0f5c4c.'],
];
export function fault(f: Pick<Fault, 'text'>): string {
  for (const [english, danish] of CHECKS) {
    const found = english.exec(f.text);
    if (found) return danish.replace(/\$(\d)/g, (_, n: string) => found[Number(n)] ?? '');
  }
  return f.text;
}
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
export const questions = (n: number): string => many(n, 'spørgsmål', 'spørgsmål');
