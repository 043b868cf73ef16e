-- +goose Up
-- What happened in calls. Written behind the callers' backs: nothing here may
-- make a call fail, so these tables refuse as little as they can.

create table calls (
    id         uuid primary key,
    number     text, -- null: withheld
    node       text not null,
    channel    text not null,
    started_at timestamptz not null,
    ended_at   timestamptz,
    language   text not null default '',
    scene      text not null default '',
    state      jsonb, -- of the dialogue: enough to play the scene again
    result     text constraint calls_result check (result in
               ('booked', 'changed', 'cancelled', 'informed', 'person', 'callback', 'hung_up', 'failed')),
    reason     text,
    constraint calls_outcome check (num_nulls(ended_at, result, reason) in (0, 3))
);

create index calls_of_number on calls (number, started_at desc);
create index calls_running on calls (node) where ended_at is null;

-- No foreign key: a transcript whose call was not registered is kept too.
create table call_events (
    call_id uuid not null,
    seq     bigint not null, -- rises within a call, across restarts
    at      timestamptz not null,
    kind    text not null constraint call_events_kind check (kind in ('scene', 'say', 'key')),
    line    text not null,
    text    text not null,
    keys    text not null,
    primary key (call_id, seq)
);
