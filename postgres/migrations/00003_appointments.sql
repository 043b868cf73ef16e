-- +goose Up
-- Persons and what they hold.

create table persons (
    id       bigint generated always as identity primary key,
    number   text check (number ~ '^\+[0-9]{2,15}$'), -- null: withheld, never shared
    born     date not null,
    postcode text not null default '',
    -- Tells apart two of one number born on one day.
    ordinal  integer not null check (ordinal >= 1),
    constraint persons_known unique (number, born, ordinal)
);

create table appointments (
    id           uuid primary key default gen_random_uuid(),
    code         text not null constraint appointments_code unique
                 check (code ~ '^[1-9][0-9]{8}$'),
    person_id    bigint not null references persons,
    slot_id      bigint not null references slots,
    -- Null when cancelled: the seat is somebody else's then.
    seat_id      bigint references seats constraint appointments_one_a_seat unique,
    state        text not null constraint appointments_state check (state in ('booked', 'cancelled')),
    -- Whether it keeps its person from booking another. Cancelling ends that,
    -- and so does time; the next booking of the number takes note of it,
    -- because an index cannot ask the clock.
    counts       boolean not null default true,
    operation    uuid not null constraint appointments_operation unique,
    call_id      uuid not null,
    number       text, -- of the person, here for the limit a number
    nth          integer,
    booked_at    timestamptz not null default now(),
    cancelled_at timestamptz,
    constraint appointments_max_per_number check (nth between 1 and 4),
    constraint appointments_nth_is_of_number check ((number is null) = (nth is null)),
    constraint appointments_booked_has_seat check ((state = 'booked') = (seat_id is not null)),
    constraint appointments_cancelled_at check ((state = 'cancelled') = (cancelled_at is not null)),
    constraint appointments_only_booked_counts check (state = 'booked' or not counts)
);

create unique index appointments_one_a_person on appointments (person_id) where counts;
create unique index appointments_nth_of_number on appointments (number, nth) where counts;
create index appointments_slot on appointments (slot_id);

alter table seats add constraint seats_appointment
    foreign key (appointment_id) references appointments;
