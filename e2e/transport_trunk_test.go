package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	asteriskconf "ringback/asterisk-conf"
	"ringback/phone"
	"ringback/phone/phonetest"
)

// TestTransportRegistration: Asterisk logs in at a provider's registrar, and a
// call to the address it left there is the trunk's, from an address that is
// otherwise another trunk's: the number is the one this trunk asserts.
func TestTransportRegistration(t *testing.T) {
	t.Parallel()
	r := phonetest.StartRegistrar(t, "4923150010", "s3cret word")
	trunks := filepath.Join(t.TempDir(), "trunks.json")
	text, err := json.Marshal([]asteriskconf.Trunk{{
		Name: "provider", Trust: asteriskconf.TrustAsserted,
		Registration: &asteriskconf.Registration{
			Server: "sip:" + r.Addr, Account: "sip:4923150010@" + r.Addr, User: r.User, Password: r.Password,
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(trunks, text, 0o600); err != nil {
		t.Fatal(err)
	}
	h := own(t, "--trunks", trunks)
	known := h.prompts(t)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var contact sip.Uri
	select {
	case contact = <-r.Registered:
	case <-ctx.Done():
		t.Fatal("nobody registered")
	}
	if n := r.Challenges(); n == 0 {
		t.Error("it registered without a challenge")
	}
	if line, _ := contact.UriParams.Get("line"); len(line) < 7 {
		t.Errorf("contact %s: its line is easily guessed", contact.String())
	}
	asserted := newNumber()
	options := phone.CallOptions{
		To: contact.String(), From: "+4930111111",
		Headers: map[string]string{"P-Asserted-Identity": "<sip:" + asserted + "@carrier.example>"},
	}
	c := answered(t, telephone, options, known)
	c.expect(ctx, "welcome.greeting")
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if last := h.lastCall(t, asserted); last.Outcome.Result != "hung_up" {
		t.Errorf("the call ended as %v", last.Outcome)
	}

	// Without the word that only the registrar knows it is the other trunk.
	contact.UriParams.Remove("line")
	number := newNumber()
	options.To, options.From = contact.String(), number
	stranger := answered(t, telephone, options, known)
	stranger.expect(ctx, "welcome.greeting")
	if err := stranger.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	h.lastCall(t, number)
}
