import { Migration } from '@mikro-orm/migrations';

/**
 * The job store, in a schema of its own and for a role of its own. `tributary_jobs` sees this schema and nothing of a
 * tenant; `tributary_app`, which every job's body runs under, sees nothing of this schema but one function.
 */
export class Jobs extends Migration {
  override name = 'jobs';

  override up(): void {
    this.addSql('create schema jobs');
    // As Agenda's PostgreSQL backend 3.0 wants it; test/scheduler-store.test.ts compares. Its own way of creating it
    // fails when two processes start at once.
    this.addSql(`
      create table jobs.agenda_jobs (
        id uuid primary key default gen_random_uuid(),
        name varchar(255) not null,
        priority integer not null default 0,
        next_run_at timestamptz,
        type varchar(10) not null default 'normal' check (type in ('normal', 'single')),
        locked_at timestamptz,
        last_finished_at timestamptz,
        failed_at timestamptz,
        fail_count integer,
        fail_reason text,
        repeat_timezone varchar(100),
        last_run_at timestamptz,
        repeat_interval varchar(255),
        data jsonb default '{}',
        repeat_at varchar(255),
        disabled boolean default false,
        progress real,
        fork boolean default false,
        last_modified_by varchar(255),
        debounce_started_at timestamptz,
        start_date timestamptz,
        end_date timestamptz,
        skip_days jsonb,
        created_at timestamptz default now(),
        updated_at timestamptz default now()
      );
      create index agenda_jobs_find_and_lock_idx
        on jobs.agenda_jobs (name, next_run_at, priority desc, locked_at, disabled) where disabled = false;
      create unique index agenda_jobs_single_job_idx on jobs.agenda_jobs (name) where type = 'single';
      create index agenda_jobs_locked_at_idx on jobs.agenda_jobs (locked_at) where locked_at is not null;
      create index agenda_jobs_next_run_at_idx on jobs.agenda_jobs (next_run_at) where next_run_at is not null;
    `);
    // Agenda's own unique() looks first and inserts then, so two processes can both insert.
    this.addSql(`create unique index agenda_jobs_key on jobs.agenda_jobs (name, (data ->> 'key'))`);
    // The fence is drawn from a sequence, so that no two runs ever have the same, even if the rows were removed in
    // between. A unique index on it makes taking a lease over wait for a transaction that holds it by "for key share",
    // and lets prolonging it pass.
    this.addSql(`
      create sequence jobs.fences as bigint;
      create table jobs.leases (
        name text not null,
        key text not null,
        fence bigint not null unique,
        attempts integer not null,
        worker text not null,
        until timestamptz not null,
        primary key (name, key)
      );
    `);
    this.addSql(role);
    this.addSql(`
      grant usage on schema jobs to tributary_jobs;
      grant select, insert, update, delete on jobs.agenda_jobs, jobs.leases to tributary_jobs;
      grant usage on sequence jobs.fences to tributary_jobs;
    `);
    this.addSql(door);
  }
}

/** Roles belong to the whole server, so another database's start-up may be making the same one at this moment. */
const role = `
  do $$ begin
    if not exists (select from pg_roles where rolname = 'tributary_jobs') then create role tributary_jobs nologin; end if;
  exception when duplicate_object or unique_violation then null;
  end $$;
  do $$ begin
    -- Since 16 who creates a role is a member of it, but may not take it on.
    if not pg_has_role(current_user, 'tributary_jobs',
                       case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end)
    then grant tributary_jobs to current_user; end if;
  end $$;
`;

/** Holds the run's lease until the caller's transaction ends; answers false when another run has taken it over. */
const door = `
  create function job_hold(in_name text, in_key text, in_fence bigint) returns boolean
  language plpgsql security definer set search_path = jobs, pg_temp as $$
  begin
    perform from leases where name = in_name and key = in_key and fence = in_fence for key share;
    return found;
  end $$;
  revoke all on function job_hold from public;
  grant execute on function job_hold to tributary_app;
`;
