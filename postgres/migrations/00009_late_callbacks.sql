-- +goose Up
-- A controller that knows no line may run on for a while beside those that do,
-- and promises callbacks as it always has. Nobody would read them there: such a
-- promise comes into the line at once, in the place of its moment, and its row is
-- done. A number that waits to be rung already is promised nothing more.

-- +goose StatementBegin
create function callback_into_line() returns trigger language plpgsql as $$
declare
    place integer;
    ticket tickets;
begin
    if new.number is not null then
        perform pg_advisory_xact_lock(5390924, hashtext(new.number)); -- as the line does
        select * into ticket from tickets
        where number = new.number and state <> 'closed' and state in ('left', 'promised', 'due', 'ringing')
        order by priority desc, rang_at, id limit 1 for update;
        select min(n) into place from generate_series(1, 4) n
        where n not in (select nth from tickets where number = new.number and state <> 'closed');
    end if;
    if ticket.state = 'left' then
        update tickets set state = 'promised', left_at = null, due_at = now(), promised = true, promised_at = now(),
            audit_deed = 'promise', audit_by = 'caller'
        where id = ticket.id;
    elsif ticket.id is null and new.number is not null and place is null then
        -- All the number may have are on the line at present: one is rung if it
        -- is not served.
        update tickets set promised = true, promised_at = now()
        where id = (select id from tickets where number = new.number and state in ('waiting', 'talking') and not promised
            order by state = 'talking', priority desc, rang_at, id limit 1);
    elsif ticket.id is null then
        insert into tickets (id, number, nth, topic, language, wish, reason, rang_at, state, due_at,
            promised, promised_at, call_id, known, audit_deed, audit_by)
        values (case when exists (select from tickets where id = new.id) then gen_random_uuid() else new.id end,
            new.number, place, 'other', new.language, 'person', new.reason, new.requested_at, 'promised', now(),
            true, new.requested_at, new.call_id, new.known::json, 'promise', 'caller');
    end if;
    update callbacks set state = 'done' where id = new.id;
    return null;
end $$;
-- +goose StatementEnd

create trigger callbacks_into_line after insert or update on callbacks
    for each row when (new.state = 'open') execute function callback_into_line();

-- What was spoken for a callback goes with its ticket; what is spoken last
-- counts.
-- +goose StatementBegin
create function recording_into_line() returns trigger language plpgsql as $$
begin
    if exists (select from tickets where id = new.callback_id) then
        delete from recordings where ticket_id = new.callback_id;
        new.ticket_id := new.callback_id;
        new.callback_id := null;
    end if;
    return new;
end $$;
-- +goose StatementEnd

create trigger recordings_into_line before insert or update on recordings
    for each row when (new.callback_id is not null and new.ticket_id is null) execute function recording_into_line();

-- Those promised since there is a line.
update callbacks set updated_at = updated_at where state = 'open';
update recordings set callback_id = callback_id where callback_id is not null;
