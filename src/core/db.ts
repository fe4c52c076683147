import { MikroORM, type Options, PostgreSqlDriver, type SqlEntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { Client, Pool, types } from 'pg';
import type { Caller } from './caller.js';
import type { Log } from './log.js';
import { connectionOf, createListener, letGo } from './postgres.js';
import { TransactionClient } from './transaction-client.js';

/** The role every request runs under: owns no table, can't bypass row-level security. */
const APP_ROLE = 'tributary_app';
/** Serialises start-up of several processes on one database. */
const MIGRATION_LOCK = 7_236_000;

export type EntityManager = SqlEntityManager<PostgreSqlDriver>;

export interface Db {
  /** Everything read or written through this sees and touches the caller's tenant only. One per unit of work. */
  for(caller: Pick<Caller, 'tenantId'>): EntityManager;
  /**
   * Calls a function of the database that takes the tenant as its first argument and sets it for itself: a transaction
   * of its own, prepared, in one message. For the few things whose callers wait for each; all else goes by `for`.
   */
  invoke<Row extends object>(
    caller: Pick<Caller, 'tenantId'>,
    call: { readonly name: string; readonly columns: string },
    values: readonly unknown[],
  ): Promise<Row[]>;
  /**
   * For the journal, the feed and the few other doors that cross tenants: plain connections under the same
   * powerless role, which see no row at all except through SECURITY DEFINER functions.
   */
  readonly doors: Pool;
  /** Calls back for every NOTIFY on the channel, and once after each (re)connect, since what came meanwhile is lost. */
  listen(channel: string, onNotify: () => void): Promise<() => Promise<void>>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type MigrationList = NonNullable<NonNullable<Options['migrations']>['migrationsList']>;

export interface DbOptions {
  readonly url: string;
  readonly entities: NonNullable<Options['entities']>;
  readonly migrations: MigrationList;
  readonly log: Log;
}

/** The database can't be used; the message says why. */
export class UnsupportedDatabase extends Error {
  override readonly name = 'UnsupportedDatabase';
}

/** Migrates, then opens the database under the powerless role. */
export async function openDb({ url, entities, migrations, log }: DbOptions): Promise<Db> {
  await migrate(url, migrations, log);
  const asApp = connectionOf(url, APP_ROLE);
  const orm = await MikroORM.init({
    driver: PostgreSqlDriver,
    clientUrl: url,
    entities: [...entities],
    driverOptions: {
      ...asApp,
      Client: TransactionClient,
      onPoolCreated: (pool: Pool) =>
        pool.on('release', (_error, client) => client instanceof TransactionClient && client.forget()),
    },
    pool: { min: 0, max: 16 },
    // Signals and receipts never change once read; nothing here relies on a shared identity map.
    allowGlobalContext: false,
  });
  const doors = new Pool({ ...asApp, max: 8 });
  doors.on('error', (error) => log.warn({ error: error.message }, 'database: an idle connection broke'));
  await requireAppRoleInUse(doors, orm.em.fork());
  const pool = await orm.em.getConnection().getNativeClient();
  const listener = createListener(asApp, log);

  return {
    for: ({ tenantId }) => orm.em.fork({ session: { variables: { 'tributary.tenant': tenantId } } }),
    async invoke({ tenantId }, { name, columns }, values) {
      const given = [tenantId, ...values];
      const places = given.map((_, index) => `$${index + 1}`).join(', ');
      const text = `select ${columns} from ${name}(${places})`;
      // The ORM's connections leave times and arrays as text, which it reads itself.
      return (await pool.query({ name, text, values: given, types })).rows;
    },
    doors,
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    async ping() {
      await doors.query('select 1');
    },
    async close() {
      await Promise.all([listener.close(), letGo(doors.end()), letGo(orm.close())]);
    },
  };
}

/** Brings the database up to date, as the role of the URL, which owns it. Several processes may do it at once. */
export async function migrate(url: string, migrationsList: MigrationList, log: Log): Promise<void> {
  const asOwner = connectionOf(url);
  const lock = new Client(asOwner);
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await requireAppRole(lock);
    const orm = await MikroORM.init({
      driver: PostgreSqlDriver,
      clientUrl: url,
      driverOptions: asOwner,
      entities: [],
      extensions: [Migrator],
      discovery: { warnWhenNoEntities: false },
      colors: false,
      logger: (message) => log.info(message),
      migrations: { migrationsList, snapshot: false, tableName: 'migrations' },
    });
    try {
      await orm.migrator.up();
    } finally {
      await orm.close();
    }
  } finally {
    await lock.end();
  }
}

/** Roles belong to the whole server, so another database's start-up may be making the same one at this moment. */
async function requireAppRole(client: Client): Promise<void> {
  const version = Number((await client.query('show server_version_num')).rows[0].server_version_num);
  if (version < 140_000)
    throw new UnsupportedDatabase(
      `PostgreSQL 14 or newer is needed; this one is ${Math.floor(version / 10_000)}.`,
    );
  await client.query(`
    do $$ begin
      if not exists (select from pg_roles where rolname = '${APP_ROLE}') then create role ${APP_ROLE} nologin; end if;
    exception when duplicate_object or unique_violation then null;
    end $$`);
  // Since 16 who creates a role is a member of it, but may not take it on.
  const right = version < 160_000 ? 'member' : 'set';
  const { rows } = await client.query(
    `select pg_has_role(current_user, '${APP_ROLE}', '${right}') as may_use`,
  );
  if (!rows[0].may_use) await client.query(`grant ${APP_ROLE} to current_user`);
}

/** What every promise of isolation rests on. A pooler may drop the option that sets it, without a word. */
async function requireAppRoleInUse(doors: Pool, em: EntityManager): Promise<void> {
  const ask = 'select current_user as role';
  const [viaDoors] = (await doors.query<{ role: string }>(ask)).rows;
  const [viaOrm] = await em.execute<{ role: string }[]>(ask);
  const other = [viaDoors?.role, viaOrm?.role].find((role) => role !== APP_ROLE);
  if (other === undefined) return;
  throw new UnsupportedDatabase(
    `Connections run as ${other} instead of ${APP_ROLE}: something between here and PostgreSQL drops the startup option "-c role". With PgBouncer, connect past it.`,
  );
}
