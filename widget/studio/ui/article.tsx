// One answer: its versions, the form of the one chosen, and beside it what the citizen reads.

import { useEffect, useRef, useState } from 'preact/hooks';
import { go, notice, route } from '../app';
import { useAsk } from '../ask';
import type { Area, Version, Whole } from '../core/api';
import { layerName } from '../core/browse';
import { stand } from '../core/edit';
import { format } from '../core/route';
import * as words from '../core/words';
import { Editing } from '../editing';
import { Press } from '../../shared/ui/parts';
import { say } from '../../shared/ui/say';
import { beforeSwitch, change, knowledge, query, ready, town, useKnowledge, working } from '../working';
import { Back, Flag, Waiting, When } from './bits';
import { Body } from './body';
import { Compare } from './compare';
import { Examples } from './examples';
import { Details, Links } from './fields';
import { PreviewPanel, usePreview } from './preview';
import { Settle } from './settle';
import { Versions } from './versions';

/** What is saved, in words; heard when it changes to something one should know. */
function Stand({ editing }: { editing: Editing }) {
  const e = editing.value;
  const at = stand(e);
  const draft = working.value;
  const text = {
    clean: draft ? `Gemt i kladden »${draft.title}«` : 'Ingen ændringer. Det, du retter, lægges i en kladde.',
    dirty: 'Gemmer om et øjeblik…', saving: 'Gemmer…', failed: `Ikke gemt: ${e.problem}`, conflict: 'Ikke gemt: en anden har skrevet samme sted.',
  }[at];
  const before = useRef(at);
  useEffect(() => {
    if (before.current !== at && (at === 'failed' || at === 'conflict')) say(text);
    before.current = at;
  }, [at]);
  const signed = draft && ['waiting', 'approved', 'scheduled'].includes(draft.state) ? ` Kladden er ${words.state(draft.state).toLowerCase()}; retter du, begynder godkendelsen forfra.` : '';
  return (
    <p class={`stand ${at}`} data-testid="stand" data-stand={at}>{text}{signed}{at === 'failed' && <Press look="secondary" onClick={() => void editing.save()}>Prøv igen</Press>}</p>
  );
}

interface FormProps { version: Version; whole: Whole; areas: readonly Area[]; again: () => void }
function Form({ version, whole, areas, again }: FormProps) {
  const article = version.article;
  const draftId = working.value?.id ?? '';
  const [editing, setEditing] = useState<Editing | undefined>(undefined);
  // A conflict was settled: nothing is written before what the draft holds now has come.
  const [past, setPast] = useState<typeof article>(undefined);
  const stale = past !== undefined && past === article;
  // Another draft is worked in: the form begins anew with what that one holds. Its own first save makes a draft too.
  const fits = editing && (editing.value.sending !== undefined || editing.draft === draftId);
  useEffect(() => {
    if (!article || fits || stale) return;
    editing?.leave();
    const next = new Editing(version.layer, article, article.title);
    if (next.restored) notice('info', 'Det, du ikke nåede at gemme sidst, er hentet frem.');
    setEditing(next);
  }, [fits, article, stale]);
  useEffect(() => {
    if (article && fits) editing.loaded(article);
  }, [article]);
  useEffect(() => {
    if (!editing) return undefined;
    const done = beforeSwitch(() => editing.save());
    const closing = (e: BeforeUnloadEvent): void => {
      if (stand(editing.value) !== 'clean') e.preventDefault();
    };
    const key = (e: KeyboardEvent): void => {
      // Many press it by habit; it saves at once instead of saving the page as a file.
      if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 's') {
        e.preventDefault();
        void editing.save();
      }
    };
    window.addEventListener('beforeunload', closing);
    window.addEventListener('keydown', key);
    return () => {
      done();
      window.removeEventListener('keydown', key);
      window.removeEventListener('beforeunload', closing);
    };
  }, [editing]);
  const last = useRef<Editing | undefined>(undefined);
  last.current = editing;
  useEffect(() => () => last.current?.leave(), []);
  const shown = editing && fits ? editing.value.now : article ?? undefined;
  const { preview, code, setCode, trouble } = usePreview(version.layer, shown);
  if (!article || !shown) return <Unreadable version={version} />;
  const locked = !version.writable || version.state === 'removed' || stale || (editing?.value.conflict ?? false);
  const type = (c: Partial<typeof shown>): void => editing?.type(c);
  return (
    <div class="writing">
      <div class="form" data-testid="article-form">
        {editing && editing.conflicts.value.length > 0 && (
          <Settle conflicts={editing.conflicts.value} onDone={() => { editing.over(); setPast(article); setEditing(undefined); again(); }} />
        )}
        {editing && version.writable && <Stand editing={editing} />}
        <p class="to-preview"><Press look="secondary" icon="visibility" onClick={() => { const at = document.getElementById('preview-title'); at?.scrollIntoView(); at?.focus(); }}>Se som borgeren</Press></p>
        {!version.writable && <p class="alert alert-info plain">Du kan læse svaret her, men ikke rette det.</p>}
        <fieldset class="bare" disabled={locked}>
          <legend class="sr-only">{shown.title}</legend>
          <Body key={editing && fits ? editing.nr : 0} article={shown} preview={preview} code={code} locked={locked} type={type} />
          <Details article={shown} preview={preview} areas={areas} owners={knowledge.value?.owners ?? []} type={type} />
          <Links article={shown} preview={preview} type={type} code={code} />
          <Examples article={shown} preview={preview} type={type} shared={version.layer === 'shared'} />
        </fieldset>
        <History whole={whole} />
      </div>
      <PreviewPanel preview={preview} trouble={trouble} code={code} setCode={setCode} layer={version.layer} />
    </div>
  );
}

const Unreadable = ({ version }: { version: Version }) => (
  <div class="alert alert-error plain">
    <p>Filen {version.file} kan ikke læses, så den kan ikke rettes her:</p>
    <ul>{version.faults.map((f) => <li key={f.text}>{words.where(f)}: {f.text}</li>)}</ul>
  </div>
);

const History = ({ whole }: { whole: Whole }) => (
  <section class="card" aria-labelledby="history-title">
    <h2 id="history-title">Tidligere ændringer</h2>
    {whole.releases.length === 0 ? <p class="empty">Svaret er ikke ændret, siden redaktionen blev taget i brug.</p> : (
      <ol class="history">{whole.releases.map((r) => <li key={r.number}><a href={format('releases', String(r.number))}>{r.title}</a> <span class="quiet-text">{r.by.name}, <When at={r.at_ms} /></span></li>)}</ol>
    )}
  </section>
);

export function ArticlePage({ id }: { id: string }) {
  const asked = useAsk<Whole>(ready.value ? `/api/studio/articles/${encodeURIComponent(id)}${query()}` : undefined);
  const { k } = useKnowledge(true);
  const whole = asked.data;
  const { lag, sammen } = route.value.q;
  const mine = k?.municipalities.find((m) => m.code === town.value);
  const preferred = whole?.versions.find((v) => v.layer === lag)
    ?? whole?.versions.find((v) => v.layer === mine?.code) ?? whole?.versions.find((v) => v.layer === mine?.region) ?? whole?.versions[0];
  const title = preferred?.article?.title ?? id;
  useEffect(() => {
    document.title = `${title} · Redaktionen`;
  }, [title]);
  const back = <Back href={format('articles')}>Svar</Back>;
  if (!whole || !k || !preferred) {
    return <>{back}<h1>{asked.fault?.status === 404 ? 'Svaret findes ikke' : 'Svar'}</h1>{asked.fault?.status === 404 ? <p>Det er måske fjernet eller ligger i en kladde, du ikke arbejder i.</p> : <Waiting {...asked} what="svaret" />}</>;
  }
  const area = k.areas.find((a) => a.id === preferred.article?.area);
  const revert = (v: Version): void => void change([{ kind: 'revert', file: v.file }], '').then((a) => {
    if (a.fault) return notice('error', a.fault.text);
    notice('success', 'Som det er udgivet.');
    asked.again();
    if (v.state === 'added') go('articles');
  });
  return (
    <>
      {back}
      <div class="page-head">
        <h1>{title}</h1>
        <p class="tags">
          {area && <a href={format('articles', '', { omraade: area.id })}>{area.title}</a>}
          {preferred.state !== 'live' && <Flag kind="info">{words.change(preferred.state)} i kladden</Flag>}
          {area?.approval && <Flag kind="warning">Kræver godkendelse</Flag>}
          {preferred.article?.crisis && <Flag kind="warning">Krise</Flag>}
        </p>
      </div>
      <Versions whole={whole} k={k} chosen={preferred} code={town.value} onRevert={revert} />
      {sammen && whole.versions.length > 1 ? <Compare whole={whole} k={k} left={whole.versions[0]?.layer ?? ''} right={sammen} />
        : <Form key={`${id} ${preferred.layer}`} version={preferred} whole={whole} areas={k.areas} again={asked.again} />}
      <p class="sr-only">{layerName(preferred.layer, k.municipalities)}</p>
    </>
  );
}
