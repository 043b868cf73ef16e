package doctor

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"ringback/asterisk"
	"ringback/config"
	"ringback/postgres/pgtest"
)

// TestReal looks over a real Postgres and a real Asterisk, whole and broken.
func TestReal(t *testing.T) {
	t.Parallel()
	ari := strings.Split(os.Getenv("RINGBACK_TEST_ARI"), ",")
	if len(ari) != 3 {
		const need = "needs a real Asterisk: set RINGBACK_TEST_ARI=url,user,password"
		if os.Getenv("CI") == "true" {
			t.Fatal(need)
		}
		t.Skip(need)
	}
	database := pgtest.URL(t)
	for name, c := range map[string]struct {
		breaks func(*config.Config)
		// failed are the only checks of servers that fail.
		failed []string
	}{
		"whole":          {func(*config.Config) {}, nil},
		"ARI password":   {func(c *config.Config) { c.Asterisk.Password = "wrong" }, []string{"asterisk"}},
		"ARI elsewhere":  {func(c *config.Config) { c.Asterisk.URL += "/none" }, []string{"asterisk"}},
		"other database": {func(c *config.Config) { c.Database.URL = other(t, database, "nowhere") }, []string{"postgres"}},
		"not migrated":   {func(c *config.Config) { c.Database.URL = config.Secret(os.Getenv(pgtest.Env)) }, []string{"postgres.schema"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := setup(t)
			o := in.site.Options
			o.Config.Asterisk = config.Asterisk{URL: ari[0], User: ari[1], Password: config.Secret(ari[2]), App: "nobody", Request: o.Config.Asterisk.Request}
			o.Config.Database.URL = config.Secret(database)
			i, err := asterisk.Inspect(t.Context(), asterisk.Options{URL: ari[0], User: ari[1], Password: ari[2], App: "nobody"})
			if err != nil {
				t.Fatal(err)
			}
			o.Config.Node = i.Node
			c.breaks(&o.Config)
			r := Run(t.Context(), o)
			var failed []string
			for _, f := range r.Findings {
				server := strings.HasPrefix(f.Check, "postgres") || strings.HasPrefix(f.Check, "asterisk")
				if server && f.State == Failure && f.Check != "postgres.disk" {
					failed = append(failed, f.Check)
				}
			}
			if !slices.Equal(failed, c.failed) {
				t.Errorf("failed %v, want %v:\n%s", failed, c.failed, text(t, r))
			}
		})
	}
}

// other is the address of another database of the same server.
func other(t *testing.T, address, name string) config.Secret {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return config.Secret(u.String())
}
