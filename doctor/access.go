package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// clipsReadable looks whether the user that Asterisk runs as can read what it
// is to play. Only files of this machine can be looked at; ARI lists sounds of
// Asterisk's own folders only.
func clipsReadable(_ context.Context, s *site) []Finding {
	if _, err := s.asterisk(); err != nil {
		return nil
	}
	uid, ok := s.listener(s.Config.Asterisk.URL)
	if !ok {
		return fine("whether Asterisk can read %s is not known here: it runs elsewhere", s.Config.Speech.Dir)
	}
	dir := s.Config.Speech.Dir
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // the clips are missing altogether
	}
	who := account(uid)
	for _, path := range oneOfEach(dir) {
		barred, err := who.barred(path)
		switch {
		case err != nil:
			return warned(fmt.Sprintf("whether Asterisk can read %s cannot be looked at: %s", path, reason(err)), "Run `ringback doctor` as root or as the user of the controller.")
		case barred != "":
			return failed(fmt.Sprintf("Asterisk runs as %s and cannot read %s: callers hear nothing", who.name, barred),
				fmt.Sprintf("Run Asterisk and the controller as one user, or let %s read that.", who.name))
		}
	}
	return fine("Asterisk, as %s, can read %s", who.name, dir)
}

// oneOfEach is a file of the fixed lines and one with a caller's data, or their
// folders where they are empty.
func oneOfEach(dir string) []string {
	var paths []string
	for _, sub := range []string{spokenFixed, spokenSaid} {
		folder := filepath.Join(dir, sub)
		files, err := filepath.Glob(filepath.Join(folder, "*"+soundFormats[0]))
		switch {
		case err == nil && len(files) > 0:
			paths = append(paths, files[0])
		default:
			if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
				paths = append(paths, folder)
			}
		}
	}
	if paths == nil {
		return []string{dir}
	}
	return paths
}

// listener is the user whose program listens on this machine at the port of an
// address, as the kernel tells it (proc(5), /proc/net/tcp).
func listener(address string) (uid int, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, false
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return 0, false
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0, false
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		if uid, ok := listenerIn(string(text), n); ok {
			return uid, true
		}
	}
	return 0, false
}

// listenerIn finds the port in a table of the kernel: "0A" is listening, the
// second column the local address in hexadecimal, the eighth the user.
func listenerIn(table string, port int) (uid int, ok bool) {
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 || f[3] != "0A" || !strings.HasSuffix(f[1], suffix) {
			continue
		}
		if uid, err := strconv.Atoi(f[7]); err == nil {
			return uid, true
		}
	}
	return 0, false
}

// someone is a user of this machine.
type someone struct {
	uid    int
	name   string
	groups []int
}

func account(uid int) someone {
	w := someone{uid: uid, name: "user " + strconv.Itoa(uid)}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return w
	}
	w.name = u.Username
	ids, err := u.GroupIds()
	if err != nil {
		ids = []string{u.Gid}
	}
	for _, id := range ids {
		if g, err := strconv.Atoi(id); err == nil {
			w.groups = append(w.groups, g)
		}
	}
	return w
}

// barred returns what on the way to path this user may not enter or read, or
// nothing. Rights beyond owner, group and others (ACLs) are not looked at.
func (w someone) barred(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	if w.uid == 0 {
		return "", nil
	}
	const read, enter = 4, 1
	for at, want := path, fs.FileMode(read); ; at, want = filepath.Dir(at), enter {
		info, err := os.Stat(at)
		if err != nil {
			return "", err
		}
		if at == path && info.IsDir() {
			want = read | enter
		}
		if !w.may(info, want) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// may says whether the rights of a file give this user what is wanted.
func (w someone) may(info fs.FileInfo, want fs.FileMode) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case !ok: // others' rights
	case int(stat.Uid) == w.uid:
		mode >>= 6
	case slices.Contains(w.groups, int(stat.Gid)):
		mode >>= 3
	}
	return mode&want == want
}
