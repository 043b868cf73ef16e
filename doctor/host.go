package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// When a disk is full: Postgres stops, and lines are no longer spoken.
const (
	roomWarning = 1 << 30 // bytes
	roomFailure = 100 << 20
	partWarning = 0.05
)

func speechDisk(_ context.Context, s *site) []Finding {
	return disk("the folder of spoken lines", s.Config.Speech.Dir, "Make room, or set speech.dir to a larger disk.")
}

// databaseDisk looks at the disk of a Postgres on this machine that tells this
// user where its data is.
func databaseDisk(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil || !i.Local || i.Data == "" {
		return nil
	}
	if _, err := os.Stat(i.Data); err != nil {
		return nil // local by a tunnel, or in a container
	}
	return disk("Postgres' data", i.Data, "Make room, or move Postgres' data to a larger disk, before it stops.")
}

// disk measures the room where a path is, or will be.
func disk(what, path, do string) []Finding {
	path, err := filepath.Abs(path)
	if err != nil {
		return failed(reason(err), do)
	}
	var stat unix.Statfs_t
	for err = unix.Statfs(path, &stat); errors.Is(err, unix.ENOENT) && path != "/"; err = unix.Statfs(path, &stat) {
		path = filepath.Dir(path)
	}
	if err != nil {
		return warned(fmt.Sprintf("the room for %s cannot be measured: %v", what, err), "Run `ringback doctor` as the user of the controller.")
	}
	return room(what, stat.Bavail*uint64(stat.Bsize), stat.Blocks*uint64(stat.Bsize), do)
}

func room(what string, free, all uint64, do string) []Finding {
	part := 1.0
	if all > 0 {
		part = float64(free) / float64(all)
	}
	seen := fmt.Sprintf("%.1f GB (%.0f %%) are free for %s", float64(free)/1e9, 100*part, what)
	switch {
	case free < roomFailure:
		return failed(seen, do)
	case free < roomWarning, part < partWarning:
		return warned(seen, do)
	}
	return fine("%s", seen)
}

// Asterisk looks its own host's name up again and again: without an entry in
// /etc/hosts every call waits for a failing look-up, and at a hundred calls a
// second nearly all failed.
const (
	nameQuick = 50 * time.Millisecond
	nameSlow  = time.Second
)

func hostName(ctx context.Context, _ *site) []Finding {
	name, err := os.Hostname()
	if err != nil {
		return warned("this machine does not know its name: "+reason(err), "Set it with hostnamectl.")
	}
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	began := time.Now()
	_, err = net.DefaultResolver.LookupHost(ctx, name)
	return lookedUp(name, time.Since(began), err)
}

// lookedUp judges how the look-up of this machine's name went.
func lookedUp(name string, took time.Duration, err error) []Finding {
	do := fmt.Sprintf("Add the line \"127.0.1.1 %s\" to /etc/hosts, also in a container that Asterisk runs in.", name)
	shown := took.Round(100 * time.Microsecond)
	switch {
	case took > nameSlow:
		return failed(fmt.Sprintf("looking this machine's own name up took %v, and Asterisk does so in calls", shown), do)
	case err != nil:
		return warned(fmt.Sprintf("this machine's own name is not found (after %v), and Asterisk looks for it in calls", shown), do)
	case took > nameQuick:
		return warned(fmt.Sprintf("looking this machine's own name up took %v, and Asterisk does so in calls", shown), do)
	}
	return fine("this machine's own name was found in %v", shown)
}

// hostClock asks the kernel whether something keeps its clock (adjtimex(2)).
func hostClock(context.Context, *site) []Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return kept(state, t.Status, err)
}

// kept judges what the kernel said of its clock.
func kept(state int, status int32, err error) []Finding {
	if err != nil {
		return fine("whether this machine's clock is kept is not known here")
	}
	if state == unix.TIME_ERROR || status&unix.STA_UNSYNC != 0 {
		return warned("nothing keeps this machine's clock right", "Install chrony, or run `timedatectl set-ntp true`; in a container this is the host's affair.")
	}
	return fine("this machine's clock is kept by NTP or its like")
}

// anyZone is looked for where there are no centres yet.
const anyZone = "Europe/Berlin"

// timeZones looks whether the rules of the centres' time zones are there:
// without them times are spoken in UTC.
func timeZones(_ context.Context, s *site) []Finding {
	zones := []string{anyZone}
	if i, err := s.postgres(); err == nil && len(i.Zones) > 0 {
		zones = i.Zones
	}
	var missing []string
	for _, z := range zones {
		if _, err := time.LoadLocation(z); err != nil {
			missing = append(missing, z)
		}
	}
	if len(missing) > 0 {
		return failed(fmt.Sprintf("there are no rules for the time zones %s: callers would be told times in UTC", strings.Join(missing, ", ")),
			"Install the package tzdata; if it is there, correct the time zone of the centre.")
	}
	return fine("the rules of %s are there", strings.Join(zones, ", "))
}
