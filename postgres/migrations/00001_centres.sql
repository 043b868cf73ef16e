-- +goose Up
-- Where appointments take place, and who may have one.

-- +goose StatementBegin
create function time_zone_exists() returns trigger language plpgsql as $$
begin
    -- The view reads hundreds of files, so first ask the other centres.
    if not exists (select from centres where time_zone = new.time_zone)
        and not exists (select from pg_timezone_names where name = new.time_zone) then
        raise exception 'unknown time zone %', new.time_zone
            using errcode = 'check_violation', constraint = 'centres_time_zone';
    end if;
    return new;
end $$;
-- +goose StatementEnd

create table centres (
    id        bigint generated always as identity primary key,
    name      text not null constraint centres_name unique check (name <> ''),
    address   text not null default '',
    time_zone text not null,
    latitude  double precision not null check (latitude between -90 and 90),
    longitude double precision not null check (longitude between -180 and 180)
);

create trigger centres_time_zone before insert or update of time_zone on centres
    for each row execute function time_zone_exists();

-- One place a postcode: where several villages share one, the name read back is
-- that of the post town.
create table postcodes (
    postcode  text primary key check (postcode ~ '^[0-9]{5}$'),
    place     text not null check (place <> ''),
    centre_id bigint not null references centres
);

-- Who may book at present. At first everyone.
create table rule (
    one     boolean primary key default true check (one),
    min_age integer not null check (min_age >= 0),
    on_day  date not null
);

insert into rule (min_age, on_day) values (0, '9999-12-31');
