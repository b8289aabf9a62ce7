// The interface's words for the codes of the wire. Short, plain, and never the citizen's fault.

import type { Part, Tone } from './state';
import type { Card, Decision } from './wire';

/** As it stands in a list: everything there is a municipality. */
export const place = (m: { name: string }): string => m.name.replace(/ Kommune$/, '');

const table = (words: Record<string, string>) => (code: string): string => (Object.hasOwn(words, code) ? (words[code] as string) : code);

export const language = table({
  da: 'Dansk', en: 'Engelsk', de: 'Tysk', uk: 'Ukrainsk', ar: 'Arabisk', pl: 'Polsk', tr: 'Tyrkisk', '': 'Ukendt',
});
export const audience = table({ citizen: 'Borger', employee: 'Medarbejder', business: 'Virksomhed' });
export const urgency = table({ normal: 'Almindelig', high: 'Høj', urgent: 'Haster' });
export const presence = table({ available: 'Klar', paused: 'Pause', wrap_up: 'Efterbehandling', absent: 'Ikke til stede' });
export const pause = table({
  break: 'Pause', meeting: 'Møde', training: 'Oplæring', other: 'Andet', ignored: 'Et tilbud blev ikke besvaret',
});
export const kind = table({
  waiting: 'Venter', held: 'Sat på hold', offered: 'Tilbudt', owned: 'I gang', promised: 'Aftalt', due: 'Skal ringes op',
  resting: 'Prøves igen', ringing: 'Ringes op', wrap_up: 'Efterbehandling', closed: 'Lukket',
});
export const level = table({ monitor: 'Følger med', coach: 'Vejleder', barge_in: 'Med i samtalen' });
export const dialResult = table({
  reached: 'Fik fat i borgeren', no_answer: 'Intet svar', busy: 'Optaget', wrong_number: 'Forkert nummer',
});
export const need = table({ team: 'team', area: 'fagområde', language: 'sprog', audience: 'målgruppe' });

const reasons: Record<string, string> = {
  only: 'Du var den eneste, der kunne tage den.',
  picked: 'Den blev valgt fra listen.',
  transferred: 'Den blev viderestillet hertil.',
  earlier: 'Samme medarbejder havde den før.',
  most_free: 'Flest ledige pladser.',
  longest_idle: 'Længst tid uden ny henvendelse.',
  fewest_skills: 'Færrest andre opgaver, der kræver særlige kompetencer.',
  order: 'Alt andet var lige; rækkefølgen afgjorde det.',
};
export const reason = (d: Decision): string => reasons[d.reason] ?? d.reason;

const gap = 'Prøv igen om lidt.';
const refusals: Record<string, string> = {
  taken: 'En kollega nåede at tage den først.',
  offer_over: 'Tilbuddet nåede at udløbe. Borgeren beholder sin plads i køen.',
  not_yours: 'Samtalen er ikke længere hos dig.',
  stale: 'Samtalen er gået videre til en anden, så det blev ikke gemt.',
  not_allowed: 'Det har du ikke adgang til.',
  no_room: 'Der er ikke flere ledige pladser.',
  absent: 'Du er ikke meldt til stede. Genindlæs siden.',
  paused: 'Du er på pause. Meld dig klar først.',
  ended: 'Borgeren er gået.',
  closed: 'Der er lukket nu.',
  too_long: 'Teksten er for lang.',
  not_due: 'Der er ikke tid til at ringe endnu.',
  lease_over: 'Tiden til opkaldet er udløbet. Tag opkaldet igen.',
  unknown: 'Samtalen findes ikke længere.',
  overloaded: `Der er meget travlt lige nu. ${gap}`,
  unavailable: `Det kunne ikke gemmes lige nu. ${gap}`,
  failed: `Noget gik galt hos os. ${gap}`,
  lost: `Forbindelsen røg, før det var gemt. ${gap}`,
};
export const refusal = (code: string, text: string): string => refusals[code] ?? (text || (refusals.failed as string));

/** What is said when a card goes; nothing where the agent did it. */
export function gone(why: string, card: Card, part: Part): { tone: Tone; text: string } | undefined {
  const where = place(card.municipality);
  switch (why) {
    case 'ignored': return { tone: 'warning', text: `Tilbuddet fra ${where} udløb. Borgeren beholder sin plads i køen.` };
    case 'withdrawn': return part === 'offer' ? { tone: 'info', text: `Borgeren fra ${where} venter ikke længere.` } : undefined;
    case 'revoked': return { tone: 'warning', text: `Samtalen med ${where} er taget tilbage til køen.` };
    case 'agent_lost': return { tone: 'warning', text: `Forbindelsen var væk for længe. Samtalen med ${where} er tilbage i køen.` };
    case 'settled': return { tone: 'info', text: `Samtalen med ${where} er afsluttet.` };
    case 'released': return part === 'watched' ? undefined : { tone: 'warning', text: `En leder har lagt samtalen med ${where} tilbage i køen.` };
    default: return undefined;
  }
}
