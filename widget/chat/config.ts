import { isLang, type Lang } from './wire';

export interface Config {
  code: string;
  lang: Lang;
  open: boolean;
  accent: string | undefined;
  /** By the operator, for this page; the service reads it. */
  signed: string | undefined;
  /** ws(s)://HOST/ws/chat */
  socket: string;
  theme: string;
}

type Tag = { src: string; dataset: DOMStringMap };

/** From the script's own tag; undefined when it does not say which municipality it speaks for. */
export function configOf(tag: Tag, pageLang = ''): Config | undefined {
  const code = (tag.dataset.municipality ?? '').trim();
  if (!/^\d{4}$/.test(code)) return undefined;
  let base: URL;
  try {
    // The script lies at {base}/widget/borgerlinje.js; a proxy may have put the service below a path.
    base = new URL('..', tag.src);
  } catch {
    return undefined;
  }
  const socket = new URL('ws/chat', base);
  socket.protocol = base.protocol === 'http:' ? 'ws:' : 'wss:';
  const wanted = [tag.dataset.lang, pageLang.slice(0, 2)].find(isLang);
  const open = tag.dataset.open;
  return {
    code, lang: wanted ?? 'da', open: open !== undefined && open !== 'false', accent: tag.dataset.accent,
    signed: tag.dataset.signed,
    socket: socket.href, theme: new URL(`api/municipalities/${code}/theme`, base).href,
  };
}
