package phonetest

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Registrar is a registrar on 127.0.0.1 with one account.
type Registrar struct {
	Addr           string // host and port
	User, Password string
	// Registered gets the contact of each login, and Left that of each logout;
	// what nobody reads is dropped.
	Registered, Left chan sip.Uri

	mu         sync.Mutex
	challenges int
}

// StartRegistrar opens a registrar that is closed when the test ends.
func StartRegistrar(t testing.TB, user, password string) *Registrar {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ua, err := sipgo.NewUA(sipgo.WithUserAgent("registrar"),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet)))
	if err != nil {
		t.Fatal(err)
	}
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	r := &Registrar{
		Addr: socket.LocalAddr().String(), User: user, Password: password,
		Registered: make(chan sip.Uri, 10), Left: make(chan sip.Uri, 10),
	}
	answer := func(f func(*sip.Request) *sip.Response) sipgo.RequestHandler {
		return func(req *sip.Request, tx sip.ServerTransaction) { _ = tx.Respond(f(req)) }
	}
	server.OnRegister(answer(r.register))
	server.OnOptions(answer(func(req *sip.Request) *sip.Response {
		return sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	}))
	var served sync.WaitGroup
	served.Go(func() { _ = server.ServeUDP(socket) }) // ends when the socket is closed
	t.Cleanup(func() {
		_ = socket.Close()
		_ = ua.Close()
		served.Wait()
	})
	return r
}

// Challenges is how often a login without the right password was refused.
func (r *Registrar) Challenges() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.challenges
}

// register takes a login with the right password only.
func (r *Registrar) register(req *sip.Request) *sip.Response {
	challenge := &digest.Challenge{Realm: "carrier.example", Nonce: "n0nce", Algorithm: "MD5", QOP: []string{"auth"}}
	refuse := func() *sip.Response {
		r.mu.Lock()
		r.challenges++
		r.mu.Unlock()
		res := sip.NewResponseFromRequest(req, sip.StatusUnauthorized, "Unauthorized", nil)
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", challenge.String()))
		return res
	}
	header := req.GetHeader("Authorization")
	if header == nil {
		return refuse()
	}
	given, err := digest.ParseCredentials(header.Value())
	if err != nil {
		return refuse()
	}
	want, err := digest.Digest(challenge, digest.Options{
		Method: "REGISTER", URI: given.URI, Count: given.Nc, Cnonce: given.Cnonce, Username: r.User, Password: r.Password,
	})
	if err != nil || want.Response != given.Response || given.Username != r.User {
		return refuse()
	}
	res := sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	if c := req.Contact(); c != nil {
		told := r.Registered
		if h := req.GetHeader("Expires"); h != nil && h.Value() == "0" {
			told = r.Left
		} else {
			res.AppendHeader(sip.NewHeader("Contact", strings.TrimSpace(c.Value())+";expires=300"))
		}
		select {
		case told <- *c.Address.Clone():
		default:
		}
	}
	return res
}
