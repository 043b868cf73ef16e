package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"ringback/config"
	"ringback/postgres"
)

// databaseFlags adds the flags that say where the database is.
func databaseFlags(c *cobra.Command) {
	c.PersistentFlags().String("config", "", "the configuration, a YAML `FILE`; without it the defaults and the environment count")
	c.PersistentFlags().String("database", "", "the database's address, a postgres:// `URL`, instead of the configured one")
}

// openDatabase opens the database the flags of databaseFlags name. Close it.
func openDatabase(c *cobra.Command) (*postgres.DB, error) {
	url, err := c.Flags().GetString("database")
	if err != nil {
		return nil, err
	}
	if url == "" {
		file, err := c.Flags().GetString("config")
		if err != nil {
			return nil, err
		}
		settings, err := config.Load(file)
		if err != nil {
			return nil, err
		}
		url = settings.Database.URL.Reveal()
	}
	return postgres.Open(c.Context(), url, postgres.Options{Name: "ringback " + c.Name(), MaxConns: 2})
}

// migrated says that the schema is this program's, or what to do.
func migrated(ctx context.Context, db *postgres.DB) error {
	current, latest, err := db.Version(ctx)
	if err == nil && current < latest {
		err = fmt.Errorf("the database's schema is at version %d and not at %d: run \"ringback migrate\" first", current, latest)
	}
	return err
}
