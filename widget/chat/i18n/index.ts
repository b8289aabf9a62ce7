import type { Lang } from '../wire';
import { ar } from './ar';
import { da } from './da';
import { de } from './de';
import { en } from './en';
import { pl } from './pl';
import { tr } from './tr';
import { uk } from './uk';

export type Texts = typeof da;
export type Key = keyof Texts;
export type Args = Record<string, string | number>;

export const texts: Record<Lang, Texts> = { da, en, de, uk, ar, pl, tr };

/** Each language by its own name: a citizen who cannot read Danish must still find theirs. */
export const names: Record<Lang, string> = {
  da: 'Dansk', en: 'English', de: 'Deutsch', uk: 'Українська', ar: 'العربية', pl: 'Polski', tr: 'Türkçe',
};

export const dirOf = (lang: string): 'rtl' | 'ltr' => (/^(ar|fa|he|ur|ckb|ps)\b/.test(lang) ? 'rtl' : 'ltr');

export const say = (lang: Lang, key: Key, args: Args = {}): string =>
  texts[lang][key].replace(/\{(\w+)\}/g, (m, k: string) => String(args[k] ?? m));
