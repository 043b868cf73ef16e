package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// mirrorFake is an apt whose archive holds one package, "tiny", with one
// program. It is a script, so that all around it is as it really is.
const mirrorFake = `#!/bin/sh
echo "$@" >> "$FAKE/asked"
dir=$(sed -n 's/^Dir "\(.*\)";/\1/p' "$APT_CONFIG")
case "$*" in
*update*)   [ ! -e "$FAKE/no-network" ] || { echo "E: Could not resolve the mirror"; exit 100; } ;;
*print-uris*) echo "'http://mirror/tiny.deb' tiny.deb $(wc -c < "$FAKE/tiny.deb") SHA256:0" ;;
*download*) [ ! -e "$FAKE/broken" ] || { echo "E: Hash Sum mismatch"; exit 100; }
	[ ! -e "$FAKE/short" ] || { : > "$dir/var/cache/apt/archives/tiny.deb"; exit 0; }
	[ ! -e "$FAKE/slow" ] || { : > "$FAKE/waiting"; exec sleep 1000; }
	cp "$FAKE/tiny.deb" "$dir/var/cache/apt/archives/" ;;
esac
`

// fakeApt puts it first on PATH, so these tests are not parallel to others.
func fakeApt(t *testing.T) (dir string) {
	t.Helper()
	if look("dpkg-deb") == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("dpkg-deb is not here")
		}
		t.Skip("dpkg-deb is not here")
	}
	dir = t.TempDir()
	pkg := filepath.Join(dir, "tiny")
	for name, text := range map[string]string{
		"tiny/DEBIAN/control":          "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n",
		"tiny/usr/bin/tiny":            "#!/bin/sh\necho tiny\n",
		"tiny/usr/share/doc/tiny/text": "left out",
		"bin/apt-get":                  mirrorFake,
		"bin/apt-config":               "#!/bin/sh\necho 'Acquire::http::Proxy \"http://proxy\";'\necho 'APT::Update::Post-Invoke:: \"touch " + dir + "/hook\";'\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Set-user-id in a package is taken away.
	if err := os.Chmod(filepath.Join(pkg, "usr/bin/tiny"), 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("dpkg-deb", "--build", "--root-owner-group", pkg, filepath.Join(dir, "tiny.deb")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", dir)
	return dir
}

var tinySet = set{
	name: "tiny", why: "a tiny program", suite: suiteHost, packages: []string{"tiny"},
	build: func(root, bin string) error {
		return os.Symlink("../root/usr/bin/tiny", filepath.Join(bin, "tiny"))
	},
	try: func(ctx context.Context, bin, _ string) error { return runs(ctx, filepath.Join(bin, "tiny")) },
}

// left are the names in the cache.
func left(t *testing.T, cache string) []string {
	t.Helper()
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFetch(t *testing.T) {
	fake := fakeApt(t)
	cache := filepath.Join(t.TempDir(), "cache")
	older := filepath.Join(cache, "tiny-0")
	if err := os.MkdirAll(filepath.Join(cache, unfinished+"killed"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(older, 0o755); err != nil {
		t.Fatal(err)
	}
	// Two at once on a fresh machine: one fetches, the other waits for it.
	var said [2]bytes.Buffer
	var errs [2]error
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() { errs[i] = fetch(t.Context(), Options{Cache: cache, Out: &said[i]}, []set{tinySet}) })
	}
	both.Wait()
	if err := errors.Join(errs[0], errs[1]); err != nil {
		t.Fatal(err)
	}
	if got := left(t, cache); !slices.Equal(got, []string{"lock", "tiny-1"}) {
		t.Errorf("the cache holds %v", got)
	}
	asked, err := os.ReadFile(filepath.Join(fake, "asked"))
	if err != nil || strings.Count(string(asked), "--download-only") != 1 {
		t.Errorf("downloaded other than once: %v\n%s", err, asked)
	}
	text := said[0].String() + said[1].String()
	for _, want := range []string{"a tiny program", "To download: ", cache} {
		if !strings.Contains(text, want) {
			t.Errorf("it did not say %q:\n%s", want, text)
		}
	}
	program := filepath.Join(tinySet.dir(cache), "root/usr/bin/tiny")
	if i, err := os.Stat(program); err != nil || i.Mode() != 0o755 {
		t.Errorf("the program is %v, %v", i.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(tinySet.dir(cache), "root/usr/share/doc")); err == nil {
		t.Error("documentation was unpacked")
	}
	if _, err := os.Stat(filepath.Join(fake, "hook")); err == nil {
		t.Error("a hook of the machine's own apt ran")
	}
}

// Whatever goes wrong: one sentence with the mend, and nothing half-made.
func TestFetchThatFails(t *testing.T) {
	fake := fakeApt(t)
	for name, c := range map[string]struct {
		fault string
		set   func(set) set
		says  []string
	}{
		"no network":    {fault: "no-network", says: []string{"Could not resolve the mirror", "try again"}},
		"wrong sum":     {fault: "broken", says: []string{"Hash Sum mismatch", "try again"}},
		"half a file":   {fault: "short", says: []string{"tiny.deb", "incomplete", "try again"}},
		"does not run":  {set: failing, says: []string{"tiny was fetched but does not run here", "no such luck"}},
		"does not suit": {set: unsuited, says: []string{"set up tiny", "another layout"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := tinySet
			if c.set != nil {
				s = c.set(s)
			}
			if c.fault != "" {
				file := filepath.Join(fake, c.fault)
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(file)
			}
			cache := t.TempDir()
			err := fetch(t.Context(), Options{Cache: cache, Out: &bytes.Buffer{}}, []set{s})
			if err == nil {
				t.Fatal("no error")
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a sentence", err)
			}
			if got := left(t, cache); !slices.Equal(got, []string{"lock"}) {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

func failing(s set) set {
	s.try = func(context.Context, string, string) error { return errors.New("no such luck") }
	return s
}

func unsuited(s set) set {
	s.build = func(string, string) error { return errors.New("another layout") }
	return s
}

func TestFetchStoppedInTheMiddle(t *testing.T) {
	fake := fakeApt(t)
	if err := os.WriteFile(filepath.Join(fake, "slow"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	stopped := errors.New("stopped")
	ctx, stop := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- fetch(ctx, Options{Cache: cache, Out: &bytes.Buffer{}}, []set{tinySet}) }()
	if err := until(t.Context(), func(context.Context) error {
		_, err := os.Stat(filepath.Join(fake, "waiting"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	stop(stopped)
	if err := <-done; !errors.Is(err, stopped) {
		t.Errorf("error %v, want why it was stopped", err)
	}
	if got := left(t, cache); !slices.Equal(got, []string{"lock"}) {
		t.Errorf("left behind: %v", got)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := fetch(t.Context(), Options{Cache: filepath.Join(file, "cache"), Out: &bytes.Buffer{}}, []set{tinySet})
	if err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("error %v, want the mend", err)
	}
}

func TestChooseMirror(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		targets string
		want    mirror
		none    bool
	}{
		"a machine as it is installed": {
			targets: "http://a/debian-security/\tDebian\tbookworm-security\tmain\t\n" +
				"http://a/debian/\tDebian\tbookworm-updates\tmain\t\n" +
				"http://a/debian/\tDebian\tbookworm\tmain\t/usr/share/keyrings/k.gpg\n",
			want: mirror{"http://a/debian/", "/usr/share/keyrings/k.gpg"},
		},
		"others before Debian": {
			targets: "https://deb.example/node\tNode\tnodistro\tmain\t\nhttps://m/x/\tDebian\ttrixie\tmain\t\n",
			want:    mirror{uri: "https://m/x/"},
		},
		"before the first apt-get update": {
			targets: "http://a/other/\t$(ORIGIN)\tstable\tmain\t\nhttp://a/debian/\t$(ORIGIN)\tbookworm\tmain\t$(SIGNED_BY)\n",
			want:    mirror{uri: "http://a/debian/"},
		},
		"a key by its number": {
			targets: "http://a/debian/\tDebian\tbookworm\tmain\t0123456789ABCDEF\n",
			want:    mirror{uri: "http://a/debian/"},
		},
		"only extras":   {targets: "http://a/debian/\tDebian\tbookworm\tcontrib\t\n", none: true},
		"no source":     {none: true},
		"another house": {targets: "http://a/ubuntu/\tUbuntu\tnoble\tmain\t\n", none: true},
	} {
		got, ok := chooseMirror(c.targets)
		if ok == c.none || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, ok, c.want)
		}
	}
}
