// The frame around it all: where one can go, what one is working on, what just happened.

import { useLayoutEffect, useState } from 'preact/hooks';
import { denied } from '../working';
import { dismiss, entered, farewell, notices, route, session, signOutNow } from '../app';
import { format, type View } from '../core/route';
import { Icon, Press } from '../../shared/ui/parts';
import { assertive, polite } from '../../shared/ui/say';
import type { IconName } from '../../shared/ui/icons';
import type { Session } from '../../shared/core/session';
import { AccountDialog, SetUpPage } from '../../shared/ui/account';
import { SignInPage } from '../../shared/ui/signin';
import { ArticlesPage } from './articles';
import { ArticlePage } from './article';
import { Working } from './working';
import { DraftPage } from './draft';
import { DraftsPage } from './drafts';
import { FactsPage } from './facts';
import { ImportPage } from './import';
import { NextPage } from './next';
import { ReleasePage, ReleasesPage } from './releases';
import { ThresholdsPage } from './thresholds';

const TABS: readonly [View, string, IconName][] = [
  ['articles', 'Svar', 'listBulleted'], ['next', 'Skriv næste', 'edit'], ['drafts', 'Kladder', 'document'],
  ['releases', 'Udgivelser', 'time'], ['facts', 'Satser og fakta', 'payments'], ['thresholds', 'Grænser', 'analytics'],
];

const Nav = () => (
  <nav class="tabs-nav" aria-label="Sider">
    <ul>
      {TABS.map(([view, title, icon]) => (
        <li key={view}>
          <a class="tab" href={format(view)} aria-current={route.value.view === view ? (route.value.id ? 'true' : 'page') : undefined} data-testid={`tab-${view}`}><Icon name={icon} /><span>{title}</span></a>
        </li>
      ))}
    </ul>
  </nav>
);

function Notices() {
  return (
    <div class="notices" role="status" data-testid="notices">
      {notices.value.map((n) => (
        <div key={n.id} class={`notice ${n.tone}`}><p>{n.text}</p><Press look="quiet" icon="close" aria-label="Fjern beskeden" onClick={() => dismiss(n.id)} /></div>
      ))}
    </div>
  );
}

function Page() {
  const { view, id } = route.value;
  switch (view) {
    case 'articles': return id ? <ArticlePage key={id} id={id} /> : <ArticlesPage />;
    case 'next': return <NextPage />;
    case 'drafts': return id === 'hent' ? <ImportPage /> : id ? <DraftPage key={id} id={id} /> : <DraftsPage />;
    case 'releases': return id ? <ReleasePage key={id} id={id} /> : <ReleasesPage />;
    case 'facts': return <FactsPage />;
    case 'thresholds': return <ThresholdsPage />;
  }
}

const Denied = () => (
  <div class="card" data-testid="denied">
    <h1>Du har ikke adgang til redaktionen</h1>
    <p>Din bruger mangler rollen redaktør. Bed din leder eller IT om den, og log ind igen.</p>
  </div>
);

function Workplace({ s }: { s: Session }) {
  const [open, setOpen] = useState(false);
  const { view, id } = route.value;
  // A new page begins at its heading, for the eye and for the ear.
  useLayoutEffect(() => {
    window.scrollTo(0, 0);
    if (document.activeElement !== document.body) document.getElementById('main')?.focus({ preventScroll: true });
  }, [view, id]);
  return (
    <div class="studio">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>Gå til indholdet</a>
      <header class="top">
        <p class="brand">Redaktionen</p>
        <Nav />
        <div class="top-end">
          <Working />
          <Press look="tertiary" class="account" icon="person" test="account" aria-label={`Min konto: ${s.name}`} onClick={() => setOpen(true)}>{s.name}</Press>
          <Press look="tertiary" test="sign-out" onClick={() => void signOutNow()}>Log ud</Press>
        </div>
      </header>
      <main class="main" id="main" tabIndex={-1}>{denied.value ? <Denied /> : <Page />}</main>
      <Notices />
      {open && <AccountDialog session={s} onClose={() => setOpen(false)} />}
    </div>
  );
}

export function Root() {
  const s = session.value;
  return (
    <>
      {s === undefined ? <main class="signin" id="main"><p class="empty">Et øjeblik…</p></main>
        : typeof s === 'object' ? (s.second_factor === 'needed' ? <SetUpPage session={s} entered={entered} signOut={() => void signOutNow()} /> : <Workplace key={s.user} s={s} />)
          : <SignInPage key={s} title="Log ind på redaktionen" farewell={farewell.value} entered={entered} unreachable={s === 'unreachable'} />}
      <div class="sr-only" aria-live="polite" data-testid="polite">{polite.value.map((t, i) => <p key={`${i} ${t}`}>{t}</p>)}</div>
      <div class="sr-only" aria-live="assertive" data-testid="assertive">{assertive.value.map((t, i) => <p key={`${i} ${t}`}>{t}</p>)}</div>
    </>
  );
}
