-- +goose Up
-- A call goes on in another process: that one finds it by its channel, and
-- what the process before still had to write must not overwrite what comes
-- after.

alter table calls add column entered_at timestamptz; -- when scene and state were true

create index calls_of_channel on calls (channel);
