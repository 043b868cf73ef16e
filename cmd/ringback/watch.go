package main

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/asterisk"
	"ringback/config"
	"ringback/watchdog"
)

func watchCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "watch",
		Short: "Watch over the controller of this node",
		Long: `Watches over the controller of this node and the calls of its Asterisk, as a
process of its own beside them, with the controller's configuration.

A controller that gives no answer is killed, so that who started it starts it
again. While no controller leads the calls, they are sent to the dialplan's
fallback: their callers hear an announcement and music until one does. The
settings watchdog.* say after what time.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(file)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return watch(ctx, settings, c)
		},
	}
	c.Flags().StringVar(&file, "config", "", "the configuration of the controller, a YAML `FILE`; without it the defaults and the environment count")
	return c
}

func watch(ctx context.Context, settings config.Config, c *cobra.Command) error {
	a := settings.Asterisk
	stranded, err := asterisk.NewStranded(asterisk.Options{
		URL: a.URL, User: a.User, Password: a.Password.Reveal(), App: a.App, Request: a.Request,
	})
	if err != nil {
		return err
	}
	defer stranded.Close()
	w, err := watchdog.New(watchdog.Options{
		Exchange: stranded, Address: settings.HTTP.Listen, PIDFile: settings.Watchdog.PIDFile,
		Interval: settings.Watchdog.Interval, Frozen: settings.Watchdog.FrozenAfter, Fallback: settings.Watchdog.FallbackAfter,
		Logger: newLogger(settings.Log, c.ErrOrStderr()),
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return w.Run(ctx)
}
