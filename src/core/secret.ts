import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * A value that must not be seen. It prints `[secret]` as a string, in JSON, in a template, in `util.inspect`
 * and in a log; only {@link Secret.reveal} gives the text, and is called where a request is signed, a signature
 * checked or a value sealed. Nowhere else.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plaintext. Keep it in the narrowest scope there is. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
