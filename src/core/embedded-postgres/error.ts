/** The embedded PostgreSQL can't run here. The message says what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** What can be done in every such case; messages end with it. */
export const ALTERNATIVE = 'or set DATABASE_URL to a PostgreSQL of your own';
