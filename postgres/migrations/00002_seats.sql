-- +goose Up
-- Times with seats: one row a seat, because a counter makes all callers queue
-- for one row.

create table slots (
    id        bigint generated always as identity primary key,
    centre_id bigint not null references centres,
    starts_at timestamptz not null,
    seats     integer not null check (seats between 1 and 10000),
    constraint slots_time unique (centre_id, starts_at),
    constraint slots_copy unique (id, centre_id, starts_at)
);

-- A hold is a state of its seat and not a row of its own: taking, passing on
-- and giving back a seat then touch one row, nothing is left over when a hold
-- runs out, and no two holds can claim one seat.
create table seats (
    id             bigint generated always as identity primary key,
    slot_id        bigint not null,
    number         integer not null, -- within the slot; gaps may appear
    -- Copies of the slot's, so that one index finds the next free seat.
    centre_id      bigint not null,
    starts_at      timestamptz not null,
    state          text not null default 'free'
                   constraint seats_state check (state in ('free', 'held', 'booked')),
    hold_id        uuid,
    held_by        uuid, -- the call
    held_until     timestamptz,
    -- Whose call it was, to find the hold again when the line dropped.
    held_number    text,
    held_born      date,
    appointment_id uuid,
    constraint seats_place unique (slot_id, number),
    constraint seats_slot foreign key (slot_id, centre_id, starts_at)
        references slots (id, centre_id, starts_at),
    constraint seats_held check (
        num_nonnulls(hold_id, held_by, held_until) = case when state = 'held' then 3 else 0 end
        and (state = 'held' or num_nonnulls(held_number, held_born) = 0)),
    constraint seats_booked check ((state = 'booked') = (appointment_id is not null))
) with (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 80);
-- Every seat is written several times on the day it is booked. Cleaning up
-- early keeps the search from stepping over what used to be free.

-- The search: what is not booked, by time. Booked seats are not in it, so a
-- centre that is nearly full is searched as fast as an empty one.
create index seats_search on seats (centre_id, starts_at) where state <> 'booked';
create unique index seats_hold on seats (hold_id) where hold_id is not null;
-- A call holds at most one seat.
create unique index seats_held_by on seats (held_by) where held_by is not null;
create index seats_held_for on seats (held_number, held_born) where state = 'held';
