// One draft: what it changes, what is wrong with it, what it would do, who has said what, and its way out to citizens.

import { useEffect, useState } from 'preact/hooks';
import { go, notice, service } from '../app';
import { useAsk, wrote } from '../ask';
import type { Conflict, Draft, DraftFile, Fault, FileDiff, Who } from '../core/api';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Press } from '../../shared/ui/parts';
import { adopt, change, heard, knowledge, ready, switchTo, useKnowledge, working } from '../working';
import { Back, Field, Flag, StateBadge, Trouble, Waiting, When } from './bits';
import { Hunks } from './marked';
import { Publish } from './publish';
import { ReplaySection } from './replay';
import { Settle } from './settle';
import { layerName } from '../core/browse';

const articleOf = (file: string, d: Draft): { id: string; layer: string } | undefined => {
  const f = d.files.find((x) => x.file === file);
  const [folder, name] = [file.split('/'), file.split('/').at(-1)?.replace(/\.md$/, '') ?? ''];
  if (f?.article) return { id: f.article, layer: f.layer ?? 'shared' };
  return /\.md$/.test(file) ? { id: name, layer: folder[0] === 'shared' ? 'shared' : folder[1] ?? 'shared' } : undefined;
};

function Faults({ draft }: { draft: Draft }) {
  const serious = draft.faults.filter((f) => f.severity !== 'warning');
  const mild = draft.faults.filter((f) => f.severity === 'warning');
  const list = (all: readonly Fault[]) => (
    <ul class="fault-list">{all.slice(0, 60).map((f, i) => {
      const at = articleOf(f.file, draft);
      const title = draft.files.find((x) => x.file === f.file)?.title ?? f.file;
      return <li key={i}>{at ? <a href={format('articles', at.id, { lag: at.layer })}>{title}</a> : title}{words.where(f, !at) && <span class="quiet-text"> · {words.where(f, !at)}</span>}<br />{f.text}</li>;
    })}</ul>
  );
  if (draft.faults.length === 0) return null;
  return (
    <section class={serious.length ? 'card bad' : 'card'} aria-labelledby="faults-title" data-testid="faults">
      {serious.length > 0 && <><h2 id="faults-title">{words.faults(serious.length)} skal rettes før udgivelse</h2>{list(serious)}</>}
      {mild.length > 0 && (serious.length > 0 ? <details><summary>{mild.length} advarsler</summary>{list(mild)}</details> : <><h2 id="faults-title">{mild.length === 1 ? '1 advarsel' : `${mild.length} advarsler`}</h2>{list(mild)}</>)}
    </section>
  );
}

function Changes({ draft, again }: { draft: Draft; again: () => void }) {
  const asked = useAsk<{ files: FileDiff[] }>(`/api/studio/drafts/${draft.id}/diff?version=${draft.version}`);
  const towns = knowledge.value?.municipalities ?? [];
  const revert = (file: string): void => void (working.peek()?.id === draft.id ? Promise.resolve() : switchTo(draft.id))
    .then(() => change([{ kind: 'revert', file }], draft.title)).then((a) => {
      if (a.fault) return notice('error', a.fault.text);
      wrote();
      again();
    });
  const files = asked.data?.files;
  return (
    <section class="card" aria-labelledby="changes-title">
      <h2 id="changes-title">Det ændrer kladden</h2>
      {draft.files.length === 0 ? <Empty>Ingenting endnu. Gå til <a href={format('articles')}>svarene</a>, og ret et.</Empty> : !files ? <Waiting {...asked} what="forskellene" /> : files.map((f, i) => {
        const at = articleOf(f.file, draft);
        return (
          <details key={f.file} class="change" open={files.length <= 3 || i === 0}>
            <summary><h3>{f.title || f.file}</h3><span class="tags"><Flag kind={f.change === 'removed' ? 'warning' : 'info'}>{words.change(f.change)}</Flag>{f.layer && <Flag kind="">{layerName(f.layer, towns)}</Flag>}<span class="quiet-text">+{f.added} −{f.removed}<span class="sr-only"> linjer</span></span></span></summary>
            <Hunks file={f} />
            <p class="row-buttons">
              {at && f.change !== 'removed' && <a class="button button-secondary" href={format('articles', at.id, { lag: at.layer })} onClick={() => working.peek()?.id !== draft.id && draft.may.edit && void switchTo(draft.id)}>{draft.may.edit ? 'Ret videre' : 'Se svaret'}</a>}
              {draft.may.edit && <Press look="tertiary" icon="undo" onClick={() => revert(f.file)}>Tag ud af kladden</Press>}
            </p>
          </details>
        );
      })}
    </section>
  );
}

function Comments({ draft, told }: { draft: Draft; told: (d: Draft) => void }) {
  const [text, setText] = useState('');
  const [trouble, setTrouble] = useState('');
  const send = async (): Promise<void> => {
    if (!text.trim()) return;
    const a = await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/comments`, { text: text.trim() });
    if (a.fault) return setTrouble(a.fault.text);
    setText('');
    setTrouble('');
    told(a.ok);
  };
  return (
    <section class="card" aria-labelledby="comments-title">
      <h2 id="comments-title">Kommentarer</h2>
      {draft.comments.length === 0 ? <p class="empty">Ingen endnu.</p> : <ol class="comments" data-testid="comments">{draft.comments.map((c) => <li key={c.id}><p class="quiet-text"><strong>{c.by.name}</strong>, <When at={c.at_ms} />{c.file && `, om ${c.file}`}</p><p class="pre">{c.text}</p></li>)}</ol>}
      <form onSubmit={(e) => { e.preventDefault(); void send(); }}>
        <Field label="Skriv en kommentar">{(p) => <textarea {...p} class="form-input" rows={3} value={text} data-testid="comment" onInput={(e) => setText(e.currentTarget.value)} />}</Field>
        <Trouble text={trouble} />
        <Press look="secondary" type="submit" test="comment-send" aria-disabled={!text.trim()}>Send</Press>
      </form>
    </section>
  );
}

interface Saved { version: number; by: Who; at_ms: number; files: DraftFile[] }
/** Who saved what and when; asked for when somebody wants to see it. */
function Saves({ draft }: { draft: Draft }) {
  const [open, setOpen] = useState(false);
  const asked = useAsk<{ versions: Saved[] }>(open ? `/api/studio/drafts/${draft.id}/versions` : undefined);
  return (
    <details class="card" data-testid="saves" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary><h2>Hvem har skrevet hvad</h2></summary>
      {!asked.data ? <Waiting {...asked} what="versionerne" /> : (
        <ol class="history">{asked.data.versions.toReversed().map((v) => (
          <li key={v.version}><strong>{v.by.name}</strong> <span class="quiet-text">version {v.version}, <When at={v.at_ms} /></span><br />{v.files.length === 0 ? 'Ingen ændringer' : v.files.slice(0, 5).map((f) => `${f.title || f.file} (${words.change(f.change).toLowerCase()})`).join(', ')}{v.files.length > 5 && ` og ${v.files.length - 5} til`}</li>
        ))}</ol>
      )}
    </details>
  );
}

function Name({ draft, told }: { draft: Draft; told: (d: Draft) => void }) {
  const [title, setTitle] = useState(draft.title);
  const [why, setWhy] = useState(draft.why);
  const [open, setOpen] = useState(draft.title === 'Ny kladde');
  const save = async (): Promise<void> => {
    const a = await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/changes`, { version: draft.version, changes: [], title: title.trim() || draft.title, why: why.trim() });
    if (a.fault) return notice('error', a.fault.text);
    setOpen(false);
    told(a.ok);
  };
  if (!open) return draft.may.edit ? <Press look="tertiary" icon="edit" test="rename" onClick={() => setOpen(true)}>Ret titel og begrundelse</Press> : null;
  return (
    <form class="card" onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <Field label="Titel">{(p) => <input {...p} class="form-input" maxLength={200} value={title} data-testid="draft-title" onInput={(e) => setTitle(e.currentTarget.value)} />}</Field>
      <Field label="Begrundelse" help="Den følger udgivelsen, så andre kan se hvorfor">{(p) => <textarea {...p} class="form-input" rows={2} value={why} data-testid="draft-why" onInput={(e) => setWhy(e.currentTarget.value)} />}</Field>
      <div class="modal-do"><Press look="primary" type="submit" test="draft-save">Gem</Press><Press look="tertiary" onClick={() => setOpen(false)}>Fortryd</Press></div>
    </form>
  );
}

export function DraftPage({ id }: { id: string }) {
  useKnowledge(true);
  const asked = useAsk<Draft>(ready.value ? `/api/studio/drafts/${encodeURIComponent(id)}` : undefined);
  const [newer, setNewer] = useState<Draft | undefined>(undefined);
  // The newest that anybody here has heard of: what was kept from an earlier visit may be old.
  const heardOf = [newer, asked.data, working.value?.id === id ? working.value : undefined].filter((d) => d !== undefined);
  const draft = heardOf.reduce<Draft | undefined>((best, d) => (best && best.version >= d.version ? best : d), undefined);
  // What was asked last is the truth, once it is here.
  useEffect(() => setNewer(undefined), [asked.data]);
  const conflicts = useAsk<{ conflicts: Conflict[] }>(draft && draft.conflicts.length > 0 ? `/api/studio/drafts/${draft.id}/conflicts` : undefined);
  useEffect(() => {
    document.title = `${draft?.title ?? 'Kladde'} · Redaktionen`;
  }, [draft?.title]);
  const told = (d: Draft): void => {
    setNewer(d);
    heard(d);
  };
  const back = <Back href={format('drafts')}>Kladder</Back>;
  if (!draft) return <>{back}<h1>Kladde</h1><Waiting {...asked} what="kladden" /></>;
  const mine = working.value?.id === draft.id;
  const over = draft.state === 'published' || draft.state === 'dropped';
  return (
    <>
      {back}
      <div class="page-head">
        <h1>{draft.title}</h1>
        <p class="tags"><StateBadge state={draft.state} />{mine && <Flag kind="info">Du arbejder i den</Flag>}</p>
        {!mine && !over && draft.may.edit && <Press look="secondary" icon="edit" test="work-here" onClick={() => void switchTo(draft.id)}>Arbejd i den</Press>}
        {mine && <Press look="tertiary" test="work-elsewhere" onClick={() => adopt(undefined)}>Hold op med at arbejde i den</Press>}
      </div>
      <p class="lead">{draft.why || <span class="quiet-text">Ingen begrundelse.</span>}</p>
      <p class="quiet-text">Begyndt af {draft.author.name}, <When at={draft.created_ms} />. {draft.writers.length > 1 && `Skrevet af ${draft.writers.map((w) => w.name).join(', ')}. `}Sidst ændret <When at={draft.changed_ms} />.{draft.source && ` Hentet fra ${draft.source}.`}</p>
      {!over && <Name key={draft.version} draft={draft} told={told} />}
      <div class="with-side">
        <div class="form">
          {conflicts.data && conflicts.data.conflicts.length > 0 && <Settle conflicts={conflicts.data.conflicts} of={draft} onDone={(d) => { told(d); wrote(); }} />}
          <Faults draft={draft} />
          <Changes draft={draft} again={asked.again} />
          {!over && draft.files.length > 0 && <ReplaySection draft={draft} told={asked.again} />}
          <Comments draft={draft} told={told} />
          <Saves draft={draft} />
        </div>
        <Publish draft={draft} told={told} again={asked.again} onPublished={(n) => go('releases', String(n))} />
      </div>
    </>
  );
}
