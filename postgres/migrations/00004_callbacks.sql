-- +goose Up
-- Callbacks, what was spoken, and what is remembered of a number.

create table callbacks (
    id           uuid primary key,
    call_id      uuid not null,
    number       text check (number ~ '^\+[0-9]{2,15}$'), -- null: only spoken
    language     text not null,
    reason       text not null constraint callbacks_reason check (reason in
                 ('asked', 'no_keys', 'errors', 'full', 'trouble', 'too_long', 'too_many_keys')),
    state        text not null default 'open'
                 constraint callbacks_state check (state in ('open', 'done')),
    known        jsonb not null default '{}',
    requested_at timestamptz not null default now(), -- the place in line
    updated_at   timestamptz not null default now()
);

create unique index callbacks_one_open on callbacks (number) where state = 'open';

-- What a caller spoke after a tone: a name, or name and number. It goes with
-- what it belongs to.
create table recordings (
    id             uuid primary key,
    appointment_id uuid constraint recordings_one_an_appointment unique
                   constraint recordings_appointment references appointments on delete cascade,
    callback_id    uuid constraint recordings_one_a_callback unique
                   constraint recordings_callback references callbacks on delete cascade,
    length         interval not null,
    wav            bytea not null,
    recorded_at    timestamptz not null default now(),
    constraint recordings_owner check (num_nonnulls(appointment_id, callback_id) = 1)
);

create table habits (
    number     text primary key check (number ~ '^\+[0-9]{2,15}$'),
    language   text not null,
    pace       integer not null constraint habits_pace check (pace between 0 and 2),
    updated_at timestamptz not null default now()
);
