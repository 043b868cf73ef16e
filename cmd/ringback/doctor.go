package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ringback/config"
	"ringback/demo"
	"ringback/doctor"
	"ringback/prompts"
)

func doctorCommand() *cobra.Command {
	var file, dir, sip string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with an installation, and say what to do",
		Long: `Look a configured or running installation over: configuration, Postgres,
Asterisk, SIP, controller, prompts, voices, disks, clocks and names. Each finding
is ok, a warning or a failure, with what was seen and what to do about it. It
changes nothing, may run beside a controller that leads calls, and is done within
ten seconds. Run it as the user of the controller, on its machine.

The exit status is 0 when nothing failed, and 1 otherwise.`,
		Example: `  ringback doctor --config /etc/ringback/ringback.yaml
  ringback doctor --dir .ringback
  ringback doctor --dir .ringback --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if dir != "" {
				d, err := demoAt(dir)
				if err != nil {
					return err
				}
				file = filepath.Join(dir, "ringback.yaml")
				if sip == "" {
					sip = d.SIP
				}
			}
			settings, fault := config.Load(file)
			r := doctor.Run(c.Context(), doctor.Options{
				Config: settings, Fault: fault, File: file, SIP: sip, Texts: prompts.Default(), Lines: prompts.Declarations, Engine: newEngine,
			})
			write := r.WriteText
			if asJSON {
				write = r.WriteJSON
			}
			if err := write(c.OutOrStdout()); err != nil {
				return err
			}
			switch n := r.Count(doctor.Failure); n {
			case 0:
				return nil
			case 1:
				return errors.New("1 finding is a failure")
			default:
				return fmt.Errorf("%d findings are failures", n)
			}
		},
	}
	f := c.Flags()
	f.StringVar(&file, "config", "", "the configuration, a YAML `FILE`; without it the defaults and the environment count")
	f.StringVar(&dir, "dir", "", "instead, the folder of a demo, for example .ringback")
	f.StringVar(&sip, "sip", "", "where Asterisk answers SIP, as `HOST:PORT`; without it Asterisk is asked")
	f.BoolVar(&asJSON, "json", false, "write the report as JSON")
	c.MarkFlagsMutuallyExclusive("config", "dir")
	return c
}

// demoAt reads what a demo says of itself; one that does not run at the moment
// says nothing.
func demoAt(dir string) (demo.Info, error) {
	var d demo.Info
	if _, err := os.Stat(filepath.Join(dir, "ringback.yaml")); errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("no demo was started in %s: start one with make demo, or name another folder with --dir", dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		return d, fmt.Errorf("read demo.json of %s: %w", dir, err)
	}
	return d, nil
}
