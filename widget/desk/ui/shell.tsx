// The frame around it all: where one can go, whether the line holds, what just happened.

import { useEffect, useLayoutEffect } from 'preact/hooks';
import { clock, desk, dispatch, elsewhereBack, entered, farewell, lists, prefs, retryNow, run, session, signOutNow } from '../app';
import { asReply } from '../core/canned';
import { chats, offers, shown, unread, waitingSince } from '../core/state';
import { spoken } from '../../shared/core/time';
import { Dialogs } from './dialogs';
import { hint, pressed, type KeyId } from './keys';
import { accept, decline, LeftColumn, OfferStrip, setPause } from './left';
import { Panes } from './pane';
import { Icon, Press } from './parts';
import { CallbacksPage, QueuePage } from './queue';
import { assertive, polite } from '../../shared/ui/say';
import { Side } from './side';
import { SetUpPage } from '../../shared/ui/account';
import { SignInPage } from '../../shared/ui/signin';
import { SupervisorPage } from './supervisor';
import { column, dialog, go, insert, mouse, show, tab, type Column, type Tab } from './view';

const click = (selector: string): void => document.querySelector<HTMLElement>(selector)?.click();

function toNote(): void {
  const active = desk.peek().active;
  if (active) click(`[data-note="${CSS.escape(active)}"]`);
}

function canned(): void {
  column.value = 'help';
  const fold = document.querySelector<HTMLDetailsElement>('[data-testid=canned]');
  if (fold) fold.open = true;
  requestAnimationFrame(() => document.getElementById('canned-filter')?.focus());
}

function step(by: number): void {
  const d = desk.peek();
  const all = shown(d);
  const at = all.findIndex((c) => c.item === d.active);
  const next = all[(at + by + all.length) % all.length];
  if (next) show(next.item);
}

function act(id: KeyId): void {
  const d = desk.peek();
  const card = d.active === undefined ? undefined : d.cards[d.active];
  const chat = card && card.state.kind === 'owned' && chats(d).includes(card) ? card : undefined;
  switch (id) {
    case 'accept': return accept(offers(d)[0]);
    case 'decline': return decline(offers(d)[0]);
    case 'next': return step(1);
    case 'previous': return step(-1);
    case 'waiting': {
      const waiting = chats(d).map((c) => [waitingSince(d, c.item), c.item] as const).filter(([at]) => at !== undefined);
      const longest = waiting.sort((a, b) => (a[0] as number) - (b[0] as number))[0];
      return longest && show(longest[1]);
    }
    case 'article1': case 'article2': case 'article3': {
      const article = card && d.suggestions[card.item]?.articles[Number(id.at(-1)) - 1];
      return article && card && insert(card.item, asReply(article.text));
    }
    case 'canned': return canned();
    case 'search':
      column.value = 'help';
      return void requestAnimationFrame(() => document.getElementById('search')?.focus());
    case 'note': return toNote();
    case 'transfer': return chat && void (dialog.value = { kind: 'transfer', item: chat.item });
    case 'close': return chat && void (dialog.value = { kind: 'close', item: chat.item });
    case 'done': return card?.state.kind === 'wrap_up' ? void run({ type: 'wrap_up_done', item: card.item }) : undefined;
    case 'pause': return setPause(d.agent.state === 'paused' ? undefined : 'break');
    case 'chats': case 'queue': case 'callbacks': return go(id);
    case 'supervisor': return d.me.roles.includes('supervisor') ? go(id) : undefined;
    case 'write': return card && show(card.item);
    case 'settings': case 'help': return void (dialog.value = { kind: id });
  }
}

function Nav() {
  const d = desk.value;
  const due = d.callbacks?.rows.filter((c) => c.state.kind === 'due').length ?? 0;
  const tabs: [Tab, string, 'chat' | 'listBulleted' | 'smartphone' | 'analytics', number][] = [
    ['chats', 'Samtaler', 'chat', unread(d)],
    // Not watched, the number would be yesterday's.
    ['queue', 'Kø', 'listBulleted', lists.value.includes('queue') ? (d.queue?.total ?? 0) : 0],
    ['callbacks', 'Opkald', 'smartphone', due],
  ];
  if (d.me.roles.includes('supervisor')) tabs.push(['supervisor', 'Tilsyn', 'analytics', 0]);
  return (
    <nav class="tabs-nav" aria-label="Sider">
      <ul>
        {tabs.map(([id, title, icon, n]) => (
          <li key={id}>
            <button type="button" class="tab" aria-current={tab.value === id ? 'page' : undefined} data-testid={`tab-${id}`} {...hint(id)} onClick={() => { go(id); if (id === 'chats') column.value = 'list'; }}>
              <Icon name={icon} /><span>{title}</span>{n > 0 && <span class="count">{n}</span>}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Line() {
  const d = desk.value;
  if (d.link === 'elsewhere') {
    return <div class="link-line" role="alert">Borgerlinje er åben i et andet vindue.<Press look="secondary" onClick={elsewhereBack}>Brug dette vindue</Press></div>;
  }
  if (d.link === 'open' || (d.link === 'connecting' && !d.known)) return null;
  const wait = d.retry_at_ms - (clock.value - d.skew_ms);
  return (
    <div class="link-line" role="status" data-testid="link-line">
      <span>Forbindelsen er væk. Du kan skrive videre; det sendes, når den er tilbage.</span>
      <span aria-hidden="true" class="quiet-text">{d.link === 'waiting' && wait > 1500 ? `Prøver igen om ${spoken(wait)}` : 'Prøver igen…'}</span>
      {d.link === 'waiting' && <Press look="secondary" onClick={retryNow}>Prøv nu</Press>}
    </div>
  );
}

const STAY_MS = 8_000;
function Notices() {
  const { notices } = desk.value;
  const newest = notices.at(-1);
  useEffect(() => {
    // What went wrong stays until it is put away; what merely happened goes by itself.
    if (!newest || newest.tone === 'error' || newest.tone === 'warning') return undefined;
    const later = setTimeout(() => dispatch({ type: 'dismiss', id: newest.id }), STAY_MS);
    return () => clearTimeout(later);
  }, [newest?.id]);
  return (
    <div class="notices" role="status" data-testid="notices">
      {notices.map((n) => (
        <div key={n.id} class={`notice ${n.tone}`}><p>{n.text}</p><Press look="quiet" icon="close" aria-label="Fjern beskeden" onClick={() => dispatch({ type: 'dismiss', id: n.id })} /></div>
      ))}
    </div>
  );
}

function Bottom() {
  const d = desk.value;
  const columns: [Column, string, 'listBulleted' | 'chat' | 'supportAgent', number][] = [
    ['list', 'Liste', 'listBulleted', unread(d) + offers(d).length], ['chat', 'Samtale', 'chat', 0], ['help', 'Hjælp', 'supportAgent', 0],
  ];
  return (
    <nav class="bottom" aria-label="Kolonner">
      {columns.map(([id, title, icon, n]) => (
        <button key={id} type="button" class="tab" aria-pressed={column.value === id} onClick={() => (column.value = id)}><Icon name={icon} /><span>{title}</span>{n > 0 && <span class="count">{n}</span>}</button>
      ))}
    </nav>
  );
}

/** A pane narrower than this reads badly; what is left of the window after both columns decides how many there are. */
const PANE_PX = 380;
const SIDES_PX = 640;

function Workplace() {
  useLayoutEffect(() => {
    const fit = (): void => dispatch({ type: 'width', width: Math.max(1, Math.min(prefs.peek().panes, Math.floor((window.innerWidth - SIDES_PX) / PANE_PX))) });
    fit();
    window.addEventListener('resize', fit);
    const stop = prefs.subscribe(fit);
    return () => {
      window.removeEventListener('resize', fit);
      stop();
    };
  }, []);
  useEffect(() => {
    const key = (e: KeyboardEvent): void => {
      const id = pressed(e);
      if (!id) return;
      // A dialog has the word; only the answer to an offer goes before it.
      if (dialog.peek() && id !== 'accept' && id !== 'decline') return;
      e.preventDefault();
      if (!e.repeat) act(id);
    };
    window.addEventListener('keydown', key);
    return () => window.removeEventListener('keydown', key);
  }, []);
  const d = desk.value;
  const at = tab.value;
  // What had the focus is gone with its chat: the next one takes it, so that keys go on working.
  useLayoutEffect(() => {
    const at = document.activeElement;
    if ((at !== document.body && at?.id !== 'middle') || dialog.peek() || !mouse()) return;
    (document.getElementById(`write-${d.active}`) ?? document.getElementById('middle'))?.focus({ preventScroll: true });
  }, [d.active, at]);
  return (
    <div class="desk" data-tab={at} data-column={column.value}>
      <a class="skip" href="#middle" onClick={(e) => { e.preventDefault(); document.getElementById('middle')?.focus(); }}>Gå til {at === 'chats' ? 'samtalen' : 'siden'}</a>
      {at === 'chats' && <a class="skip" href="#side" onClick={(e) => { e.preventDefault(); document.getElementById('side')?.focus(); }}>Gå til hjælpen</a>}
      <header class="top">
        <p class="brand">Borgerlinje</p>
        <Nav />
        <div class="top-end">
          <Press look="quiet" icon="settings" test="settings" for="settings" aria-label="Lyd og visning" onClick={() => (dialog.value = { kind: 'settings' })} />
          <Press look="quiet" icon="help" test="help" for="help" aria-label="Taster" onClick={() => (dialog.value = { kind: 'help' })} />
          <Press look="tertiary" class="account" icon="person" test="account" aria-label={`Min konto: ${d.me.name}`} onClick={() => (dialog.value = { kind: 'account' })}>{d.me.name}</Press>
          <Press look="tertiary" test="sign-out" onClick={() => (dialog.value = { kind: 'sign_out' })}>Log ud</Press>
        </div>
      </header>
      <Line />
      <OfferStrip />
      <main class="columns" id="main">
        {at === 'chats' && <h1 class="sr-only">Samtaler</h1>}
        <LeftColumn />
        <div class="middle" id="middle" tabIndex={-1}>
          {at === 'chats' && <Panes />}
          {at === 'queue' && <QueuePage />}
          {at === 'callbacks' && <CallbacksPage />}
          {at === 'supervisor' && <SupervisorPage />}
        </div>
        {at === 'chats' && <Side />}
      </main>
      {at === 'chats' && <Bottom />}
      <Notices />
      <Dialogs />
    </div>
  );
}

export function Root() {
  const s = session.value;
  useLayoutEffect(() => {
    const theme = prefs.value.theme;
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [prefs.value.theme]);
  return (
    <>
      {s === undefined ? <main class="signin" id="main"><p class="empty">Et øjeblik…</p></main>
        : typeof s === 'object' ? (s.second_factor === 'needed' ? <SetUpPage session={s} entered={entered} signOut={() => void signOutNow()} /> : <Workplace key={s.user} />) : <SignInPage key={s} title="Log ind på kontaktcentret" farewell={farewell.value} entered={entered} unreachable={s === 'unreachable'} />}
      <div class="sr-only" aria-live="polite" data-testid="polite">{polite.value.map((t, i) => <p key={`${i} ${t}`}>{t}</p>)}</div>
      <div class="sr-only" aria-live="assertive" data-testid="assertive">{assertive.value.map((t, i) => <p key={`${i} ${t}`}>{t}</p>)}</div>
    </>
  );
}
