package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestJudgements(t *testing.T) {
	t.Parallel()
	day := time.Date(2021, time.January, 25, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		got  []Finding
		want State
	}{
		"room":              {room("x", 50<<30, 100<<30, "do"), OK},
		"less than 5 %":     {room("x", 2<<30, 100<<30, "do"), Warning},
		"less than 1 GB":    {room("x", 900<<20, 2<<30, "do"), Warning},
		"next to none":      {room("x", 50<<20, 2<<30, "do"), Failure},
		"a disk of no size": {room("x", 0, 0, "do"), Failure},
		"name quick":        {lookedUp("n", time.Millisecond, nil), OK},
		"name slow":         {lookedUp("n", 100*time.Millisecond, nil), Warning},
		"name very slow":    {lookedUp("n", 2*time.Second, nil), Failure},
		"name not found":    {lookedUp("n", time.Millisecond, errors.New("no such host")), Warning},
		"name, none at all": {lookedUp("n", 2*time.Second, errors.New("no such host")), Failure},
		"certificate":       {lasts(day.AddDate(0, 2, 0), day), OK},
		"ends soon":         {lasts(day.AddDate(0, 0, 10), day), Warning},
		"has ended":         {lasts(day.AddDate(0, 0, -1), day), Failure},
		"clock kept":        {kept(unix.TIME_OK, 0, nil), OK},
		"clock not kept":    {kept(unix.TIME_ERROR, unix.STA_UNSYNC, nil), Warning},
		"clock not known":   {kept(0, 0, unix.ENOSYS), OK},
	} {
		if len(c.got) != 1 || c.got[0].State != c.want || (c.want != OK) != (c.got[0].Do != "") {
			t.Errorf("%s: %+v, want %s", name, c.got, c.want)
		}
	}
}

func TestDisk(t *testing.T) {
	t.Parallel()
	// A folder that is not there yet will be on its parent's disk.
	f := disk("x", filepath.Join(t.TempDir(), "not", "there"), "do")
	if len(f) != 1 || f[0].Seen == "" {
		t.Errorf("got %+v", f)
	}
}

func TestBarred(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	private, file := filepath.Join(dir, "private"), filepath.Join(dir, "private", "clip.alaw")
	if err := errors.Join(os.Mkdir(private, 0o750), os.WriteFile(file, nil, 0o640)); err != nil {
		t.Fatal(err)
	}
	owner := someone{uid: os.Getuid()}
	group := someone{uid: 64_321, groups: []int{os.Getgid()}}
	other := someone{uid: 64_321, groups: []int{64_321}}
	for name, c := range map[string]struct {
		who        someone
		file, want string
	}{
		"root":             {someone{uid: 0}, file, ""},
		"owner":            {owner, file, ""},
		"others, a file":   {other, file, file},
		"others, a folder": {other, private, private},
	} {
		if got, err := c.who.barred(c.file); got != c.want || err != nil {
			t.Errorf("%s: barred by %q, %v, want %q", name, got, err, c.want)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if !group.may(info, 4) || group.may(info, 2) || other.may(info, 4) {
		t.Error("the group may read, and others not")
	}
	if _, err := owner.barred(filepath.Join(dir, "none")); err == nil && os.Getuid() != 0 {
		t.Error("a file that is not there can be read")
	}
}

// As a kernel writes it: 127.0.0.1:35623 listening by user 101, and a
// connection of another one to it.
const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:8B27 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 15
   1: 0100007F:C6D4 0100007F:8B27 01 00000000:00000000 00:00000000 00000000     7        0 16
`

func TestListener(t *testing.T) {
	t.Parallel()
	if uid, ok := listenerIn(tcpTable, 0x8b27); !ok || uid != 101 {
		t.Errorf("user %d, %v", uid, ok)
	}
	if uid, ok := listenerIn(tcpTable, 0xc6d4); ok {
		t.Errorf("a connection was taken for a listener, of user %d", uid)
	}
	host, port := mute(t)
	if uid, ok := listener("http://" + host + ":" + strconv.Itoa(port) + "/ari"); !ok || uid != os.Getuid() {
		t.Errorf("our own listener is of user %d, %v", uid, ok)
	}
	for _, elsewhere := range []string{"http://192.0.2.1:8088/ari", "http://asterisk.example:8088/ari"} {
		if _, ok := listener(elsewhere); ok {
			t.Errorf("%s is on this machine", elsewhere)
		}
	}
}
