-- +goose Up
-- What is kept no longer than it must be is found by its age.

create index registrations_at on registrations (at);
create index callbacks_done on callbacks (updated_at) where state = 'done';

-- Append-only means that nobody changes or removes what happened. Rows go by
-- their age alone, once they are a week old and nothing they tell of is kept.
-- +goose StatementBegin
create function only_by_age() returns trigger language plpgsql as $$
begin
    if old.at > now() - interval '7 days'
        or exists (select from tickets where id = (to_jsonb(old) ->> 'ticket_id')::uuid) then
        raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation', constraint = tg_table_name || '_append_only';
    end if;
    return old;
end $$;
-- +goose StatementEnd

drop trigger queue_audit_append_only on queue_audit;
drop trigger agent_states_append_only on agent_states;
create trigger queue_audit_append_only before update or truncate on queue_audit
    for each statement execute function append_only();
create trigger agent_states_append_only before update or truncate on agent_states
    for each statement execute function append_only();
create trigger queue_audit_only_by_age before delete on queue_audit
    for each row execute function only_by_age();
create trigger agent_states_only_by_age before delete on agent_states
    for each row execute function only_by_age();
