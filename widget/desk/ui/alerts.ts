// What happens when something happens: a tone, a word to the screen reader, a notification when the page is not seen,
// the number in the title. Never the citizen's words outside the page.

import { effect } from '@preact/signals';
import { desk, dispatch, onNews, prefs } from '../app';
import { label, offers, unread } from '../core/state';
import type { Heard } from '../core/news';
import * as words from '../core/words';
import { keyName } from './keys';
import { interrupt, say } from '../../shared/ui/say';
import { play } from './sound';
import { go, show, tab, type Tab } from './view';

/** An offer sounds again while it stands unanswered. */
const AGAIN_MS = 5_000;

/** As the tabs are called: a title says where one is, also to whoever only hears it. */
const PLACE: Record<Tab, string> = { chats: 'Samtaler', queue: 'Kø', callbacks: 'Opkald', supervisor: 'Tilsyn' };

export const canNotify = (): boolean => 'Notification' in window;
export const mayNotify = (): boolean => canNotify() && Notification.permission === 'granted';

function notify(title: string, tag: string, press: () => void): void {
  if (!prefs.peek().notify || !mayNotify() || desk.peek().visible) return;
  try {
    const n = new Notification(title, { tag, silent: true, lang: 'da', icon: '/desk/icon.svg' });
    n.onclick = () => {
      window.focus();
      press();
      n.close();
    };
  } catch {
    // Some systems allow them from a service worker only.
  }
}

function heard(h: Heard): void {
  switch (h.kind) {
    case 'offer':
      play('offer');
      interrupt(`Ny henvendelse: ${label(h.card)}. ${keyName('accept')} tager imod.`);
      notify(`Ny henvendelse: ${words.place(h.card.municipality)}`, `offer-${h.card.item}`, () => go('chats'));
      return;
    case 'message':
      if (!h.shown || !desk.peek().visible) play('message');
      // In the chat that is written in, the words themselves; of another chat only that there is something.
      say(h.shown ? `Borgeren: ${h.line.text}` : `Ny besked: ${label(h.card)}`);
      notify(`Ny besked: ${words.place(h.card.municipality)}`, `message-${h.card.item}`, () => show(h.card.item));
      return;
    case 'coach':
      play('message');
      say(`${h.line.from === 'coach' ? 'Vejledning' : 'Leder'} fra ${h.line.name}: ${h.line.text}`);
      return;
    case 'transferred':
      play('offer');
      interrupt(`Viderestillet til dig: ${label(h.card)}`);
      notify(`Viderestillet til dig: ${words.place(h.card.municipality)}`, `transfer-${h.card.item}`, () => show(h.card.item));
      return;
    case 'revealed':
      // Not the words: others may hear what is read aloud.
      say(`Borgeren viser dig det, der blev skjult: ${label(h.card)}`);
      return;
    case 'paused':
      play('warning');
      interrupt('Du er sat på pause, fordi et tilbud ikke blev besvaret.');
      dispatch({ type: 'notice', tone: 'warning', text: 'Du er sat på pause, fordi et tilbud ikke blev besvaret. Meld dig klar, når du er tilbage.' });
      notify('Du er sat på pause', 'paused', () => go('chats'));
  }
}

export function startAlerts(): void {
  onNews(heard);
  setInterval(() => offers(desk.peek()).length > 0 && play('offer'), AGAIN_MS);
  effect(() => {
    const d = desk.value;
    const [waiting, news] = [offers(d).length, unread(d)];
    document.title = `${waiting ? '● Ny henvendelse – ' : ''}${news ? `(${news}) ` : ''}${PLACE[tab.value]} · Borgerlinje`;
  });
  let link = desk.peek().link;
  effect(() => {
    const is = desk.value.link;
    if (is === 'waiting' && link === 'open') {
      play('warning');
      say('Forbindelsen er væk. Du kan skrive videre imens.');
    } else if (is === 'open' && link !== 'open') say('Forbindelsen er tilbage.');
    if (is !== 'connecting') link = is;
  });
}
