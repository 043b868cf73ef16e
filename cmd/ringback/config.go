package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ringback/config"
	"ringback/prompts"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Explain the settings, and check a configuration"}
	c.AddCommand(configExplainCommand(), configCheckCommand())
	return c
}

func configExplainCommand() *cobra.Command {
	var asJSON, asYAML bool
	c := &cobra.Command{
		Use:   "explain [KEY]",
		Short: "Tell default, unit, meaning and variable of every setting",
		Long: `Tell default, unit, meaning and environment variable of every setting, of those in
a section, or of one. With --yaml it is a file to start from.`,
		Example: `  ringback config explain
  ringback config explain asterisk.longest_call
  ringback config explain --yaml > ringback.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key := ""
			if len(args) > 0 {
				key = args[0]
			}
			settings, err := config.Find(key)
			if err != nil {
				return err
			}
			write := config.WriteTable
			switch {
			case asJSON:
				write = config.WriteJSON
			case asYAML:
				write = config.WriteYAML
			}
			return write(c.OutOrStdout(), settings)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&asYAML, "yaml", false, "write a commented configuration, every key at its default")
	c.MarkFlagsMutuallyExclusive("json", "yaml")
	return c
}

func configCheckCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration without starting anything",
		Long: `Check a configuration, together with the environment, as the controller would at
its start. Every fault is named at once, with its mend. What is behind the
settings, such as Postgres, is looked at by "ringback doctor".`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return errors.New("name the configuration with --config FILE")
			}
			settings, err := config.Load(file)
			if err != nil {
				return err
			}
			if _, err := rulesOf(settings); err != nil {
				return err
			}
			if _, err := agentsOf(settings, prompts.Default()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is without faults.\n", file)
			return nil
		},
	}
	c.Flags().StringVar(&file, "config", "", "the configuration, a YAML `FILE`")
	return c
}
