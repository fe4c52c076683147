import { Client, type QueryResult } from 'pg';

/** What the ORM sends at the beginning of each transaction, of its own accord: neither has an answer that anyone reads. */
const BEGIN = 'begin';
const VARIABLES = /^select set_config\(/;
const ENDS = new Set(['commit', 'rollback']);

/**
 * A connection that sends what begins a transaction together with its first statement, in one message of the simple
 * protocol: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT. Whatever is read
 * under a tenant is a transaction of its own, of begin, tenant, statement and commit: half as many round trips.
 *
 * Until the first statement the server knows of no transaction. So one that ends before it had any is not sent at all.
 */
export class TransactionClient extends Client {
  #held: string[] = [];

  /** Whoever takes the connection from the pool next must find nothing of who had it before. */
  forget(): void {
    this.#held = [];
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- of the many forms of `query` all but one are passed on as they are
  override query(...args: any[]): any {
    const [text, values] = args as [unknown, unknown[]?];
    if (text === BEGIN) {
      this.#held = [BEGIN];
      return Promise.resolve(emptyResult('BEGIN'));
    }
    if (this.#held.length === 0) return this.#send(args);
    if (typeof text === 'string' && VARIABLES.test(text)) {
      this.#held.push(text);
      return Promise.resolve(emptyResult('SELECT'));
    }
    const held = this.#held.splice(0);
    if (typeof text !== 'string' || values?.length) {
      // The extended protocol takes one statement at a time, and the driver keeps their order. After a beginning that
      // failed the connection is broken or the transaction aborted: what follows says so.
      (this.#send([held.join(';')]) as Promise<unknown>).catch(() => {});
      return this.#send(args);
    }
    if (ENDS.has(text)) return Promise.resolve(emptyResult(text.toUpperCase()));
    return this.#sendJoined([...held, text]);
  }

  #send(args: readonly unknown[]): unknown {
    return (super.query as (...all: unknown[]) => unknown).apply(this, [...args]);
  }

  /** The answer to the last. Fails as the first of them does that fails; what was before it stands, as it would one by one. */
  async #sendJoined(statements: readonly string[]): Promise<QueryResult | undefined> {
    const results = (await this.#send([statements.join(';')])) as readonly QueryResult[];
    return results.at(-1);
  }
}

function emptyResult(command: string): QueryResult {
  return { command, rowCount: null, oid: 0, rows: [], fields: [] };
}
