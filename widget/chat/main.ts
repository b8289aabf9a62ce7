// <script src="https://HOST/widget/borgerlinje.js" data-municipality="0751" data-lang="da" async></script>

import { App } from './app';
import { configOf } from './config';

declare global {
  interface Window {
    Borgerlinje?: { open(): void; close(): void };
  }
}

// Known only while the script runs, so it is read at once.
const tag = (document.currentScript ?? document.querySelector('script[data-municipality][src*="borgerlinje"]')) as HTMLScriptElement | null;

function boot(): void {
  const cfg = tag && configOf(tag, document.documentElement.lang);
  if (!cfg) {
    console.error('Borgerlinje: the script tag needs data-municipality="0751" (four digits).');
    return;
  }
  const app = new App(cfg);
  window.Borgerlinje = { open: () => app.open(), close: () => app.close() };
}

// A page that carries the tag twice still gets one chat.
if (!window.Borgerlinje) {
  window.Borgerlinje = { open() {}, close() {} };
  if (document.body) boot();
  else document.addEventListener('DOMContentLoaded', boot, { once: true });
}
