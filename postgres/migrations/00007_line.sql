-- +goose Up
-- The line: tickets, agents, attempts to ring, promised hours, and who changed
-- what.

-- Nobody promises a callback between the statements below.
lock table callbacks in share row exclusive mode;

create table agents (
    name        text primary key check (name <> ''),
    address     text not null,
    languages   text[] not null,
    topics      text[] not null,
    skills      text not null, -- both in one: few agents have others than their colleagues
    state       text not null default 'ready' constraint agents_state check (state in
                ('ready', 'reserved', 'talking', 'wrap_up', 'away')),
    since       timestamptz not null,
    until       timestamptz, -- null: the state does not end by itself
    wraps_until timestamptz, -- of one who was reserved while wrapping up
    gone        boolean not null default false, -- not configured any more
    constraint agents_wraps_while_reserved check (state = 'reserved' or wraps_until is null)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

create table tickets (
    id          uuid primary key,
    short       text check (short ~ '^[0-9]{5}$'), -- the spoken number of a withheld one
    number      text check (number ~ '^\+[0-9]{2,15}$'), -- null: withheld, or only spoken
    nth         integer, -- among the open ones of the number
    topic       text not null constraint tickets_topic check (topic in ('booking', 'appointment', 'other')),
    language    text not null,
    wish        text not null constraint tickets_wish check (wish in ('person', 'self')),
    reason      text not null constraint tickets_reason check (reason in
                ('asked', 'no_keys', 'errors', 'full', 'trouble', 'too_long', 'too_many_keys', 'busy', 'broken')),
    keyless     boolean not null default false,
    priority    integer not null default 0,
    rang_at     timestamptz not null, -- the place within a priority
    state       text not null constraint tickets_state check (state in
                ('waiting', 'left', 'promised', 'due', 'ringing', 'talking', 'closed')),
    window_from timestamptz,
    window_to   timestamptz,
    due_at      timestamptz, -- when to ring
    promised    boolean not null default false, -- being rung, and not reached yet
    promised_at timestamptz, -- when, the last time
    tries       integer not null default 0 check (tries >= 0),
    first_at    timestamptz, -- when the first attempt began
    call_id     uuid not null, -- that is, or was last, on the line for it
    node        text not null default '',
    agent       text references agents, -- bound to it now
    leg         uuid, -- of that agent's telephone
    scene       text not null default '',
    known       json, -- as the dialogue wrote it
    left_at     timestamptz, -- when the caller hung up in line
    closed_at   timestamptz,
    ending      text constraint tickets_ending check (ending in
                ('served', 'self', 'abandoned', 'unreached', 'removed', 'forbidden')),
    -- The wait that was told first since the caller came into the line.
    told_at     timestamptz,
    told_low    interval,
    told_high   interval,
    redials     bigint not null default 0, -- attempts to ring the hotline meanwhile
    -- What the trigger below takes into the audit; null at rest.
    audit_at    timestamptz,
    audit_deed  text,
    audit_by    text,
    audit_why   text,
    -- Kept by the trigger.
    state_since timestamptz not null,
    state_from  text, -- the state before; null: none
    constraint tickets_max_per_number check (nth between 1 and 4),
    constraint tickets_nth_is_of_number check ((number is null) = (nth is null)),
    constraint tickets_window check (num_nonnulls(window_from, window_to) <> 1 and window_from < window_to),
    constraint tickets_due check (due_at is not null or state not in ('promised', 'due')),
    constraint tickets_left check ((state = 'left') = (left_at is not null)),
    constraint tickets_closed check (num_nonnulls(closed_at, ending) = case when state = 'closed' then 2 else 0 end),
    constraint tickets_bound check (num_nonnulls(agent, leg) <> 1
        and (agent is null or state in ('waiting', 'due', 'ringing', 'talking')))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

create unique index tickets_nth_of_number on tickets (number, nth) where state <> 'closed';
create unique index tickets_short on tickets (short) where state <> 'closed' and short is not null;
-- An agent has one ticket; that a ticket has one agent is its column.
create unique index tickets_one_an_agent on tickets (agent) where agent is not null;
create index tickets_of_call on tickets (call_id) where state <> 'closed';
create index tickets_closed_of_number on tickets (number) where state = 'closed';
-- Who is to be bound to an agent, in the order of the line.
create index tickets_waiting on tickets (topic, language, priority desc, rang_at, id)
    where state = 'waiting' and wish = 'person' and agent is null;
create index tickets_due on tickets (topic, language, priority desc, rang_at, id)
    where state = 'due' and wish = 'person' and agent is null and number is not null;
-- Who is to be rung. Whose line broke was being served and comes first.
create index tickets_to_ring on tickets ((reason = 'broken') desc, priority desc, rang_at, id)
    where state = 'due' and number is not null and (wish = 'self' or agent is not null);
-- Who is served before somebody.
create index tickets_ahead on tickets (wish, language, priority desc, rang_at, id)
    where state in ('waiting', 'due', 'ringing');
-- All of one state, for who looks at the line.
create index tickets_place on tickets (state, topic, priority desc, rang_at, id);
create index tickets_bound_to_ring on tickets (id) where state = 'due' and agent is not null;
create index tickets_promised_for on tickets (due_at) where state = 'promised';
create index tickets_left_since on tickets (left_at) where state = 'left';
create index tickets_turns on tickets (node) where state = 'waiting' and agent is not null;
create index tickets_closed_at on tickets (closed_at) where state = 'closed';

create index agents_free on agents (skills, state, since, name) where state in ('ready', 'wrap_up') and not gone;

-- Attempts to ring a ticket's number, committed before it is dialled.
create table attempts (
    id            uuid primary key, -- of the call too
    ticket_id     uuid not null references tickets,
    number        text not null,
    node          text not null,
    agent         text, -- who waited for it
    promised_from timestamptz not null, -- the hour that was promised, or when "soon" was
    promised_to   timestamptz,
    began_at      timestamptz not null,
    lease         timestamptz not null, -- without a fate by then it counts as made
    ended_at      timestamptz,
    fate          text constraint attempts_fate check (fate in
                  ('reached', 'declined', 'no_answer', 'busy', 'failed', 'stopped', 'unmade', 'unknown')),
    constraint attempts_ended check ((ended_at is null) = (fate is null))
);

create unique index attempts_one_a_ticket on attempts (ticket_id) where fate is null;
create unique index attempts_one_a_number on attempts (number) where fate is null;
create index attempts_of_ticket on attempts (ticket_id, began_at);
create index attempts_of_number on attempts (number, began_at);
create index attempts_of_node on attempts (node) where fate is null;
create index attempts_lease on attempts (lease) where fate is null;
create index attempts_ended_at on attempts (ended_at) where fate is not null;

-- Calls out by day: the bound on their cost.
create table outgoing_days (
    day  date primary key,
    made integer not null check (made >= 0)
);

-- The switch of all calls out.
create table outgoing (
    one         boolean primary key default true check (one),
    switched    boolean not null, -- on
    since       timestamptz,
    switched_by text not null default '',
    why         text not null default '',
    stalled_at  timestamptz -- when an agent was bound in vain to somebody nobody rang
);

insert into outgoing (switched) values (true);

create table do_not_ring (
    number   text primary key check (number ~ '^\+[0-9]{2,15}$'),
    since    timestamptz not null,
    asked_by text not null,
    why      text not null
);

-- Hours that somebody was promised to be rung in.
create table windows (
    from_at  timestamptz primary key,
    capacity integer not null,
    taken    integer not null, -- open tickets it was promised to
    constraint windows_room check (taken between 0 and capacity)
);

-- Attempts to ring the hotline that were taken down without a dialogue.
create table registrations (
    id     uuid primary key,
    number text not null,
    dialog text not null, -- Call-ID of the INVITE
    at     timestamptz not null,
    constraint registrations_once unique (number, dialog)
);

-- Controllers, and when each said last that it lives.
create table nodes (
    name    text primary key,
    beat_at timestamptz not null
);

-- Every change of the line, by whomever: append-only.
create table queue_audit (
    id         bigint generated always as identity primary key,
    at         timestamptz not null,
    ticket_id  uuid, -- null: of no single ticket
    deed       text not null,
    done_by    text not null,
    before     text, -- the state before from_state
    from_state text, -- null: it was opened
    to_state   text,
    lasted     interval, -- that it was in from_state, where it is no more
    agent      text, -- bound to it before or after
    what       text not null,
    why        text not null
);

create index queue_audit_of_ticket on queue_audit (ticket_id, id);
create index queue_audit_at on queue_audit (at);
create index queue_audit_spells on queue_audit (at)
    where from_state in ('waiting', 'talking') and from_state <> to_state;

-- What agents do, for occupancy: append-only too.
create table agent_states (
    id     bigint generated always as identity primary key,
    at     timestamptz not null,
    agent  text not null,
    was    text, -- the state before; null: a new agent
    state  text not null, -- empty: not an agent any more
    lasted interval -- that the agent was in the state before
);

create index agent_states_at on agent_states (at);

-- +goose StatementBegin
create function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation', constraint = tg_table_name || '_append_only';
end $$;
-- +goose StatementEnd

create trigger queue_audit_append_only before update or delete or truncate on queue_audit
    for each statement execute function append_only();
create trigger agent_states_append_only before update or delete or truncate on agent_states
    for each statement execute function append_only();

-- A change of a ticket is audited with the deed that its statement names; one
-- that names none, by hand, with the database's user.
-- +goose StatementBegin
create function audit_ticket() returns trigger language plpgsql as $$
declare
    moment timestamptz := coalesce(new.audit_at, clock_timestamp());
    moved boolean := old.state is distinct from new.state;
begin
    new.state_since := case when moved then moment else old.state_since end;
    new.state_from := case when moved then old.state else old.state_from end;
    if tg_op = 'INSERT' or
        (new.state, new.number, new.topic, new.language, new.wish, new.priority, new.rang_at, new.window_from,
         new.due_at, new.call_id, new.agent, new.ending)
        is distinct from
        (old.state, old.number, old.topic, old.language, old.wish, old.priority, old.rang_at, old.window_from,
         old.due_at, old.call_id, old.agent, old.ending)
    then
        insert into queue_audit (at, ticket_id, deed, done_by, before, from_state, to_state, lasted, agent, what, why)
        values (
            moment, new.id, coalesce(new.audit_deed, lower(tg_op)), coalesce(new.audit_by, session_user),
            old.state_from, old.state, new.state, case when moved then greatest(moment - old.state_since, '0') end,
            coalesce(new.agent, old.agent),
            concat_ws(', ',
                case when old.state is null then new.state
                     when old.state <> new.state then old.state || ' to ' || new.state end,
                case when old.priority <> new.priority then 'priority ' || old.priority || ' to ' || new.priority end,
                case when old.topic <> new.topic then old.topic || ' to ' || new.topic end,
                case when old.language <> new.language then old.language || ' to ' || new.language end,
                case when old.wish <> new.wish then old.wish || ' to ' || new.wish end,
                case when old.id is not null and old.number is distinct from new.number then 'another number' end,
                case when old.call_id <> new.call_id then 'another call' end,
                case when old.agent is distinct from new.agent and old.agent is not null then 'without ' || old.agent end,
                case when old.agent is distinct from new.agent and new.agent is not null then 'with ' || new.agent end,
                case when old.window_from is distinct from new.window_from then
                    coalesce('promised for ' || to_char(new.window_from at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC'), 'no hour promised')
                end,
                new.ending),
            coalesce(new.audit_why, ''));
    end if;
    new.audit_at := null; new.audit_deed := null; new.audit_by := null; new.audit_why := null;
    return new;
end $$;
-- +goose StatementEnd

create trigger tickets_audit before insert or update on tickets
    for each row execute function audit_ticket();

-- +goose StatementBegin
create function log_agent() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        insert into agent_states (at, agent, was, state, lasted)
        values (clock_timestamp(), old.name, old.state, '', greatest(clock_timestamp() - old.since, '0'));
    elsif old.state is distinct from new.state then
        insert into agent_states (at, agent, was, state, lasted)
        values (new.since, new.name, old.state, new.state, greatest(new.since - old.since, '0'));
    end if;
    return null;
end $$;
-- +goose StatementEnd

create trigger agents_log after insert or update or delete on agents
    for each row execute function log_agent();

-- What was spoken goes with its ticket.
alter table recordings add column ticket_id uuid constraint recordings_one_a_ticket unique
    constraint recordings_ticket references tickets on delete cascade;
alter table recordings drop constraint recordings_owner;
alter table recordings add constraint recordings_owner
    check (num_nonnulls(appointment_id, callback_id, ticket_id) = 1);

-- Who was promised a callback is in the line, in the place of that moment. The
-- table stays for code that knows no line.
insert into tickets (id, number, nth, topic, language, wish, reason, rang_at, state, due_at,
    promised, promised_at, call_id, known, audit_deed, audit_by)
select id, number, case when number is not null then 1 end, 'other', language, 'person', reason, requested_at, 'due', now(),
    true, requested_at, call_id, known::json, 'promise', 'migration'
from callbacks where state = 'open';

update recordings set ticket_id = callback_id, callback_id = null
from callbacks where callbacks.id = recordings.callback_id and callbacks.state = 'open';

update callbacks set state = 'done' where state = 'open';
