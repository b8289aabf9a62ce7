// Own tones, made on the spot: nothing to download, and quiet enough for an open office.

import { prefs } from '../app';

let context: AudioContext | undefined;

type Tone = [hertz: number, at_s: number, for_s: number];
const TONES: Record<'offer' | 'message' | 'warning', Tone[]> = {
  offer: [[587, 0, 0.16], [784, 0.17, 0.16], [988, 0.34, 0.3]],
  message: [[784, 0, 0.09], [988, 0.1, 0.14]],
  warning: [[392, 0, 0.2], [330, 0.22, 0.3]],
};

/** Nothing is heard before the first press or key: browsers hold sound back until then. */
export function play(what: keyof typeof TONES): void {
  const { sound, volume } = prefs.peek();
  if (!sound || volume <= 0) return;
  try {
    context ??= new AudioContext();
    void context.resume();
    for (const [hertz, at, length] of TONES[what]) {
      const start = context.currentTime + at + 0.02;
      const [tone, gain] = [context.createOscillator(), context.createGain()];
      tone.type = 'sine';
      tone.frequency.value = hertz;
      // Without a ramp a tone begins and ends with a click.
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(volume * volume * 0.4, start + 0.015);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + length);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + length + 0.02);
    }
  } catch {
    // A machine without sound is no reason to stop.
  }
}
