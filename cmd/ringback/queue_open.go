package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"ringback/postgres"
)

// openDesk opens the line that --config, --dir or --database names.
func openDesk(c *cobra.Command) (*desk, error) {
	settings, err := lineSettings(c)
	if err != nil {
		return nil, err
	}
	rules, err := rulesOf(settings)
	if err != nil {
		return nil, err
	}
	url, err := c.Flags().GetString("database")
	if err != nil {
		return nil, err
	}
	if url == "" {
		url = settings.Database.URL.Reveal()
	}
	db, err := postgres.Open(c.Context(), url, postgres.Options{Name: "ringback queue", MaxConns: 2})
	if err != nil {
		return nil, err
	}
	if err := migrated(c.Context(), db); err != nil {
		db.Close()
		return nil, err
	}
	line := postgres.NewQueue(db, rules)
	return &desk{
		Line: line, rules: rules, region: settings.Region,
		now: time.Now, zone: time.Local, close: db.Close,
		forget: func(ctx context.Context) (postgres.Forgotten, error) {
			return line.Forget(ctx, postgres.Retention(settings.Retention), time.Now())
		},
	}, nil
}
