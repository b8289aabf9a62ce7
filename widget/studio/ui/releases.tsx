// What was published: when, by whom, why, what it changed; and how to take it back.

import { useEffect, useState } from 'preact/hooks';
import { go, notice, service } from '../app';
import { follow, useAsk, wrote } from '../ask';
import type { Job, Node, Published, Release, Status } from '../core/api';
import { layerName } from '../core/browse';
import { format } from '../core/route';
import * as words from '../core/words';
import { Empty, Modal, Press } from '../../shared/ui/parts';
import { knowledge, ready, useKnowledge } from '../working';
import { Back, Field, Flag, Progress, Trouble, Waiting, When } from './bits';
import { Hunks } from './marked';

const LIMIT = 50;

/** How often servers are asked after, where there are several. */
const SERVERS_MS = 5_000;
const WELL = ['same', 'starting', 'behind'];

/** Which release each server has, where there are several. */
function Servers({ nodes }: { nodes: Node[] }) {
  if (nodes.length < 2) return null;
  const ill = nodes.filter((n) => !WELL.includes(n.state));
  const newest = Math.max(...nodes.map((n) => n.number));
  const release = nodes.find((n) => n.number === newest)?.release;
  const heard = nodes.filter((n) => n.state !== 'gone');
  const who = heard.length === nodes.length ? `Alle ${nodes.length} servere` : 'De servere, der svarer,';
  const all = heard.every((n) => n.release === release);
  return (
    <section class="card" aria-labelledby="servers-title" data-testid="servers">
      <h2 id="servers-title">Servere</h2>
      <p role="status">{all ? `${who} giver borgerne udgivelse ${newest}.` : `Ikke alle servere giver borgerne udgivelse ${newest} endnu.`}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Hver server">
        <table class="table rows"><caption class="sr-only">Servere, og hvilken udgivelse de har</caption>
          <thead><tr><th scope="col">Server</th><th scope="col">Udgivelse</th><th scope="col">Tilstand</th></tr></thead>
          <tbody>{nodes.map((n) => (
            <tr key={n.node}>
              <th scope="row">{n.node}{n.me && <span class="under">Den, du bruger nu</span>}</th>
              <td data-label="Udgivelse">{n.number > 0 ? n.number : 'Ukendt'}</td>
              <td data-label="Tilstand"><Flag kind={ill.includes(n) ? 'warning' : 'info'}>{words.node(n.state)}</Flag>{n.why && <span class="under">{n.why}</span>}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </section>
  );
}

function Folder({ data }: { data: Status | undefined }) {
  const [why, setWhy] = useState('');
  const [worse, setWorse] = useState<string[] | undefined>(undefined);
  const [reason, setReason] = useState('');
  const [open, setOpen] = useState(false);
  const [trouble, setTrouble] = useState('');
  const [job, setJob] = useState<Job<Published> | undefined>(undefined);
  if (!data || data.folder.changed.length === 0) return null;
  const n = data.folder.changed.length;
  const publish = async (): Promise<void> => {
    setTrouble('');
    const a = await service().send<{ job: string }>('POST', '/api/studio/releases/folder', { why: why.trim(), ...(worse ? { override: reason.trim() } : {}) });
    if (a.fault) return setTrouble(a.fault.text);
    const { job: end, trouble: lost } = await follow<Published>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.error?.code === 'worse') return setWorse(end.error.sets ?? []);
    if (end?.state !== 'done') return setTrouble(lost ?? end?.error?.text ?? 'Det blev ikke udgivet.');
    setOpen(false);
    wrote();
  };
  return (
    <section class="card" aria-labelledby="folder-title">
      <h2 id="folder-title">Ændret uden om redaktionen</h2>
      <p>{n === 1 ? 'Én fil' : `${n} filer`} i mappen er ændret, men ikke udgivet.{data.folder.faults.length > 0 && ` ${words.faults(data.folder.faults.length)} skal rettes i filerne først.`}</p>
      <details><summary>Se hvilke</summary><ul class="plain-list">{data.folder.changed.map((f) => <li key={f}><code>{f}</code></li>)}{data.folder.faults.map((f, i) => <li key={i}>{f.file}, {words.where(f)}: {f.text}</li>)}</ul></details>
      {job ? <Progress step={job.step} done={job.done} total={job.total} /> : <Press look="secondary" test="folder-open" onClick={() => setOpen(true)}>Udgiv det</Press>}
      {open && (
        <Modal title="Udgiv det, der er ændret i mappen" onClose={() => setOpen(false)} test="folder-dialog">
          <form onSubmit={(e) => { e.preventDefault(); void publish(); }}>
            <Field label="Hvorfor?">{(p) => <textarea {...p} class="form-input" rows={2} data-first value={why} onInput={(e) => setWhy(e.currentTarget.value)} />}</Field>
            {worse && <p class="alert alert-warning plain" role="alert">Færre rigtige svar i {worse.join(', ') || 'et bevogtet prøvesæt'}. Ret filerne, eller skriv, hvorfor det skal ud alligevel.</p>}
            {worse && <Field label="Hvorfor alligevel?" help="Mindst 10 tegn. Begrundelsen følger udgivelsen.">{(p) => <textarea {...p} class="form-input" rows={2} value={reason} data-testid="folder-override" onInput={(e) => setReason(e.currentTarget.value)} />}</Field>}
            <Trouble text={trouble} />
            <div class="modal-do"><Press look="primary" type="submit" test="folder-publish">Udgiv</Press><Press look="tertiary" onClick={() => setOpen(false)}>Fortryd</Press></div>
          </form>
        </Modal>
      )}
    </section>
  );
}

export function ReleasesPage() {
  const asked = useAsk<{ releases: Release[] }>(ready.value ? `/api/studio/releases?limit=${LIMIT}` : undefined);
  const status = useAsk<Status>(ready.value ? '/api/studio/status' : undefined);
  const [older, setOlder] = useState<Release[]>([]);
  const [end, setEnd] = useState(false);
  useEffect(() => {
    document.title = 'Udgivelser · Redaktionen';
  }, []);
  // One that shares its releases asks on: the second server may come after the page.
  const shares = (status.data?.nodes.length ?? 0) > 0;
  useEffect(() => {
    if (!shares) return undefined;
    const look = setInterval(() => {
      if (!document.hidden) status.again();
    }, SERVERS_MS);
    return () => clearInterval(look);
  }, [shares]);
  // Published on another server.
  const served = status.data?.release;
  useEffect(() => {
    if (served) asked.again();
  }, [served]);
  const all = [...(asked.data?.releases ?? []), ...older];
  const more = async (): Promise<void> => {
    const a = await service().get<{ releases: Release[] }>(`/api/studio/releases?limit=${LIMIT}&before=${all.at(-1)?.number ?? 0}`);
    if (a.fault) return notice('error', a.fault.text);
    setOlder([...older, ...a.ok.releases]);
    setEnd(a.ok.releases.length < LIMIT);
  };
  return (
    <>
      <div class="page-head"><h1>Udgivelser</h1><p>Alt, borgerne har fået, og hvem der gav dem det.</p></div>
      <Servers nodes={status.data?.nodes ?? []} />
      <Folder data={status.data} />
      {!asked.data ? <Waiting {...asked} what="udgivelserne" /> : all.length === 0 ? <Empty>Intet er udgivet herfra endnu.</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Udgivelser">
          <table class="table rows" data-testid="releases"><caption class="sr-only">Udgivelser, nyeste først</caption>
            <thead><tr><th scope="col">Udgivelse</th><th scope="col">Hvornår</th><th scope="col">Hvem</th><th scope="col">Hvad</th></tr></thead>
            <tbody>{all.map((r) => (
              <tr key={r.number}>
                <th scope="row"><a href={format('releases', String(r.number))}>{r.number}. {r.title}</a><span class="tags">{r.live && <Flag kind="info">Gælder nu</Flag>}{r.kind !== 'draft' && <Flag kind="">{words.releaseKind(r.kind)}</Flag>}{r.undone_by && <Flag kind="warning">Fortrudt</Flag>}{r.override && <Flag kind="warning">Trods advarsel</Flag>}</span>{r.why && <span class="under">{r.why}</span>}</th>
                <td data-label="Hvornår"><When at={r.at_ms} /></td><td data-label="Hvem">{r.by.name}{r.approved_by && <span class="under">Godkendt af {r.approved_by.name}</span>}</td><td data-label="Hvad">{words.changes(r.files.length)}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {asked.data && asked.data.releases.length === LIMIT && !end && <p class="more-row"><Press look="secondary" onClick={() => void more()}>Vis ældre</Press></p>}
    </>
  );
}

export function ReleasePage({ id }: { id: string }) {
  useKnowledge(true);
  const asked = useAsk<Release>(ready.value ? `/api/studio/releases/${encodeURIComponent(id)}` : undefined);
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState('');
  const [trouble, setTrouble] = useState('');
  const [job, setJob] = useState<Job<Published> | undefined>(undefined);
  const r = asked.data;
  useEffect(() => {
    document.title = `Udgivelse ${id} · Redaktionen`;
  }, [id]);
  const undo = async (): Promise<void> => {
    if (job) return;
    const a = await service().send<{ job: string }>('POST', `/api/studio/releases/${id}/undo`, { why: why.trim() });
    if (a.fault) return setTrouble(a.fault.text);
    setAsking(false);
    const { job: end, trouble: lost } = await follow<Published>(a.ok.job, setJob);
    setJob(undefined);
    if (end?.state !== 'done' || !end.result) return setTrouble(lost ?? end?.error?.text ?? 'Det blev ikke fortrudt.');
    wrote();
    notice('success', `Udgivelse ${id} er fortrudt. Borgerne får de gamle svar igen.`);
    go('releases', String(end.result.release.number));
  };
  const back = <Back href={format('releases')}>Udgivelser</Back>;
  if (!r) return <>{back}<h1>Udgivelse {id}</h1><Waiting {...asked} what="udgivelsen" /></>;
  const towns = knowledge.value?.municipalities ?? [];
  return (
    <>
      {back}
      <div class="page-head">
        <h1>{r.number}. {r.title}</h1>
        <p class="tags">{r.live && <Flag kind="info">Gælder nu</Flag>}{r.kind !== 'draft' && <Flag kind="">{words.releaseKind(r.kind)}</Flag>}</p>
        {!r.undone_by && r.kind !== 'start' && !job && <Press look="secondary" icon="undo" test="undo" onClick={() => setAsking(true)}>Fortryd udgivelsen</Press>}
      </div>
      <dl class="facts card">
        <div><dt>Hvornår</dt><dd><When at={r.at_ms} /></dd></div><div><dt>Hvem</dt><dd>{r.by.name}</dd></div>
        {r.approved_by && <div><dt>Godkendt af</dt><dd>{r.approved_by.name}</dd></div>}
        {r.why && <div><dt>Hvorfor</dt><dd>{r.why}</dd></div>}
        {r.override && <div><dt>Trods advarsel</dt><dd>{r.override}</dd></div>}
        {r.draft && <div><dt>Kladde</dt><dd><a href={format('drafts', r.draft)}>Se kladden</a></dd></div>}
        <div><dt>Grænser</dt><dd><a href={format('thresholds', '', { udgivelse: String(r.number) })} data-testid="then">Hvor sikker robotten skulle være</a></dd></div>
        {r.undoes && <div><dt>Fortryder</dt><dd><a href={format('releases', String(r.undoes))}>Udgivelse {r.undoes}</a></dd></div>}
        {r.undone_by && <div><dt>Fortrudt i</dt><dd><a href={format('releases', String(r.undone_by))}>Udgivelse {r.undone_by}</a></dd></div>}
      </dl>
      <Trouble text={trouble} />
      {job && <Progress step={job.step} done={job.done} total={job.total} />}
      <section class="card" aria-labelledby="release-changes">
        <h2 id="release-changes">Det blev ændret</h2>
        {(r.diff ?? []).length === 0 && <p class="empty">Ingenting.</p>}
        {(r.diff ?? []).map((f) => (
          <details key={f.file} class="change" open={(r.diff ?? []).length <= 3}>
            <summary><h3>{f.title || f.file}</h3><span class="tags"><Flag kind="">{words.change(f.change)}</Flag>{f.layer && <Flag kind="">{layerName(f.layer, towns)}</Flag>}<span class="quiet-text">+{f.added} −{f.removed}</span></span></summary>
            <Hunks file={f} />
            {f.article && f.change !== 'removed' && <p><a href={format('articles', f.article, { lag: f.layer ?? undefined })}>Se svaret</a></p>}
          </details>
        ))}
      </section>
      {asking && (
        <Modal title="Fortryd udgivelsen?" onClose={() => setAsking(false)} test="undo-dialog">
          <form onSubmit={(e) => { e.preventDefault(); void undo(); }}>
            <p>Teksterne fra før udgivelsen kommer tilbage, og borgerne får de gamle svar. Det bliver en ny udgivelse, som også kan fortrydes.</p>
            <Field label="Hvorfor?">{(p) => <textarea {...p} class="form-input" rows={2} data-first value={why} data-testid="undo-why" onInput={(e) => setWhy(e.currentTarget.value)} />}</Field>
            <Trouble text={trouble} />
            <div class="modal-do"><Press look="warning" type="submit" test="undo-do">Fortryd udgivelsen</Press><Press look="tertiary" onClick={() => setAsking(false)}>Lad den stå</Press></div>
          </form>
        </Modal>
      )}
    </>
  );
}
