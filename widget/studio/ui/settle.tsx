// Two wrote in the same place. Both texts are shown; the editor chooses, place by place, and nothing is lost.

import { useEffect, useRef, useState } from 'preact/hooks';
import { service } from '../app';
import type { Conflict, Draft } from '../core/api';
import { pieces, plain, settled, type Choice } from '../core/conflict';
import { Press } from '../../shared/ui/parts';
import { interrupt, say } from '../../shared/ui/say';
import { adopt, working } from '../working';
import { Trouble } from './bits';
import { Side } from './marked';

const CHOICES: [Choice, string][] = [['yours', 'Min'], ['theirs', 'Den andens'], ['both', 'Begge']];

interface OneProps { conflict: Conflict; draft: Draft; live: boolean; onDone: (d: Draft) => void }
function One({ conflict, draft, live, onDone }: OneProps) {
  // One of them took the whole file away: then it is all or nothing.
  const gone = conflict.yours == null || conflict.theirs == null;
  const all = gone ? [{ yours: conflict.yours ?? '', theirs: conflict.theirs ?? '' }] : pieces(conflict.merged);
  const open = all.filter((p): p is { yours: string; theirs: string } => !('same' in p));
  const [choices, setChoices] = useState<(Choice | undefined)[]>(open.map(() => undefined));
  const [trouble, setTrouble] = useState('');
  const text = settled(all, choices);
  const send = async (): Promise<void> => {
    if (text === undefined) return setTrouble(open.length === 1 ? 'Vælg, hvad der skal gælde.' : 'Vælg ved hvert sted, hvad der skal gælde.');
    const whole = gone ? (choices[0] === 'theirs' ? conflict.theirs : conflict.yours) ?? null : text;
    const answer = live
      ? await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/resolve`, { version: draft.version, file: conflict.file, theirs_hash: conflict.theirs_hash, text: whole })
      : await service().send<Draft>('POST', `/api/studio/drafts/${draft.id}/changes`, { version: draft.version, changes: [{ kind: 'file', file: conflict.file, text: whole }] });
    if (answer.fault) return setTrouble(answer.fault.text);
    say('Afgjort og gemt');
    onDone(answer.ok);
  };
  return (
    <div class="settle-file">
      {open.map((p, i) => (
        <fieldset key={i} class="settle-place" data-testid="settle-place">
          <legend>{open.length === 1 ? 'Hvad skal gælde?' : `Sted ${i + 1} af ${open.length}`}</legend>
          <div class="sides">
            <div><h4>Det skrev du</h4><p class="side-text"><Side mine={plain(p.yours)} other={plain(p.theirs)} left={false} />{!p.yours.trim() && <em>Ingenting: du fjernede det.</em>}</p></div>
            <div><h4>Det skrev den anden</h4><p class="side-text"><Side mine={plain(p.theirs)} other={plain(p.yours)} left={false} />{!p.theirs.trim() && <em>Ingenting: den anden fjernede det.</em>}</p></div>
          </div>
          <div class="chips">{CHOICES.filter(([c]) => !(gone && c === 'both')).map(([c, title]) => (
            <label key={c} class="chip"><input type="radio" class="sr-only" name={`settle-${conflict.file}-${i}`} checked={choices[i] === c} data-testid={`settle-${c}`} onChange={() => { setTrouble(''); setChoices(choices.map((x, j) => (j === i ? c : x))); }} />{title}</label>
          ))}</div>
        </fieldset>
      ))}
      <Trouble text={trouble} />
      <Press look="primary" test="settle-send" onClick={() => void send()}>Gem valget</Press>
    </div>
  );
}

interface Props {
  conflicts: readonly Conflict[];
  /** The draft whose changes clash with what is live; without it, a save clashes with what others put into the draft one works in. */
  of?: Draft;
  onDone: (d: Draft) => void;
}
/** Files one after the other; each answer brings the draft's next version. */
export function Settle({ conflicts, of, onDone }: Props) {
  const [at, setAt] = useState(0);
  const [draft, setDraft] = useState<Draft | undefined>(of ?? working.value);
  const conflict = conflicts[at];
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    // Seen and heard, wherever one was writing.
    box.current?.scrollIntoView({ block: 'start' });
    interrupt('En anden har rettet det samme. Vælg, hvad der skal gælde.');
  }, []);
  if (!draft || !conflict) return null;
  return (
    <section class="settle" ref={box} aria-labelledby="settle-title" data-testid="settle">
      <h2 id="settle-title">En anden har rettet det samme</h2>
      <p>Begge tekster er gemt. Vælg, hvad der skal stå i kladden.{conflicts.length > 1 && ` Fil ${at + 1} af ${conflicts.length}: ${conflict.file}.`}</p>
      <One key={conflict.file} conflict={conflict} draft={draft} live={of !== undefined} onDone={(d) => {
        setDraft(d);
        if (working.peek()?.id === d.id) adopt(d);
        if (at + 1 < conflicts.length) setAt(at + 1);
        else onDone(d);
      }} />
    </section>
  );
}
