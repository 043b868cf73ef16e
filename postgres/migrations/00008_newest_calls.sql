-- +goose Up
-- All calls, newest first: how operators look for one whose number they do not
-- know.

create index calls_newest on calls (started_at desc, id);
