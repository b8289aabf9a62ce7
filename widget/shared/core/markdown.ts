// Markdown of the bot, of articles and of colleagues, as nodes: `marked` reads it, DOMPurify lets through a short list of
// elements and attributes. No string of HTML is ever set on the page.

import DOMPurify, { type WindowLike } from 'dompurify';
import { Marked } from 'marked';

const TAGS = ['p', 'br', 'strong', 'b', 'em', 'i', 'ul', 'ol', 'li', 'a', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'code', 'pre'];

/** Headings of an article, whose highest is ##, stand right below the page's own. */
const under = (level: number) => new Marked({ gfm: true, breaks: true, async: false }, {
  walkTokens: (t) => {
    if (t.type === 'heading') t.depth = Math.min(6, Math.max(2, t.depth) + level - 1);
    // What looks like HTML is what somebody wrote: show it as it stands.
    if (t.type === 'html') Object.assign(t, { type: 'text', tokens: undefined, escaped: false, text: t.raw as string });
  },
});
const marked = { 2: under(2), 3: under(3) };

/** The level of the heading that the text stands under. */
export type Under = keyof typeof marked;
export type Render = (markdown: string, under: Under) => DocumentFragment;

/** For one window; the tests bring their own. */
export function renderer(window: WindowLike): Render {
  const purify = DOMPurify(window);
  purify.addHook('afterSanitizeAttributes', (node) => {
    if (node.tagName !== 'A') return;
    if (!node.hasAttribute('href')) return;
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer');
  });
  return (markdown, under) => purify.sanitize(marked[under].parse(markdown) as string, {
    ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ['href', 'start'], ADD_URI_SAFE_ATTR: ['start'], ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https:\/\/|tel:|mailto:)/i, RETURN_DOM_FRAGMENT: true,
  });
}
