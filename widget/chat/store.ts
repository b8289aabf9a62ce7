// What survives a change of page on the municipality's site: sessionStorage only, gone with the tab, and written
// only after the citizen has opened the chat. The conversation's texts are not kept: the server replays them.

import type { ClientFrame, Lang } from './wire';

/** Something the citizen sent that the server has not yet said is on disk. */
export interface Outgoing {
  id: string;
  kind: 'message' | 'choose' | 'human' | 'queue' | 'leave' | 'callback' | 'cancel' | 'rate';
  frame: ClientFrame;
  /** What the transcript shows for it; empty for those that have no bubble. */
  text: string;
  failed?: boolean;
}

export interface Saved {
  dialogue?: string;
  token?: string;
  seq: number;
  /** Whose numbers `seq` counts. */
  stream?: string;
  lang?: Lang;
  open: boolean;
  draft: string;
  outbox: Outgoing[];
}

const empty = (): Saved => ({ seq: 0, open: false, draft: '', outbox: [] });

type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

export class Store {
  /** Always complete in memory; the copy in storage is a bonus that private browsing may refuse. */
  data: Saved = empty();

  constructor(private key: string, private storage: () => Storage) {}

  /** True when an earlier page of this tab left a conversation behind. */
  load(): boolean {
    try {
      const raw = JSON.parse(this.storage().getItem(this.key) ?? '') as Partial<Saved>;
      this.data = { ...empty(), ...raw, outbox: Array.isArray(raw.outbox) ? raw.outbox : [] };
      return true;
    } catch {
      return false;
    }
  }

  save(change: Partial<Saved> = {}): void {
    Object.assign(this.data, change);
    try {
      this.storage().setItem(this.key, JSON.stringify(this.data));
    } catch {
      // Refused or full: the conversation goes on, it only does not survive a change of page.
    }
  }

  /** Forgets the dialogue but keeps what the citizen chose: language, and that the panel is open. */
  forget(): void {
    this.save({ dialogue: '', token: '', stream: '', seq: 0 });
  }
}
