/** Texts joined by "|" in the order of `like`'s keys; scripts/texts.mjs writes them so when it bundles. */
export const zip = <T extends object>(like: T, joined: string): T => {
  const texts = joined.split('|');
  return Object.fromEntries(Object.keys(like).map((k, i) => [k, texts[i]])) as T;
};
