-- So many callers hold the line, who rang one a second.
insert into tickets (id, number, nth, topic, language, wish, reason, rang_at, state, call_id, node, audit_deed, audit_by)
select id, '+4923' || lpad(n::text, 9, '0'), 1, 'booking', 'de', 'person', 'asked',
    now() - make_interval(secs => :length - n), 'waiting', id, 'node', 'join', 'caller'
from generate_series(0, :length - 1) n,
    lateral (select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id) named;
vacuum analyze;
