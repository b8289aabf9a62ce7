// WCAG 2.2 relative luminance and contrast ratio, and colours derived from a municipality's accent so that
// an accent chosen for a logo can never make the chat unreadable.

export type Rgb = [number, number, number];

/** #rgb or #rrggbb; undefined otherwise. */
export function parseHex(v: string | null | undefined): Rgb | undefined {
  const m = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec((v ?? '').trim());
  if (!m?.[1]) return undefined;
  const hex = m[1].length === 3 ? m[1].replace(/./g, '$&$&') : m[1];
  const n = parseInt(hex, 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

export const toHex = (c: Rgb): string => '#' + c.map((x) => x.toString(16).padStart(2, '0')).join('');

export function luminance(c: Rgb): number {
  const [r, g, b] = c.map((x) => {
    const s = x / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** Text on `bg`: the wanted colour when it reads (4.5), else the better of white and black, which always does. */
export function textOn(bg: Rgb, wanted?: Rgb): Rgb {
  if (wanted && contrast(bg, wanted) >= 4.5) return wanted;
  return contrast(bg, WHITE) >= contrast(bg, BLACK) ? WHITE : BLACK;
}

/** The colour nearest to `c` that has at least `ratio` against `bg`, going towards black or white. */
export function readable(c: Rgb, bg: Rgb, ratio = 7): Rgb {
  const goal = luminance(bg) > 0.18 ? BLACK : WHITE;
  for (let step = 0; step <= 20; step++) {
    const mixed = c.map((x, i) => Math.round(x + ((goal[i] as number) - x) * (step / 20))) as Rgb;
    if (contrast(mixed, bg) >= ratio) return mixed;
  }
  return goal;
}

/** The surfaces of styles.css that the derived colours must read on; test/contrast.test.ts holds them together. */
export const LIGHT: Rgb = [255, 255, 255];
export const LIGHT_SOFT: Rgb = [241, 244, 243];
export const DARK_SOFT: Rgb = [43, 50, 54];

/** Custom properties for :host. */
export function palette(accent: Rgb, onAccent?: Rgb): Record<string, string> {
  return {
    '--bl-accent': toHex(accent),
    '--bl-on-accent': toHex(textOn(accent, onAccent)),
    '--bl-ink-light': toHex(readable(accent, LIGHT_SOFT)),
    '--bl-ink-dark': toHex(readable(accent, DARK_SOFT)),
  };
}
