package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long: `Bring the database's schema up to date. It only goes forward, and calls may run
meanwhile: the release before works on the new schema too. Started on several
nodes at once, one migrates and the others wait for it.`,
		Args: cobra.NoArgs,
		RunE: migrate,
	}
	databaseFlags(c)
	return c
}

func migrate(c *cobra.Command, _ []string) error {
	db, err := openDatabase(c)
	if err != nil {
		return err
	}
	defer db.Close()
	before, latest, err := db.Version(c.Context())
	if err != nil {
		return err
	}
	if err := db.Migrate(c.Context()); err != nil {
		return err
	}
	if before >= latest {
		fmt.Fprintf(c.OutOrStdout(), "The schema is up to date, at version %d.\n", before)
		return nil
	}
	fmt.Fprintf(c.OutOrStdout(), "The schema went from version %d to %d.\n", before, latest)
	return nil
}
