// Commands under way. Each gets one answer. What a citizen or colleague should read is sent again under the same id
// after a broken line, for the service knows ids; everything else is given up, for the snapshot tells how it went.

import { commandId, type Command, type ClientFrame, type Ok, type Refused } from './wire';

export interface Done { ok?: Ok; refused?: Refused }

export class Commands {
  private open = new Map<string, { command: Command; done: (d: Done) => void }>();

  constructor(private send: (f: ClientFrame) => boolean) {}

  /** Resolves with the answer, or with a refusal `lost` when nobody can say any more how it went. */
  run(command: Command, id = commandId()): Promise<Done> {
    const answer = new Promise<Done>((done) => this.open.set(id, { command, done }));
    if (!this.send({ ...command, id } as ClientFrame) && !lasting(command)) this.settle(id, lost(id));
    return answer;
  }

  answer(frame: Ok | Refused): void {
    // Trying later is what a person would do: the text waits for the log like it waits for the line.
    this.settle(frame.id, frame.type === 'ok' ? { ok: frame } : { refused: frame });
  }

  /** The line broke: what does not last is over. */
  broke(): void {
    for (const [id, { command }] of [...this.open]) if (!lasting(command)) this.settle(id, lost(id));
  }

  /** The line is back: in the order in which they were said. */
  resend(): void {
    for (const [id, { command }] of this.open) this.send({ ...command, id } as ClientFrame);
  }

  private settle(id: string, done: Done): void {
    const open = this.open.get(id);
    this.open.delete(id);
    open?.done(done);
  }
}

const lasting = (c: Command): boolean => c.type === 'message' || c.type === 'note' || c.type === 'supervisor_message';
const lost = (id: string): Done => ({ refused: { type: 'refused', id, code: 'lost', text: '' } });
