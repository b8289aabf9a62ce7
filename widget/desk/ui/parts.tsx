// The small parts of the desk: times that run, what a chat is marked with, and buttons that have a key.

import { clock } from '../app';
import { left, short, spoken } from '../../shared/core/time';
import { Press as Plain, SrOnly, type PressProps } from '../../shared/ui/parts';
import * as words from '../core/words';
import { hint, keyName, type KeyId } from './keys';

export { Empty, Icon, Markdown, memo, Modal, SrOnly, useRoving } from '../../shared/ui/parts';

/** "4 min." to see, "4 minutter" to hear. */
export function Since({ at, hot = Infinity }: { at: number; hot?: number }) {
  const ms = clock.value - at;
  return <span class={ms >= hot ? 'since hot' : 'since'}><span aria-hidden="true">{short(ms)}</span><SrOnly>{spoken(ms)}</SrOnly></span>;
}

export const Left = ({ until }: { until: number }) =>
  <span class="left"><span aria-hidden="true">{left(until, clock.value)}</span><SrOnly>{spoken(until - clock.value)} tilbage</SrOnly></span>;

/** How much of a time is left, as a bar; its number stands beside it. */
export const Bar = ({ until, whole }: { until: number; whole: number }) =>
  <progress class="bar" aria-hidden="true" max={whole} value={Math.max(0, Math.min(whole, until - clock.value))} />;

export const Language = ({ code }: { code: string }) => (code === 'da' || !code ? null : <span class="badge badge-info">{words.language(code)}</span>);
export const Urgency = ({ of }: { of: string }) =>
  (of === 'normal' || !of ? null : <span class={`badge ${of === 'urgent' ? 'badge-error' : 'badge-warning'}`}>{words.urgency(of)}</span>);

interface KeyedProps extends PressProps {
  for?: KeyId;
  /** Shows the key on the button, not only in its tooltip. */
  shows?: boolean;
}
export const Press = ({ for: key, shows, ...rest }: KeyedProps) =>
  <Plain data-key={key && shows ? keyName(key) : undefined} {...(key ? hint(key) : {})} {...rest} />;
