// The small Markdown of the protocol (paragraphs, ## headings, - and 1. lists, **bold**, [links](url)), first to
// a tree, then to DOM nodes. Everything else is shown as the text it is. HTML is never parsed: there is no innerHTML.

export type Inline = { t: 'text'; text: string } | { t: 'bold'; kids: Inline[] } | { t: 'link'; href: string; kids: Inline[] };
export type Block = { t: 'p' | 'h'; lines: Inline[][] } | { t: 'ul' | 'ol'; start: number; items: Inline[][][] };

/** The only addresses a citizen may be sent to; undefined for every other scheme, relative ones included. */
export function safeUrl(url: string | undefined): string | undefined {
  // Control characters and spaces could hide a scheme from this check that the browser would still see.
  const u = (url ?? '').trim();
  if (/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\\]/.test(u)) return undefined;
  return /^(https:\/\/[^/?#@]+([/?#]|$)|tel:\+?[\d-]+$|mailto:[^@]+@[^@]+$)/i.test(u) ? u : undefined;
}

const LINK = /^\[((?:\\.|[^\[\]\\])+)\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)/;

export function inline(src: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  let text = '';
  const flush = (): void => {
    if (text) out.push({ t: 'text', text });
    text = '';
  };
  for (let i = 0; i < src.length; ) {
    const rest = src.slice(i);
    const link = src[i] === '[' && depth < 2 ? LINK.exec(rest) : null;
    const bold = rest.startsWith('**') && depth < 1 ? /^\*\*(?=\S)([^]*?\S)\*\*(?!\*)/.exec(rest) : null;
    if (src[i] === '\\' && /^\\[\\`*_{}[\]()#+.!|-]/.test(rest)) {
      text += src[i + 1];
      i += 2;
    } else if (link) {
      const href = safeUrl(link[2]);
      const kids = inline(link[1] as string, 2);
      if (href) {
        flush();
        out.push({ t: 'link', href, kids });
      } else {
        // A link that may not be followed still has words worth reading.
        flush();
        out.push(...kids);
      }
      i += link[0].length;
    } else if (bold) {
      flush();
      out.push({ t: 'bold', kids: inline(bold[1] as string, 1) });
      i += bold[0].length;
    } else {
      text += src[i];
      i += 1;
    }
  }
  flush();
  return out;
}

const ITEM = /^ {0,5}(?:([-*])|(\d{1,3})[.)])[ \t]+(.*)$/;

export function blocks(src: string): Block[] {
  const out: Block[] = [];
  let open: Block | undefined;
  let blank = false;
  for (const line of src.replace(/\r\n?/g, '\n').split('\n')) {
    if (!line.trim()) {
      // A blank line ends a paragraph but not a list: "- a\n\n- b" is one list to its writer.
      if (open && open.t !== 'ul' && open.t !== 'ol') open = undefined;
      blank = true;
      continue;
    }
    const head = /^#{1,6}[ \t]+(.*?)[ \t#]*$/.exec(line);
    const item = ITEM.exec(line);
    if (head) {
      out.push({ t: 'h', lines: [inline(head[1] as string)] });
      open = undefined;
    } else if (item) {
      const t = item[1] ? 'ul' : 'ol';
      if (!open || open.t !== t) out.push((open = { t, start: Number(item[2] ?? 1), items: [] }));
      (open as { items: Inline[][][] }).items.push([inline(item[3] as string)]);
    } else if (open && (open.t === 'ul' || open.t === 'ol') && /^\s{2,}/.test(line)) {
      open.items[open.items.length - 1]?.push(inline(line.trim()));
    } else if (open?.t === 'p' && !blank) {
      open.lines.push(inline(line.trim()));
    } else {
      out.push((open = { t: 'p', lines: [inline(line.trim())] }));
    }
    blank = false;
  }
  return out;
}

/** Every number of a text without links as one to press: in distress nobody should have to dial. */
export const callable = (src: string): string =>
  src.includes('](') ? src : src.replace(/\b\d(?: ?\d){2,7}\b/g, (n) => `[${n}](tel:${n.replace(/ /g, '')})`);

/** Makes one link; the caller adds the words that say it opens elsewhere, in the citizen's language. */
export type LinkMaker = (href: string, kids: Node[]) => Node;

function inlineNodes(items: Inline[], link: LinkMaker): Node[] {
  return items.map((it) => {
    if (it.t === 'text') return document.createTextNode(it.text);
    if (it.t === 'link') return link(it.href, inlineNodes(it.kids, link));
    const b = document.createElement('strong');
    b.append(...inlineNodes(it.kids, link));
    return b;
  });
}

function lineNodes(lines: Inline[][], link: LinkMaker): Node[] {
  return lines.flatMap((l, i) => (i ? [document.createTextNode(' '), ...inlineNodes(l, link)] : inlineNodes(l, link)));
}

function blockNode(b: Block, link: LinkMaker): HTMLElement {
  if ('lines' in b) {
    const el = document.createElement(b.t === 'p' ? 'p' : 'h3');
    el.append(...lineNodes(b.lines, link));
    return el;
  }
  const el = document.createElement(b.t);
  if (b.t === 'ol' && b.start !== 1) el.setAttribute('start', String(b.start));
  for (const item of b.items) {
    const li = document.createElement('li');
    li.append(...lineNodes(item, link));
    el.append(li);
  }
  return el;
}

/**
 * Brings `into` from the text it showed to `src`, touching only blocks that changed: a live region must not read
 * the whole answer again for each part of it. Returns the tree to hand in as `shown` next time.
 */
export function render(into: HTMLElement, src: string, link: LinkMaker, shown: Block[] = []): Block[] {
  const next = blocks(src);
  next.forEach((b, i) => {
    const old = into.children[i];
    if (old && JSON.stringify(shown[i]) === JSON.stringify(b)) return;
    if (old) old.replaceWith(blockNode(b, link));
    else into.append(blockNode(b, link));
  });
  while (into.children.length > next.length) into.lastElementChild?.remove();
  return next;
}

/** As plain text, for the transcript: links keep their address. */
export function plain(src: string): string {
  const words = (items: Inline[]): string =>
    items.map((i) => (i.t === 'text' ? i.text : i.t === 'bold' ? words(i.kids) : link(words(i.kids), i.href))).join('');
  const link = (label: string, href: string): string => (label === href ? href : `${label} (${href})`);
  const line = (l: Inline[][]): string => l.map(words).join(' ');
  return blocks(src)
    .map((b) => ('lines' in b ? line(b.lines)
      : b.items.map((it, n) => (b.t === 'ul' ? '- ' : `${b.start + n}. `) + line(it)).join('\n')))
    .join('\n\n');
}
