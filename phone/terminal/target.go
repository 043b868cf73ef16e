package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/e164"
	"ringback/phone"
	"ringback/phone/listen"
)

// target is whom to ring, as whom, and what is known of it.
type target struct {
	uri       string
	host      string // with its port
	user      string
	ip        string // ours towards it
	transport string
	from      e164.Number
	rawFrom   string // where from is no number of the public network
	demo      bool

	api     *api            // nil: none is known
	library *listen.Library // nil: none is known
}

// demoFile is what is needed of DIR/demo.json.
type demoFile struct {
	SIP    string `json:"sip"`
	Number string `json:"number"`
	API    string `json:"api"`
	APIKey string `json:"api_key"`
	Phones []struct {
		User     string `json:"user"`
		Password string `json:"password"`
	} `json:"sip_phones"`
}

// DefaultFrom is the number rung from when none is given.
const DefaultFrom = "+4923150012345"

const startDemo = "Is the demo running? Start it with make demo."

// aim finds out whom to ring.
func aim(o Options) (target, error) {
	demo, err := readDemo(o.Dir)
	if err != nil && (o.To == "" || !errors.Is(err, fs.ErrNotExist)) {
		if errors.Is(err, fs.ErrNotExist) {
			return target{}, fmt.Errorf("no demo was started in %s, and no address is given with --to. %s", o.Dir, startDemo)
		}
		return target{}, fmt.Errorf("read the demo's address: %w", err)
	}
	t := target{uri: o.To}
	if t.uri == "" {
		t.uri = fmt.Sprintf("sip:%s@%s", demo.Number, demo.SIP)
	}
	if !strings.HasPrefix(t.uri, "sip:") {
		t.uri = "sip:" + t.uri
	}
	var uri sip.Uri
	if err := sip.ParseUri(t.uri, &uri); err != nil || uri.Host == "" {
		return t, fmt.Errorf("%q is no SIP address: write it like sip:116117@127.0.0.1:8060", o.To)
	}
	t.user = uri.User
	port := uri.Port
	if port == 0 {
		port = 5060
	}
	t.host = net.JoinHostPort(uri.Host, strconv.Itoa(port))
	t.transport, _ = uri.UriParams.Get("transport")
	t.transport = strings.ToLower(t.transport)
	if t.transport != "" && t.transport != "udp" && t.transport != "tcp" {
		return t, fmt.Errorf("transport %q: this telephone has udp and tcp", t.transport)
	}
	if t.ip, err = phone.OutboundIP(t.host); err != nil {
		return t, fmt.Errorf("%s cannot be reached: %w", t.host, err)
	}
	t.demo = demo.SIP != "" && t.host == demo.SIP
	if err := t.callFrom(o.From); err != nil {
		return t, err
	}
	if !t.demo {
		return t, nil
	}
	t.api = &api{base: demo.API, key: demo.APIKey}
	t.library, err = listen.Open(filepath.Join(o.Dir, "sounds"))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil // captions say so
	}
	return t, err
}

func readDemo(dir string) (demoFile, error) {
	var d demoFile
	path := filepath.Join(dir, "demo.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// callFrom reads the number to ring from. A foreign exchange may know callers
// by other names than numbers.
func (t *target) callFrom(raw string) error {
	n, err := e164.Parse(raw, "DE")
	if err != nil && !t.demo {
		t.rawFrom = raw
		return nil
	}
	if err != nil {
		return fmt.Errorf("--from %s is no telephone number: write it like %s, or anonymous", raw, DefaultFrom)
	}
	t.from = n
	return nil
}

func (t target) sipFrom() string {
	switch {
	case t.rawFrom != "":
		return t.rawFrom
	case t.from == e164.Withheld:
		return phone.Anonymous
	}
	return string(t.from)
}

func (t target) shownFrom() string {
	if s := t.sipFrom(); s != phone.Anonymous {
		return s
	}
	return "a withheld number"
}

func (t target) number() string {
	if t.user == "" {
		return "the hotline"
	}
	return t.user
}

var errNoAnswer = errors.New("nobody answered")

// explain turns what came of dialling into a sentence.
func (t target) explain(err error) error {
	var refused *phone.Refused
	switch {
	case errors.Is(err, phone.ErrNoReply):
		return fmt.Errorf("nothing answers at %s. %s", t.host, startDemo)
	case errors.Is(err, errNoAnswer):
		return fmt.Errorf("no answer after %s", spoken(longestRinging))
	case errors.As(err, &refused):
		switch refused.Status {
		case 486, 600:
			return errors.New("refused: busy")
		case 408, 480, 487:
			return errors.New("no answer")
		}
		return refused
	case errors.Is(err, context.Canceled), errors.Is(err, phone.ErrEnded):
		return errHungUp
	}
	return err
}
