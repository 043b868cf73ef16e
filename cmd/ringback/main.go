// Command ringback is the appointment hotline: one program for the controller,
// the demo, a telephone in the terminal, and the tools of an operator.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker for releases (-ldflags "-X main.version=…").
var version = ""

func main() {
	root := &cobra.Command{
		Use:           "ringback",
		Short:         "A telephone hotline that books appointments",
		Version:       buildVersion(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		serveCommand(),
		watchCommand(),
		demoCommand(),
		callCommand(),
		migrateCommand(),
		slotsCommand(),
		queueCommand(openDesk),
		configCommand(),
		doctorCommand(),
	)
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "ringback:", err)
		os.Exit(1)
	}
}

// buildVersion is the release, or else the commit the binary was built from.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}
