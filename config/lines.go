package config

import (
	"net/netip"
	"strconv"
)

// Lines is how many calls this node's lines carry at once.
type Lines struct {
	Total   int `mapstructure:"total"`
	KeepOut int `mapstructure:"keep_out"`
}

// In is how many of the lines calls in may take, which is what Asterisk's
// dialplan counts; 0: as many as Asterisk carries.
func (l Lines) In() int { return l.Total - l.KeepOut }

// Intake is where Asterisk registers who rings when all lines are taken.
type Intake struct {
	Listen string `mapstructure:"listen"`
}

// Journal is where promises wait for the database.
type Journal struct {
	Dir string `mapstructure:"dir"`
}

// lines checks what is done when lines are short.
func (f *checker) lines(c Config) {
	f.within("lines.total", c.Lines.Total, 0, 100_000)
	if l := c.Lines; l.KeepOut < 0 || (l.KeepOut > 0 && l.KeepOut >= l.Total) {
		f.fault("lines.keep_out", strconv.Itoa(l.KeepOut), "take fewer lines than lines.total, and none where that is 0")
	}
	if a, err := netip.ParseAddrPort(c.Intake.Listen); err != nil || !a.Addr().IsLoopback() {
		f.fault("intake.listen", c.Intake.Listen, "take a loopback address and a port such as 127.0.0.1:4573: whoever reaches it can put numbers in line")
	}
	f.filled("journal.dir", c.Journal.Dir, "name a folder on a disk of this machine")
}
