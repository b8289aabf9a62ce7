// What survives a reload of this tab: text not yet stored, and the draft one works in. sessionStorage, by user.

import { forget, read, write, type Storage } from '../../shared/core/storage';
import type { Article } from './api';

/** `version` is the draft's that the text was written on; `draft` is empty before there is one. */
export interface Unsaved { draft: string; version: number; article: Article }
interface Kept { working: string; town: string; unsaved: Record<string, Unsaved> }

const isArticle = (a: unknown): a is Article => {
  const x = Object(a) as Partial<Article>;
  return typeof x.id === 'string' && typeof x.title === 'string' && typeof x.body === 'string' && Array.isArray(x.links) && Array.isArray(x.keywords)
    && typeof x.examples === 'object' && x.examples !== null && Object.values(x.examples).every(Array.isArray);
};

export class Saved {
  private kept: Kept;
  constructor(private user: string, private storage: () => Storage = () => sessionStorage) {
    const raw = Object(read(storage, this.key)) as Partial<Kept>;
    const unsaved = Object.entries(Object(raw.unsaved) as Record<string, Unsaved>).filter(([, u]) => isArticle(u?.article));
    this.kept = { working: String(raw.working ?? ''), town: String(raw.town ?? ''), unsaved: Object.fromEntries(unsaved) };
  }

  private get key(): string {
    return `borgerlinje.studio.${this.user}`;
  }

  get working(): string {
    return this.kept.working;
  }

  get town(): string {
    return this.kept.town;
  }

  choose(c: { working?: string; town?: string }): void {
    this.put({ ...this.kept, ...c });
  }

  unsaved(layer: string, id: string): Unsaved | undefined {
    return this.kept.unsaved[`${layer}/${id}`];
  }

  /** Keeps it, or forgets it where there is nothing left to keep. */
  keep(layer: string, id: string, u: Unsaved | undefined): void {
    const unsaved = { ...this.kept.unsaved };
    delete unsaved[`${layer}/${id}`];
    if (u) unsaved[`${layer}/${id}`] = u;
    this.put({ ...this.kept, unsaved });
  }

  forget(): void {
    this.kept = { working: '', town: '', unsaved: {} };
    forget(this.storage, this.key);
  }

  private put(kept: Kept): void {
    this.kept = kept;
    write(this.storage, this.key, kept);
  }
}
