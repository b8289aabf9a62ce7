// The dialogue without its looks: what was seen (seq), what is not yet acknowledged (outbox), and what to do when
// the server forgets, is busy or comes back. The view is told; the tests give it a view and a socket of their own.

import { Connection, browserEnv, type Env, type LinkState } from './connection';
import type { Outgoing, Store } from './store';
import { after, alone, type Standing } from './standing';
import {
  clientId, isLang, type Citizen, type ClientFrame, type ErrorFrame, type Event, type Lang, type Page, type Reveal, type ServerFrame, type Turn,
  type Wait, type Welcome,
} from './wire';

export interface View {
  link(s: LinkState): void;
  /** `fresh`: a dialogue begins (show disclosure and greeting); otherwise an interrupted one goes on. */
  welcome(w: Welcome, fresh: boolean): void;
  /** While true, events are history: show them, do not read them aloud. */
  replay(on: boolean): void;
  outgoing(o: Outgoing): void;
  /** `o` is there when this widget sent it and was waiting for the acknowledgement. */
  citizen(ev: Citizen, o: Outgoing | undefined): void;
  event(ev: Exclude<Event, Citizen>): void;
  /** Whether the bot is at work; it is not when nothing has come for long. */
  working(on: boolean): void;
  /** Another answers now, or the place is another. */
  standing(s: Standing): void;
  wait(w: Wait): void;
  agentTyping(name: string): void;
  /** What was hidden in a message can be shown to the person, or was. */
  unveil(r: Reveal): void;
  /** What was shown comes again, all of it: forget it, but for what still waits to be sent. */
  forget(): void;
  /** Will be sent again by itself after `ms`. */
  held(code: string, ms: number): void;
  failed(o: Outgoing | undefined, e: ErrorFrame): void;
  /** The server's copy of the dialogue is gone; a new one begins below the old. */
  gone(): void;
  /** The chat is closed, for now or on this page: in the service's words. */
  closed(text: string): void;
  speaks(lang: Lang): void;
}

const TYPING_EVERY_MS = 3_000;
const HOLD_DEFAULT_MS = 5_000;
const CLOSED_DEFAULT_MS = 300_000;
const WORKING_LIMIT_MS = 30_000;

export class Conversation {
  readonly link: Connection;
  private ready = false;
  private replayTo = 0;
  private gapAt = 0;
  private hold: unknown;
  private working: unknown;
  private typedAt = 0;
  private sent = new Set<string>();
  private people = alone();
  constructor(
    url: string, private page: Page, private lang: () => Lang, private store: Store, private view: View,
    private env: Env = browserEnv, private now: () => number = Date.now,
  ) {
    this.link = new Connection(url, {
      opened: () => this.hello(),
      frame: (f) => this.receive(f),
      state: (s) => {
        if (s !== 'open') this.ready = false;
        this.view.link(s);
      },
    }, env);
  }

  /** A page that was just loaded shows nothing yet, so it asks for the dialogue from its first event. */
  start(): void {
    this.store.data.seq = 0;
    for (const o of this.outbox) this.view.outgoing(o);
    this.link.start();
  }

  message(text: string): void {
    this.put({ kind: 'message', text }, (client_id) => ({ type: 'message', client_id, text }));
  }

  choose(article_id: string, text: string): void {
    this.put({ kind: 'choose', text }, (client_id) => ({ type: 'choose', client_id, article_id }));
  }

  human(text: string): void {
    // An anxious citizen presses twice; one request for a person is enough.
    if (this.outbox.some((o) => o.kind === 'human' && !o.failed)) return;
    this.put({ kind: 'human', text }, (client_id) => ({ type: 'human', client_id }));
  }

  /** Wants the person that was offered. */
  queue(): void {
    this.once('queue', (client_id) => ({ type: 'queue', client_id }));
  }

  /** Goes on with the bot alone. */
  leave(): void {
    this.once('leave', (client_id) => ({ type: 'leave', client_id }));
  }

  callback(phone: string, topic: string, slot = 0): string {
    return this.put({ kind: 'callback', text: '' }, (client_id) =>
      ({ type: 'callback', client_id, phone, topic: topic || undefined, slot: slot || undefined }));
  }

  cancelCallback(reference: string): void {
    this.once('cancel', (client_id) => ({ type: 'cancel_callback', client_id, reference }));
  }

  rate(turn: Turn, score: number, comment = ''): string {
    return this.put({ kind: 'rate', text: '' }, (client_id) =>
      ({ type: 'rate', client_id, turn: turn === '' ? undefined : turn, score, comment: comment || undefined }));
  }

  typing(): void {
    if (!this.ready || this.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = this.now();
    this.link.send({ type: 'typing' });
  }

  /** Shows whoever has the chat by this epoch what was hidden in a message, as it was written. */
  unveil(client_id: string, epoch: number, text: string): void {
    this.link.send({ type: 'reveal', client_id, epoch, text });
  }

  setLang(lang: Lang): void {
    this.store.save({ lang });
    if (this.ready) this.link.send({ type: 'lang', lang });
  }

  retry(id: string): void {
    const o = this.outbox.find((x) => x.id === id);
    if (!o) return;
    delete o.failed;
    this.sent.delete(id);
    this.store.save();
    this.view.outgoing(o);
    if (this.ready) this.flush();
    else this.link.retryNow();
  }

  /** Takes back something that could not be sent, so that the citizen may change it. */
  withdraw(id: string): void {
    this.store.save({ outbox: this.outbox.filter((o) => o.id !== id) });
  }

  /** Ends this dialogue, on the server too, and begins another. */
  restart(): void {
    // Nobody else should wait behind an empty place.
    if (this.people.with !== 'bot') this.link.send({ type: 'leave', client_id: clientId() });
    this.link.send({ type: 'bye' });
    this.env.cancel(this.hold);
    this.store.save({ outbox: [] });
    this.store.forget();
    this.stand(alone());
    this.busy(false);
    this.link.again();
  }

  private get outbox(): Outgoing[] {
    return this.store.data.outbox;
  }

  private put(o: Pick<Outgoing, 'kind' | 'text'>, frame: (id: string) => ClientFrame): string {
    const id = clientId();
    const out: Outgoing = { ...o, id, frame: frame(id) };
    this.store.save({ outbox: [...this.outbox, out] });
    this.view.outgoing(out);
    if (this.ready) this.flush();
    else this.link.retryNow();
    return id;
  }

  /** A second press adds nothing. */
  private once(kind: Outgoing['kind'], frame: (id: string) => ClientFrame): void {
    if (!this.outbox.some((o) => o.kind === kind && !o.failed)) this.put({ kind, text: '' }, frame);
  }

  private stand(s: Standing): void {
    const same = s === this.people || (s.with === 'bot' && this.people.with === 'bot');
    if (same) return;
    this.people = s;
    this.view.standing(s);
  }

  private hello(): void {
    const { dialogue, token, seq, stream } = this.store.data;
    this.sent.clear();
    this.link.send({ type: 'hello', v: 1, ...this.page, lang: this.lang(), resume: dialogue && token ? { dialogue, token, seq, stream: stream || undefined } : undefined });
  }

  /** Each waiting item once per connection, in the order the citizen sent them. */
  private flush(): void {
    if (this.hold !== undefined) return;
    for (const o of this.outbox) {
      if (o.failed || this.sent.has(o.id)) continue;
      if (!this.link.send(o.frame)) return;
      this.sent.add(o.id);
    }
  }

  private receive(f: ServerFrame): void {
    switch (f.type) {
      case 'welcome':
        return this.welcome(f);
      case 'typing':
        return this.busy(true);
      case 'wait':
        return this.view.wait(f);
      case 'agent_typing':
        return this.people.with === 'person' ? this.view.agentTyping(this.people.name) : undefined;
      case 'reveal':
        return this.view.unveil(f);
      case 'error':
        return this.error(f);
      case 'ping':
      case 'pong':
        return;
      default:
        return this.event(f);
    }
  }

  private welcome(w: Welcome): void {
    const had = this.store.data.dialogue;
    // A first page of a resumed dialogue has shown nothing, so it too needs the disclosure; so does one that forgets.
    const fresh = !w.resumed || w.replay || this.store.data.seq === 0;
    if (had && !w.resumed) this.lostDialogue();
    if (w.resumed && w.replay && this.store.data.seq > 0) this.view.forget();
    if (!w.resumed || w.replay) {
      this.store.data.seq = 0;
      this.stand(alone());
    }
    this.store.save({ dialogue: w.dialogue, token: w.token, stream: w.stream });
    this.ready = true;
    this.replayTo = w.resumed ? w.seq : 0;
    this.view.welcome(w, fresh);
    if (this.store.data.seq < this.replayTo) this.view.replay(true);
    this.flush();
  }

  private event(ev: Event): void {
    const seen = this.store.data.seq;
    if (seen > 0 && ev.seq > seen + 1 && this.gapAt !== ev.seq) {
      // Something is missing in between: ask for it. Once only; if it stays missing, it does not exist.
      this.gapAt = ev.seq;
      this.link.again();
      return;
    }
    const mine = 'client_id' in ev ? this.acknowledge(ev) : undefined;
    if (ev.seq <= seen) {
      // Seen before. Only an acknowledgement of something still waiting may say it again.
      if (mine) this.show(ev, mine);
      return;
    }
    this.store.save({ seq: ev.seq });
    this.stand(after(this.people, ev));
    // An answer may come a sentence at a time: until its end the bot is at work. A person shows it when writing.
    if (/^(citizen|answer_start|answer_part)$/.test(ev.type)) {
      if (this.replayTo < ev.seq && this.people.with !== 'person') this.busy(true);
    } else if (!/^(answer_end|rated|notice)$/.test(ev.type)) this.busy(false);
    // Said before the answer, so that the citizen reads it first.
    if (ev.type === 'answer_start' && isLang(ev.lang) && ev.seq > this.replayTo && ev.lang !== this.lang()) {
      this.view.speaks(ev.lang);
    }
    this.show(ev, mine);
    if (ev.type === 'answer_end') this.busy(false);
    if (this.replayTo && ev.seq >= this.replayTo) {
      this.replayTo = 0;
      this.view.replay(false);
    }
  }

  private show(ev: Event, mine: Outgoing | undefined): void {
    if (ev.type === 'citizen') this.view.citizen(ev, mine);
    else this.view.event(ev);
  }

  private acknowledge(ev: Event & { client_id: string }): Outgoing | undefined {
    const mine = this.outbox.find((o) => o.id === ev.client_id);
    if (mine) this.store.save({ outbox: this.outbox.filter((o) => o !== mine) });
    return mine;
  }

  private error(e: ErrorFrame): void {
    switch (e.code) {
      case 'rate_limited':
      case 'overloaded': {
        const ms = e.retry_after_ms > 0 ? e.retry_after_ms : HOLD_DEFAULT_MS;
        this.env.cancel(this.hold);
        this.hold = this.env.after(ms, () => {
          this.hold = undefined;
          this.sent.clear();
          if (this.ready) this.flush();
          else this.link.retryNow();
        });
        this.busy(false);
        this.view.held(e.code, ms);
        // Refused before it was welcomed: nothing else will bring this connection to life.
        if (!this.ready) this.link.again(ms);
        return;
      }
      case 'unknown_municipality':
      case 'unsupported_version':
      case 'closed':
        if (this.ready) return this.refused(e);
        // Not even begun: what was written is kept until the chat opens again, here or on a page that is right.
        this.link.stop();
        this.busy(false);
        this.view.closed(e.text);
        if (e.code === 'closed') this.env.after(e.retry_after_ms || CLOSED_DEFAULT_MS, () => this.link.start());
        return;
      case 'unknown_dialogue':
        this.lostDialogue();
        return this.hello();
      case 'hello_expected':
        return;
      default:
        this.refused(e);
    }
  }

  private refused(e: ErrorFrame): void {
    const mine = this.outbox.find((o) => o.id === e.client_id);
    if (mine) {
      mine.failed = true;
      this.store.save();
    }
    this.busy(false);
    this.view.failed(mine, e);
  }

  /** Messages wait for the new dialogue; ratings were about answers that no longer exist. */
  private lostDialogue(): void {
    this.store.forget();
    this.stand(alone());
    this.store.save({ outbox: this.outbox.filter((o) => o.kind === 'message' || o.kind === 'human' || o.kind === 'callback') });
    this.view.gone();
  }

  private busy(on: boolean): void {
    this.env.cancel(this.working);
    if (on) this.working = this.env.after(WORKING_LIMIT_MS, () => this.view.working(false));
    this.view.working(on);
  }
}
