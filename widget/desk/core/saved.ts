// What survives a reload of this tab: unsent words, and what was sent without an answer. sessionStorage, by user, so
// that the next person at the machine never sees it. Choices that are no secret (sound, columns) live in localStorage.

import { forget, read, write, type Storage } from '../../shared/core/storage';
import type { Outgoing } from './state';

export interface Unsent { drafts: Record<string, string>; outgoing: Outgoing[] }

export class Saved {
  constructor(private user: string, private storage: () => Storage = () => sessionStorage) {}

  private get key(): string {
    return `borgerlinje.desk.${this.user}`;
  }

  load(): Unsent {
    const raw = Object(read(this.storage, this.key)) as Partial<Unsent>;
    const drafts = Object.entries(Object(raw.drafts) as object).filter((d): d is [string, string] => typeof d[1] === 'string');
    return { drafts: Object.fromEntries(drafts), outgoing: Array.isArray(raw.outgoing) ? raw.outgoing : [] };
  }

  save(unsent: Unsent): void {
    write(this.storage, this.key, unsent);
  }

  forget(): void {
    forget(this.storage, this.key);
  }
}

export interface Prefs { sound: boolean; /** 0 to 1 */ volume: number; notify: boolean; panes: 1 | 2 | 3; theme: 'auto' | 'light' | 'dark' }
const PREFS: Prefs = { sound: true, volume: 0.5, notify: false, panes: 2, theme: 'auto' };

export function loadPrefs(storage: () => Storage = () => localStorage): Prefs {
  const raw = Object(read(storage, 'borgerlinje.desk.prefs')) as Partial<Prefs>;
  const ofKind = Object.entries(PREFS).map(([k, v]) => [k, typeof raw[k as keyof Prefs] === typeof v ? raw[k as keyof Prefs] : v]);
  return Object.fromEntries(ofKind) as Prefs;
}

export const savePrefs = (prefs: Prefs, storage: () => Storage = () => localStorage): void =>
  write(storage, 'borgerlinje.desk.prefs', prefs);
