// Every key of the desk on one page. All have a modifier or are function keys, so that none is ever a letter that
// somebody meant to type (WCAG 2.1.4); `?` works only where nothing is being written.

export const KEYS = {
  accept: ['F2', 'Tag imod den nye henvendelse'],
  decline: ['Shift+F2', 'Afvis den nye henvendelse'],
  next: ['Alt+ArrowDown', 'Næste samtale'],
  previous: ['Alt+ArrowUp', 'Forrige samtale'],
  waiting: ['Alt+J', 'Den samtale, der har ventet længst på svar'],
  article1: ['Alt+1', 'Indsæt første forslag'],
  article2: ['Alt+2', 'Indsæt andet forslag'],
  article3: ['Alt+3', 'Indsæt tredje forslag'],
  canned: ['Alt+K', 'Standardsvar (eller skriv / i et tomt felt)'],
  search: ['Alt+S', 'Søg i viden'],
  note: ['Alt+N', 'Skift mellem svar og intern note'],
  transfer: ['Alt+V', 'Viderestil'],
  close: ['Alt+A', 'Afslut samtalen'],
  done: ['Alt+G', 'Efterbehandling færdig'],
  pause: ['Alt+P', 'Pause eller klar'],
  chats: ['Alt+M', 'Mine samtaler'],
  queue: ['Alt+Q', 'Kø'],
  callbacks: ['Alt+O', 'Opkald'],
  supervisor: ['Alt+T', 'Tilsyn'],
  write: ['Alt+W', 'Til skrivefeltet'],
  settings: ['Alt+I', 'Lyd og visning'],
  help: ['F1', 'Denne oversigt (eller ?)'],
} as const satisfies Record<string, [string, string]>;
export type KeyId = keyof typeof KEYS;

const shown: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑', Shift: 'Skift' };
export const keyName = (id: KeyId): string => KEYS[id][0].split('+').map((k) => shown[k] ?? k).join(' + ');

/** `title` and `aria-keyshortcuts` of what a key does. */
export const hint = (id: KeyId, words: string = KEYS[id][1]): { title: string; 'aria-keyshortcuts': string } =>
  ({ title: `${words} (${keyName(id)})`, 'aria-keyshortcuts': KEYS[id][0] });

export const writing = (at: EventTarget | null): boolean =>
  at instanceof HTMLElement && (at.isContentEditable || /^(TEXTAREA|SELECT)$/.test(at.tagName)
    || (at instanceof HTMLInputElement && !/^(checkbox|radio|button|range)$/.test(at.type)));

export function pressed(e: KeyboardEvent): KeyId | undefined {
  // AltGr is Ctrl+Alt to Windows, and how Danes write @ and {: never ours.
  if (e.isComposing || e.ctrlKey || e.metaKey || e.getModifierState('AltGraph')) return undefined;
  if (e.key === '?' && !e.altKey && !writing(e.target)) return 'help';
  // By position for letters and digits: with Alt held, some keyboards give other characters.
  const name = /^(Key|Digit)(.)$/.exec(e.code)?.[2] ?? e.key;
  const chord = [e.altKey && 'Alt', e.shiftKey && 'Shift', name].filter(Boolean).join('+');
  return (Object.keys(KEYS) as KeyId[]).find((id) => KEYS[id][0] === chord);
}
