// What the service says and is told under /api/studio, after docs/studio-api.md.

/** `shared`, a region's code or a municipality's. Later ones replace earlier ones by the article's id. */
export type Layer = string;
export interface Who { user: string; name: string }
/** `line` 0 is the whole file; `text` is for people. */
export interface Fault { severity: 'error' | 'expired' | 'warning'; file: string; line: number; field: string; text: string }

export interface Me { user: string; name: string; roles: string[]; everywhere: boolean; municipalities: string[]; regions: string[] }

export interface Status {
  release: string; number: number; articles: number; examples: number; drafts_open: number;
  folder: { changed: string[]; faults: Fault[] }; publishing?: string | null; faults: Fault[];
  nodes: Node[];
}
export type NodeState = 'starting' | 'same' | 'folder' | 'behind' | 'stuck' | 'away' | 'gone';
/** A server of several, and which release its citizens get. */
export interface Node { node: string; me: boolean; number: number; release: string; state: NodeState; why?: string | null; age_ms: number }

export interface Municipality { code: string; name: string; region: string; own: number; hidden: number; writable: boolean }
export interface Area { id: string; title: string; articles: number; approval: boolean }
export type Seen = 'shared' | 'region' | 'own' | 'hidden' | 'none';
export interface ArticleRow {
  id: string; title: string; area: string; owner: string; audience: string; crisis: boolean; layers: Layer[]; hidden_in: string[];
  examples: number; review_by: string; overdue: boolean; valid_from?: string; valid_to?: string; seen?: Seen; drafts: string[];
}
export interface Knowledge { release: string; municipalities: Municipality[]; areas: Area[]; owners: string[]; articles: ArticleRow[] }

export interface Article {
  id: string; area: string; title: string; audience: 'citizen' | 'employee'; source: string; owner: string; review_by: string;
  valid_from?: string | null; valid_to?: string | null; kle?: string | null; keywords: string[]; crisis: boolean;
  links: { title: string; url: string }[]; examples: Record<string, string[]>; body: string;
}
export interface Version {
  layer: Layer; file: string; article?: Article | null; text: string; state: 'live' | 'added' | 'changed' | 'removed';
  live_text?: string | null; writable: boolean; faults: Fault[];
}
export interface Whole {
  id: string; versions: Version[]; seen?: { municipality: string; layer?: Layer | null; hidden: boolean }; hidden_in: string[];
  releases: { number: number; at_ms: number; by: Who; title: string }[];
}
export interface Preview {
  title: string; body: string; links: { title: string; url: string }[]; source: string; words: number; words_min: number; words_max: number;
  text: string; body_line: number; faults: Fault[];
}
export interface Slot { slot: string; label: string; value: string; kind: 'rate' | 'municipality' | 'link' | 'crisis' }

export interface Rate { id: string; name: string; value: string; unit: string; year: number; source: string; sample: boolean; used_by?: string[] }
export interface Rates { rates: Rate[]; writable: boolean }
export interface Facts {
  sample: boolean; contact: Record<string, string>; hours: Record<string, string>; closed: string[]; accent: string;
  links: Record<string, string>; hidden: string[];
}
export interface Town { code: string; name: string; region: string; writable: boolean; facts: Facts }

export type DraftState = 'open' | 'waiting' | 'approved' | 'scheduled' | 'published' | 'dropped';
export type ChangeKind = 'added' | 'changed' | 'removed';
export interface DraftFile { file: string; change: ChangeKind; layer?: Layer | null; article?: string | null; title: string }
export interface Comment { id: number; by: Who; at_ms: number; text: string; file?: string | null }
export interface Draft {
  id: string; title: string; why: string; state: DraftState; author: Who; writers: Who[]; created_ms: number; changed_ms: number;
  version: number; base: string; source?: string | null; schedule?: { at_ms: number; by: Who; problem?: string | null } | null;
  approval: { needed: boolean; why: string[]; by?: Who | null; at_ms?: number | null }; release?: number | null;
  files: DraftFile[]; faults: Fault[]; conflicts: string[]; comments: Comment[];
  replay?: { version: number; job: string; worse: string[] } | null; may: { edit: boolean; approve: boolean; publish: boolean };
}
export type Change =
  | { kind: 'article'; layer: Layer; article: Article; was?: string }
  | { kind: 'remove_article'; layer: Layer; id: string }
  | { kind: 'hide'; municipality: string; id: string; hidden: boolean }
  | { kind: 'rate'; rate: Rate }
  | { kind: 'remove_rate'; id: string }
  | { kind: 'facts'; municipality: string; facts: Facts }
  | { kind: 'file'; file: string; text: string | null }
  | { kind: 'revert'; file: string };
export interface Conflict { file: string; base?: string | null; yours?: string | null; theirs?: string | null; theirs_hash: string; merged: string }

export interface Hunk { old_line: number; new_line: number; lines: { op: ' ' | '+' | '-'; parts: { text: string; changed: boolean }[] }[] }
export interface FileDiff extends DraftFile { added: number; removed: number; hunks: Hunk[] }

export interface Release {
  number: number; hash: string; at_ms: number; by: Who; title: string; why: string; kind: 'draft' | 'undo' | 'folder' | 'start';
  draft?: string | null; undoes?: number | null; undone_by?: number | null; approved_by?: Who | null; override?: string | null;
  files: DraftFile[]; live: boolean; diff?: FileDiff[];
}

export interface Job<R = unknown> {
  id: string; kind: string; by: Who; state: 'running' | 'done' | 'failed' | 'stopped'; step: string; done: number; total: number;
  error?: { code: string; text: string; faults?: Fault[]; conflicts?: Conflict[]; sets?: string[] } | null; result?: R | null;
}
export interface Published { release: Release }
export type Format = 'csv' | 'json' | 'rasa' | 'docx' | 'pdf';
export interface Alike { row: number; title: string; of: string; draft?: string | null; likeness: number }
export interface Imported {
  read: number; drafts: { id: string; title: string; articles: number }[]; skipped: { row: number; why: string; address?: string | null }[];
  duplicates: Alike[]; alike: Alike[]; unchanged: number;
  changed: { address: string; article: string; title: string; added: number; removed: number; clash: boolean; draft: string }[];
}
export interface Got { outcome: string; article?: string | null; title?: string | null; confidence: number }
export interface Share { percent: number; low: number; high: number }
export interface Figures { right: Share; wrong: Share; answered: Share }
export type Turn = 'flipped' | 'lost' | 'answered' | 'contested';
export interface Turned {
  kind: Turn; text: string; from: 'set' | 'example' | 'question'; set?: string | null; municipality: string; lang: string;
  before: Got; after: Got; expected?: string[] | null; better?: boolean | null;
}
export interface Replay {
  draft: string; version: number; release: string; asked: { sets: number; examples: number; questions: number }; changes: Turned[]; unchanged: number;
  areas: { area: string; title: string; n: number; before: Figures; after: Figures }[];
  sets: { set: string; guarded: boolean; n: number; before: Figures; after: Figures; worse: boolean }[];
}
export interface Group {
  id: string; size: number; municipalities: string[]; why: { unanswered: number; unsure: number; rated: number; person: number };
  examples: string[]; nearest?: { id: string; title: string } | null; draft: { title: string; area: string; article: Article };
}
export interface Reply { id: string; question: string; text: string; municipality: string; by: string; at_ms: number }
export interface Named { id: string; title: string; area: string }
export interface Strayed { text: string; lang: string; layer: Layer; file: string; confidence?: number | null; shown: boolean; nearest?: string | null }
export interface Confusion { of: Named; with: Named; shown: number; sentences: Strayed[] }
export interface Twin { id: string; title: string; layer: Layer; file: string; lang: string; text: string }
export interface Twins { one: Twin; other: Twin; likeness: number }
export type LinkKind = 'gone' | 'unreachable' | 'bad' | 'failing' | 'moved' | 'refused' | 'private';
export interface LinkFault {
  url: string; kind: LinkKind; status?: number | null; to?: string | null; text: string; at_ms: number; used_by: { id?: string | null; layer: Layer; title: string }[];
}
export interface Links { at_ms?: number | null; checked: number; faults: LinkFault[] }
export interface Next {
  since_ms: number; looked_at: number; groups: Group[]; confusions: Confusion[]; twins: Twins[]; links: Links; overdue: { id: string; layer: Layer; title: string; owner: string; review_by: string }[];
  unreached: { id: string; title: string; area: string }[]; replies: Reply[];
}
/** Counts of example sentences, in the order of the thresholds. */
export interface Curve { n: number; answered: number[]; wrong: number[] }
export interface AreaCurve extends Curve { area: string; title: string; strays: number[] }
export interface Thresholds {
  release: string; answer: number; clarify: number; budget: { wrong: number; unanswerable: number }; thresholds: number[]; all: Curve; areas: AreaCurve[];
  outside: { n: number; answered: number[] };
}
