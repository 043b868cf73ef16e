package asterisk_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
)

// inspected is a fake Asterisk whose answers, by method and path, are changed.
func inspected(t *testing.T, changed map[string]func(http.ResponseWriter)) (*aritest.Server, asterisk.Options) {
	t.Helper()
	say := func(body any) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _ = json.NewEncoder(w).Encode(body) }
	}
	answers := map[string]func(http.ResponseWriter){
		"GET /ari/asterisk/modules": say([]map[string]string{
			{"name": "app_stasis.so", "status": "Running"}, {"name": "res_srtp.so", "status": "Not Running"}, {"name": "acl", "status": "Running"},
		}),
		"GET /ari/asterisk/config/dynamic/res_pjsip/transport/udp": say([]map[string]string{
			{"attribute": "password", "value": "hunter2"}, {"attribute": "bind", "value": "192.0.2.1:5060"},
		}),
		"GET /ari/asterisk/config/dynamic/res_pjsip/transport/tcp": func(w http.ResponseWriter) {
			http.Error(w, `{"message": "Object with id 'tcp' not found"}`, http.StatusNotFound)
		},
		"GET /ari/asterisk/config/dynamic/res_pjsip/transport/tls": refuse(http.StatusNotFound),
	}
	for k, v := range changed {
		answers[k] = v
	}
	s := aritest.New(t)
	s.Intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user != aritest.User || password != aritest.Password {
			return false
		}
		f, ok := answers[r.Method+" "+r.URL.Path]
		if ok {
			f(w)
		}
		return ok
	}
	return s, asterisk.Options{URL: s.URL() + "/", User: aritest.User, Password: aritest.Password, App: aritest.App}
}

func refuse(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

func TestInspect(t *testing.T) {
	t.Parallel()
	_, o := inspected(t, nil)
	i, err := asterisk.Inspect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if i.Version != "22.0.0" || i.Major() != 22 || i.Node != aritest.Node || !i.Writable || !i.Controller {
		t.Errorf("got %+v", i)
	}
	if !i.Clock || i.Ahead != 0 {
		t.Errorf("our own clock is %v ahead of ours (told: %v)", i.Ahead, i.Clock)
	}
	if running, loaded := i.Modules["res_srtp"]; !loaded || running || !i.Modules["app_stasis"] {
		t.Errorf("modules %v", i.Modules)
	}
	if len(i.SIP) != 1 || i.SIP["udp"] != "192.0.2.1:5060" {
		t.Errorf("transports %v", i.SIP)
	}
}

func TestInspectTellsFaultsApart(t *testing.T) {
	t.Parallel()
	silent := func(w http.ResponseWriter) {
		w.Header()["Date"] = nil
		_, _ = io.WriteString(w, `{"system": {"version": "certified/20.7-cert1"}}`)
	}
	t.Run("read only", func(t *testing.T) {
		t.Parallel()
		_, o := inspected(t, map[string]func(http.ResponseWriter){"DELETE /ari/playbacks/ringback-doctor": refuse(http.StatusForbidden)})
		if i, err := asterisk.Inspect(t.Context(), o); err != nil || i.Writable {
			t.Errorf("writable %v, %v", i.Writable, err)
		}
	})
	t.Run("no controller, no name, no clock", func(t *testing.T) {
		t.Parallel()
		_, o := inspected(t, map[string]func(http.ResponseWriter){"GET /ari/asterisk/info": silent})
		o.App = "other"
		i, err := asterisk.Inspect(t.Context(), o)
		if err != nil || i.Controller || i.Node != "" || i.Clock || i.Major() != 20 {
			t.Errorf("got %+v, %v", i, err)
		}
	})
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		t.Run("clock "+ahead.String(), func(t *testing.T) {
			t.Parallel()
			_, o := inspected(t, map[string]func(http.ResponseWriter){"GET /ari/asterisk/info": func(w http.ResponseWriter) {
				w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
				_, _ = io.WriteString(w, `{"system": {"version": "22"}}`)
			}})
			i, err := asterisk.Inspect(t.Context(), o)
			if off := i.Ahead - ahead; err != nil || off < -2*time.Second || off > 2*time.Second {
				t.Errorf("ahead %v, want about %v; %v", i.Ahead, ahead, err)
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		_, o := inspected(t, nil)
		o.Password = "hunter2"
		_, err := asterisk.Inspect(t.Context(), o)
		if !errors.Is(err, asterisk.ErrCredentials) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	})
	for name, body := range map[string]string{"a page": "<html>", "other JSON": "{}", "not there": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body == "" {
					http.NotFound(w, r)
				}
				_, _ = io.WriteString(w, body)
			}))
			t.Cleanup(s.Close)
			_, err := asterisk.Inspect(t.Context(), asterisk.Options{URL: s.URL, User: "u", Password: "p", App: "a"})
			if !errors.Is(err, asterisk.ErrNoARI) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("down, and silent", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewServer(nil)
		s.Close()
		stuck := make(chan struct{})
		defer close(stuck)
		_, o := inspected(t, map[string]func(http.ResponseWriter){"GET /ari/asterisk/modules": func(http.ResponseWriter) { <-stuck }})
		o.Request = 50 * time.Millisecond
		down := asterisk.Options{URL: s.URL, User: "u", Password: "p", App: "a"}
		for _, o := range []asterisk.Options{down, o} {
			_, err := asterisk.Inspect(t.Context(), o)
			if err == nil || errors.Is(err, asterisk.ErrNoARI) || errors.Is(err, asterisk.ErrCredentials) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestRealInspect holds the fake's answers against a real Asterisk's.
func TestRealInspect(t *testing.T) {
	t.Parallel()
	url, user, password, sip := realAsterisk(t)
	i, err := asterisk.Inspect(t.Context(), asterisk.Options{URL: url, User: user, Password: password, App: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	if i.Major() < 20 || i.Node == "" || !i.Writable || i.Controller || !i.Clock || i.Ahead != 0 || !i.Modules["app_stasis"] {
		t.Errorf("got %+v", i)
	}
	if i.SIP["udp"] != sip || i.SIP["tcp"] != sip {
		t.Errorf("SIP at %v, want %s", i.SIP, sip)
	}
	_, err = asterisk.Inspect(t.Context(), asterisk.Options{URL: url, User: user, Password: "wrong", App: "nobody"})
	if !errors.Is(err, asterisk.ErrCredentials) {
		t.Errorf("with a wrong password: %v", err)
	}
}
