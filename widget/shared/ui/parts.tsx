// The small parts that the pages of staff are made of.

import { Component, type ComponentChildren, type ComponentType, type JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { renderer, type Under } from '../core/markdown';
import { icons, type IconName } from './icons';

/** Draws again only when a property is another value. */
export function memo<P extends object>(inner: ComponentType<P>): ComponentType<P> {
  const Inner = inner;
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.length !== Object.keys(this.props).length || keys.some((k) => next[k] !== (this.props as P)[k]);
    }
    override render(): ComponentChildren {
      return <Inner {...(this.props as P)} />;
    }
  };
}

export function Icon({ name }: { name: IconName }) {
  const [box, path] = icons[name];
  return <svg class="icon" viewBox={box} aria-hidden="true" focusable="false"><path d={path} /></svg>;
}

export const SrOnly = ({ children }: { children: ComponentChildren }) => <span class="sr-only">{children}</span>;

export interface PressProps extends Omit<JSX.IntrinsicElements['button'], 'icon'> {
  look?: 'primary' | 'secondary' | 'tertiary' | 'quiet' | 'warning';
  icon?: IconName;
  test?: string | undefined;
}
export function Press({ look = 'secondary', icon, test, class: more, children, ...rest }: PressProps) {
  const variant = look === 'quiet' ? 'button-icon quiet' : `button-${look}`;
  return (
    <button type="button" class={`button ${variant} ${more ?? ''}`} data-testid={test} {...rest}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

const render = renderer(window);
/** Nodes, never markup: see core/markdown. */
export const Markdown = memo(({ text, class: look = 'md', under = 3 }: { text: string; class?: string; under?: Under }) => {
  const at = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => at.current?.replaceChildren(render(text, under)), [text, under]);
  return <div class={look} ref={at} dir="auto" />;
});

interface ModalProps { title: string; onClose: () => void; test: string; children: ComponentChildren; wide?: boolean }
/** The browser's own modal dialog: it holds the focus, closes on Escape and gives the focus back. */
export function Modal({ title, onClose, test, children, wide }: ModalProps) {
  const at = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = at.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={at} class={wide ? 'modal wide' : 'modal'} aria-labelledby={`${test}-title`} data-testid={test}
      onCancel={(e) => { e.preventDefault(); onClose(); }}
      onClick={(e) => e.target === at.current && onClose()}>
      <div class="modal-body">
        <header><h2 id={`${test}-title`}>{title}</h2><Press look="quiet" icon="close" aria-label="Luk vinduet" title="Luk (Esc)" onClick={onClose} /></header>
        {children}
      </div>
    </dialog>
  );
}

/** One stop for Tab, arrows within: for lists of buttons. The current item holds the stop, or the first. */
export function useRoving<E extends HTMLElement>(current?: string) {
  const at = useRef<E>(null);
  const stops = (): HTMLElement[] => [...(at.current?.querySelectorAll<HTMLElement>('[data-stop]') ?? [])];
  useLayoutEffect(() => {
    const all = stops();
    const held = all.find((s) => s === document.activeElement) ?? all.find((s) => s.dataset.stop === current) ?? all[0];
    all.forEach((s) => (s.tabIndex = s === held ? 0 : -1));
  });
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[e.key];
    const all = stops();
    const from = all.indexOf(e.target as HTMLElement);
    if (step === undefined || from < 0 || e.altKey || e.ctrlKey) return;
    e.preventDefault();
    const to = all[Math.max(0, Math.min(all.length - 1, from + step))];
    all.forEach((s) => (s.tabIndex = s === to ? 0 : -1));
    to?.focus();
  };
  return { ref: at, onKeyDown };
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;
