-- One booking as an expert would write it by hand, for pgbench: a single
-- statement to hold a seat while the caller decides, a single one to book it.
-- The search is the store's own; what the store spreads over a transaction of
-- several statements is one here.
\set n random(1000000000000, 9999999999999)
\set code random(100000000, 999999999)

with candidate as materialized (
    select distinct on (starts_at) slot_id
    from seats
    where centre_id = 1 and starts_at > now()
      and state <> 'booked' and (state = 'free' or held_until <= now())
    order by starts_at
    limit 128
), entry as materialized (
    select slot_id, (select 1 + floor(random() * slots.seats)::integer
                     from slots where slots.id = candidate.slot_id) as number
    from candidate
), taken as materialized (
    select seat.id
    from entry cross join lateral (
        select * from (
            select id from seats
            where slot_id = entry.slot_id and number >= entry.number
              and state <> 'booked' and (state = 'free' or held_until <= now())
            order by number limit 1 for update skip locked) onward
        union all
        select * from (
            select id from seats
            where slot_id = entry.slot_id and number < entry.number
              and state <> 'booked' and (state = 'free' or held_until <= now())
            order by number limit 1 for update skip locked) around
    ) seat
    limit 1
)
update seats
set state = 'held', hold_id = gen_random_uuid(), held_by = gen_random_uuid(),
    held_number = '+49' || :n, held_born = '1935-12-24', held_until = now() + interval '15 minutes'
from taken, centres c
where seats.id = taken.id and c.id = 1
returning hold_id as hold, held_by as call, seats.held_until, slot_id, starts_at, c.name, c.address, c.time_zone
\gset

with seat as materialized (
    select id, slot_id, starts_at, centre_id from seats
    where hold_id = :hold and held_by = :call and starts_at > now()
    for update
), person as (
    insert into persons (number, born, postcode, ordinal)
    select '+49' || :n, '1935-12-24'::date, '44137', 1 from seat
    on conflict on constraint persons_known do update set postcode = excluded.postcode
    returning id
), appointment as (
    insert into appointments (code, person_id, slot_id, seat_id, state, operation, call_id, number, nth)
    select :code::text, person.id, seat.slot_id, seat.id, 'booked', gen_random_uuid(), :call, '+49' || :n, 1
    from person, seat
    on conflict on constraint appointments_code do nothing
    returning id, code
), booked as (
    update seats
    set state = 'booked', appointment_id = appointment.id, hold_id = null, held_by = null, held_until = null,
        held_number = null, held_born = null
    from appointment, seat
    where seats.id = seat.id
    returning seats.id
)
select appointment.id, appointment.code, seat.slot_id, seat.starts_at, c.id, c.name, c.address, c.time_zone
from appointment, seat, booked, centres c
where c.id = seat.centre_id;
