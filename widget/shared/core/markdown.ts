// Markdown of the bot, of articles and of colleagues, as nodes: `marked` reads it, DOMPurify lets through a short list of
// elements and attributes. No string of HTML is ever set on the page.

import DOMPurify, { type WindowLike } from 'dompurify';
import { Marked } from 'marked';

const TAGS = ['p', 'br', 'strong', 'b', 'em', 'i', 'ul', 'ol', 'li', 'a', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'code', 'pre'];

// Headings of an article stand below those of the desk.
const marked = new Marked({ gfm: true, breaks: true, async: false }, {
  walkTokens: (t) => {
    if (t.type === 'heading') t.depth = Math.min(6, t.depth + 2);
    // What looks like HTML is what somebody wrote: show it as it stands.
    if (t.type === 'html') Object.assign(t, { type: 'text', tokens: undefined, escaped: false, text: t.raw as string });
  },
});

export type Render = (markdown: string) => DocumentFragment;

/** For one window; the tests bring their own. */
export function renderer(window: WindowLike): Render {
  const purify = DOMPurify(window);
  purify.addHook('afterSanitizeAttributes', (node) => {
    if (node.tagName !== 'A') return;
    if (!node.hasAttribute('href')) return;
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer');
  });
  return (markdown) => purify.sanitize(marked.parse(markdown) as string, {
    ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ['href', 'start'], ADD_URI_SAFE_ATTR: ['start'], ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https:\/\/|tel:|mailto:)/i, RETURN_DOM_FRAGMENT: true,
  });
}
