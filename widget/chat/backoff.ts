/** Upper bound of the wait before attempt `n` (0 is the first retry): 0.5 s doubling to 30 s. */
export const ceilingMs = (n: number): number => Math.min(30_000, 500 * 2 ** Math.min(n, 16));

/**
 * Full jitter: anywhere between nothing and the bound. After a server restart every citizen's widget retries,
 * and equal waits would bring them all back in the same instant.
 */
export const backoffMs = (n: number, random: () => number = Math.random): number => Math.round(random() * ceilingMs(n));
