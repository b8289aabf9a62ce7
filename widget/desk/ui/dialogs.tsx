// What is asked before something is done that cannot be undone by one key.

import { useEffect, useState } from 'preact/hooks';
import { desk, prefs, run, session, setPrefs, signOutNow } from '../app';
import { chats, label } from '../core/state';
import type { Card, Line, Targets, To } from '../core/wire';
import * as words from '../core/words';
import { canNotify, mayNotify } from './alerts';
import { AccountDialog } from '../../shared/ui/account';
import { Choice, type Option } from '../../shared/ui/choice';
import { KEYS, keyName, type KeyId } from './keys';
import { Modal, Press } from './parts';
import { play } from './sound';
import { dialog } from './view';

const shut = (): void => void (dialog.value = undefined);
const back = (item: string): void => void requestAnimationFrame(() => document.getElementById(`write-${item}`)?.focus());

function options(t: Targets): Option[] {
  return [
    { key: 'bot', title: 'Chatrobotten', detail: 'borgeren kan altid bede om et menneske igen', group: 'Tilbage' },
    ...t.agents.map((a) => ({
      key: `agent ${a.id}`, title: a.name, group: 'Medarbejder', off: a.state === 'absent',
      detail: a.state === 'available' ? (a.free > 0 ? `klar, ${a.free} ${a.free === 1 ? 'ledig plads' : 'ledige pladser'}` : 'alle pladser er optaget') : words.presence(a.state).toLowerCase(),
    })),
    ...t.teams.map((x) => ({ key: `team ${x.id}`, title: x.name, group: 'Team' })),
    ...t.areas.map((x) => ({ key: `specialist ${x.id}`, title: x.title, group: 'Specialist' })),
    ...t.municipalities.map((x) => ({ key: `municipality ${x.code}`, title: words.place(x), group: 'Kommune' })),
  ];
}
function target(key: string): To {
  const [kind, id = ''] = [key.split(' ')[0], key.slice(key.indexOf(' ') + 1)];
  return kind === 'bot' ? { bot: true } : ({ [kind as string]: id } as To);
}

function TransferDialog({ card }: { card: Card }) {
  const [targets, setTargets] = useState<Targets | undefined>(undefined);
  const [to, setTo] = useState<string | undefined>(undefined);
  const [note, setNote] = useState('');
  const [fault, setFault] = useState('');
  useEffect(() => {
    void run({ type: 'targets', item: card.item }).then((d) => (d.ok ? setTargets(d.ok) : setFault(words.refusal(d.refused?.code ?? '', d.refused?.text ?? ''))));
  }, []);
  const send = (): void => {
    if (!to) return setFault('Vælg, hvem der skal overtage.');
    const said = note.trim();
    void run({ type: 'transfer', item: card.item, epoch: card.epoch, to: target(to), ...(said ? { note: said } : {}) })
      .then((d) => (d.ok ? shut() : setFault(words.refusal(d.refused?.code ?? '', d.refused?.text ?? ''))));
  };
  return (
    <Modal title={`Viderestil ${label(card)}`} onClose={() => { shut(); back(card.item); }} test="transfer-dialog">
      <form onSubmit={(e) => { e.preventDefault(); send(); }}>
        {targets
          ? <Choice label="Hvem skal overtage?" options={options(targets)} chosen={to} onChoose={setTo} test="transfer-to" onDone={() => document.getElementById('transfer-note')?.focus()} />
          : <p class="empty">{fault ? '' : 'Henter, hvem der kan overtage…'}</p>}
        <label class="form-label" for="transfer-note">Note til den næste <span class="quiet-text">(borgeren ser den ikke)</span></label>
        <textarea id="transfer-note" class="form-input" rows={3} dir="auto" value={note} data-testid="transfer-note" onInput={(e) => setNote(e.currentTarget.value)}
          onKeyDown={(e) => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); send(); } }} />
        {fault && <p class="form-error-message" role="alert">{fault}</p>}
        <div class="modal-do"><Press look="primary" type="submit" icon="forward" test="transfer-send">Viderestil</Press><Press look="tertiary" onClick={shut}>Fortryd</Press></div>
      </form>
    </Modal>
  );
}

function CloseDialog({ card }: { card: Card }) {
  const d = desk.value;
  const [code, setCode] = useState<string | undefined>(undefined);
  const [fault, setFault] = useState('');
  const send = (): void => {
    if (code === undefined) return setFault('Vælg, hvordan samtalen endte.');
    void run({ type: 'close', item: card.item, epoch: card.epoch, code }).then((done) => {
      if (!done.ok) return setFault(words.refusal(done.refused?.code ?? '', done.refused?.text ?? ''));
      shut();
      back(card.item);
    });
  };
  return (
    <Modal title={`Afslut ${label(card)}`} onClose={() => { shut(); back(card.item); }} test="close-dialog">
      <form onSubmit={(e) => { e.preventDefault(); send(); }}>
        <Choice label="Hvordan endte den?" options={d.codes.map((c) => ({ key: c.code, title: c.title }))} chosen={code} onChoose={setCode} onDone={send} test="close-code" />
        {d.drafts[card.item] && <p class="alert alert-warning plain">Der står en tekst i skrivefeltet, som ikke er sendt.</p>}
        {fault && <p class="form-error-message" role="alert">{fault}</p>}
        <div class="modal-do"><Press look="primary" type="submit" icon="check" test="close-send">Afslut samtalen</Press><Press look="tertiary" onClick={shut}>Fortryd</Press></div>
      </form>
    </Modal>
  );
}

function DraftDialog({ card, line }: { card: Card; line: Line }) {
  const [text, setText] = useState(line.text);
  const [fault, setFault] = useState('');
  const send = (): void => void run({ type: 'draft', item: card.item, line: line.id, text: text.trim() })
    .then((d) => (d.ok ? shut() : setFault(words.refusal(d.refused?.code ?? '', d.refused?.text ?? ''))));
  return (
    <Modal title="Send til redaktørerne" onClose={shut} test="draft-dialog" wide>
      <form onSubmit={(e) => { e.preventDefault(); send(); }}>
        <p>Svaret bliver en kladde, som redaktørerne kan gøre til en artikel. Fjern navne og alt andet om borgeren.</p>
        {card.brief?.question && <p class="question" dir="auto">{card.brief.question}</p>}
        <label class="form-label" for="draft-text">Svaret</label>
        <textarea id="draft-text" class="form-input" rows={9} dir="auto" data-first value={text} onInput={(e) => setText(e.currentTarget.value)} />
        {fault && <p class="form-error-message" role="alert">{fault}</p>}
        <div class="modal-do"><Press look="primary" type="submit" icon="share" test="draft-send" aria-disabled={!text.trim()}>Send kladden</Press><Press look="tertiary" onClick={shut}>Fortryd</Press></div>
      </form>
    </Modal>
  );
}

function ReleaseDialog({ item, name }: { item: string; name: string }) {
  return (
    <Modal title="Læg samtalen tilbage i køen?" onClose={shut} test="release-dialog">
      <p>{name || 'Medarbejderen'} mister samtalen. Borgeren beholder sin plads og får besked om, at en anden tager over.</p>
      <div class="modal-do">
        <Press look="warning" test="release-send" data-first onClick={() => void run({ type: 'release', item }).then(shut)}>Læg tilbage</Press>
        <Press look="tertiary" onClick={shut}>Fortryd</Press>
      </div>
    </Modal>
  );
}

function SignOutDialog() {
  const n = chats(desk.value).length;
  return (
    <Modal title="Log ud?" onClose={shut} test="sign-out-dialog">
      <p>{n === 0 ? 'Du får ingen nye henvendelser, før du logger ind igen.' : `${n === 1 ? 'Din samtale går' : `Dine ${n} samtaler går`} tilbage til køen. Borgerne beholder deres plads.`}</p>
      <div class="modal-do"><Press look="primary" data-first test="sign-out-send" onClick={() => { shut(); void signOutNow(); }}>Log ud</Press><Press look="tertiary" onClick={shut}>Bliv her</Press></div>
    </Modal>
  );
}

function HelpDialog() {
  const ids = (Object.keys(KEYS) as KeyId[]).filter((k) => k !== 'supervisor' || desk.value.me.roles.includes('supervisor'));
  return (
    <Modal title="Taster" onClose={shut} test="help-dialog" wide>
      <dl class="keys">
        {ids.map((id) => <div key={id}><dt>{keyName(id).split(' + ').map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{KEYS[id][1]}</dd></div>)}
        <div><dt><kbd>Enter</kbd></dt><dd>Send</dd></div>
        <div><dt><kbd>Skift</kbd><kbd>Enter</kbd></dt><dd>Ny linje</dd></div>
        <div><dt><kbd>/</kbd></dt><dd>Find et standardsvar, når feltet er tomt</dd></div>
        <div><dt><kbd>Esc</kbd></dt><dd>Luk vindue eller liste</dd></div>
      </dl>
      <p class="quiet-text">I dine svar kan du bruge **fed**, lister med - og links som [tekst](https://…).</p>
    </Modal>
  );
}

function SettingsDialog() {
  const p = prefs.value;
  const [asked, setAsked] = useState('');
  const notify = async (on: boolean): Promise<void> => {
    if (on && !mayNotify()) {
      // Only here, upon a press: nobody is asked who did not ask first.
      const answer = await Notification.requestPermission();
      if (answer !== 'granted') return setAsked('Browseren tillader ikke beskeder fra denne side. Det kan ændres i browserens indstillinger.');
    }
    setPrefs({ notify: on });
  };
  return (
    <Modal title="Lyd og visning" onClose={shut} test="settings-dialog">
      <fieldset>
        <legend>Lyd</legend>
        <label class="check"><input type="checkbox" data-first checked={p.sound} data-testid="sound" onChange={(e) => setPrefs({ sound: e.currentTarget.checked })} />Lyd ved nye henvendelser og beskeder</label>
        <label class="range" for="volume">Styrke <input id="volume" type="range" min="0" max="100" step="5" value={p.volume * 100} aria-valuetext={`${Math.round(p.volume * 100)} procent`}
          onInput={(e) => setPrefs({ volume: Number(e.currentTarget.value) / 100 })} onChange={() => play('message')} /></label>
        <p class="settings-row"><Press look="tertiary" onClick={() => play('offer')}>Hør ny henvendelse</Press><Press look="tertiary" onClick={() => play('message')}>Hør ny besked</Press></p>
      </fieldset>
      {canNotify() && (
        <fieldset>
          <legend>Beskeder på skærmen</legend>
          <label class="check"><input type="checkbox" checked={p.notify && mayNotify()} onChange={(e) => void notify(e.currentTarget.checked)} />Vis en besked, når siden ikke er fremme</label>
          <p class="quiet-text">Den viser kun kommunen, aldrig hvad borgeren har skrevet.</p>
          {asked && <p class="form-error-message" role="alert">{asked}</p>}
        </fieldset>
      )}
      <fieldset>
        <legend>Samtaler side om side</legend>
        <div class="chips">{([1, 2, 3] as const).map((n) => <label key={n} class="chip"><input type="radio" name="panes" class="sr-only" checked={p.panes === n} onChange={() => setPrefs({ panes: n })} />Højst {n}</label>)}</div>
        <p class="quiet-text">Der vises aldrig flere, end der er plads til.</p>
      </fieldset>
      <fieldset>
        <legend>Udseende</legend>
        <div class="chips">{([['auto', 'Som maskinen'], ['light', 'Lys'], ['dark', 'Mørk']] as const).map(([k, t]) => <label key={k} class="chip"><input type="radio" name="theme" class="sr-only" checked={p.theme === k} onChange={() => setPrefs({ theme: k })} />{t}</label>)}</div>
      </fieldset>
      <div class="modal-do tiny-only"><Press look="tertiary" onClick={() => (dialog.value = { kind: 'help' })}>Taster</Press><Press look="tertiary" onClick={() => (dialog.value = { kind: 'sign_out' })}>Log ud</Press></div>
    </Modal>
  );
}

export function Dialogs() {
  const open = dialog.value;
  if (!open) return null;
  const card = 'item' in open ? desk.value.cards[open.item] : undefined;
  switch (open.kind) {
    case 'help': return <HelpDialog />;
    case 'settings': return <SettingsDialog />;
    case 'account': return typeof session.value === 'object' ? <AccountDialog session={session.value} onClose={shut} /> : null;
    case 'sign_out': return <SignOutDialog />;
    case 'release': return <ReleaseDialog item={open.item} name={open.name} />;
    // The card went while its dialog stood open: the notice tells why.
    case 'transfer': return card ? <TransferDialog card={card} /> : null;
    case 'close': return card ? <CloseDialog card={card} /> : null;
    case 'draft': return card ? <DraftDialog card={card} line={open.line} /> : null;
  }
}
