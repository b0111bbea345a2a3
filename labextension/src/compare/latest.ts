/** Asks one question at a time, and of those that come meanwhile only the last. */

interface IQuestion<T> {
  key: string;
  ask: () => Promise<T>;
  done: (answer: T) => void;
  failed: (error: unknown) => void;
}

/** Answers to a question that has another key by now are dropped; the same one asked anew counts. */
export class Latest<T> {
  /** Asks now, or after the question that is under way. */
  put(question: IQuestion<T>): void {
    this._next = question;
    if (!this._busy) {
      void this._run();
    }
  }

  /** Forgets what waits; an answer under way goes nowhere. */
  stop(): void {
    this._next = null;
    this._stopped = true;
  }

  private async _run(): Promise<void> {
    this._busy = true;
    while (this._next) {
      this._stopped = false;
      const question: IQuestion<T> = this._next;
      this._next = null;
      const current = (): boolean =>
        !this._stopped && (this._next === null || this._next.key === question.key);
      try {
        const answer = await question.ask();
        if (current()) {
          question.done(answer);
        }
      } catch (error) {
        if (current()) {
          question.failed(error);
        }
      }
    }
    this._busy = false;
  }

  private _busy = false;
  private _next: IQuestion<T> | null = null;
  private _stopped = false;
}
