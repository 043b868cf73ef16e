// Package aritest is a stand-in for Asterisk's ARI, for tests: its calls are
// driven by scripted callers, and its events come in the order in which a real
// Asterisk 22 sends them.
// It must not know who connects to it, or what the calls are about.
package aritest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What the server asks of who connects.
const (
	User     = "ringback"
	Password = "test"
	App      = "ringback" // what its dialplan names in Stasis()
	Node     = "test1"    // its systemname
)

// Server is an Asterisk with ARI. Set the exported fields before the first call.
type Server struct {
	// Length says how long a media URI sounds; 50 ms if nil. Below zero: there
	// is no such file.
	Length func(media string) time.Duration
	// Tone is the length of the tone before a recording.
	Tone time.Duration
	// Silence ends a recording; zero takes what the request says.
	Silence time.Duration
	// WriteTimeout is how long who is connected may take to read an event
	// before being cut off (websocket_write_timeout of ari.conf); a minute if
	// zero.
	WriteTimeout time.Duration
	// Rings is the far end of the telephones that Asterisk rings: it is called in
	// a goroutine of its own for each, which rings until Rings, or another,
	// answers or refuses it. Nil: WaitRung returns them.
	Rings func(*Caller)
	// Unknown says that Asterisk cannot ring an endpoint: it has no such, or
	// nobody is registered there. Nil: it can ring all.
	Unknown func(endpoint string) bool
	// Intercept sees every request first, the one for events included, and
	// says whether it has dealt with it.
	Intercept func(w http.ResponseWriter, r *http.Request) bool

	http  *httptest.Server
	pipes *pipes // by which it is reached; nil: by TCP

	mu        sync.Mutex
	socket    *socket // who gets the events, or nil
	dialled   int
	boot      time.Time
	rung      []*Caller     // that WaitRung did not return yet
	rings     chan struct{} // closed when one more is rung
	channels  map[string]*Caller
	bridges   map[string]*bridge
	playbacks map[string]*operation // playing or queued
	recorders map[string]*operation // recording or queued
	stored    map[string][]byte     // recordings, by name
	variables map[string]string     // global ones
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	return start(t, nil)
}

// start starts a server that is reached through pipes; nil: by TCP.
func start(t testing.TB, p *pipes) *Server {
	t.Helper()
	s := &Server{
		pipes:     p,
		Tone:      10 * time.Millisecond,
		boot:      time.Now(),
		rings:     make(chan struct{}),
		channels:  make(map[string]*Caller),
		bridges:   make(map[string]*bridge),
		playbacks: make(map[string]*operation),
		recorders: make(map[string]*operation),
		stored:    make(map[string][]byte),
		variables: make(map[string]string),
	}
	mux := http.NewServeMux()
	s.routes(mux)
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Intercept != nil && s.Intercept(w, r) {
			return
		}
		if user, password, _ := r.BasicAuth(); user != User || password != Password {
			refuse(w, http.StatusUnauthorized, "Authentication required")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	if p != nil {
		s.http.Listener.Close()
		s.http.Listener = p
	}
	s.http.Start()
	t.Cleanup(func() {
		s.Disconnect()
		s.mu.Lock()
		for _, c := range s.channels {
			c.clear()
		}
		s.mu.Unlock()
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// URL is the address of ARI.
func (s *Server) URL() string { return s.http.URL + "/ari" }

// Emit sends a frame as it is.
func (s *Server) Emit(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		s.socket.queue(frame)
	}
}

// Disconnect breaks the connection for events, as a network does. Events are
// lost until there is a new one; requests are still answered.
func (s *Server) Disconnect() {
	s.mu.Lock()
	old := s.socket
	s.socket = nil
	s.mu.Unlock()
	if old != nil {
		old.conn.CloseNow()
	}
}

// Restart has Asterisk end and start anew: its channels, bridges and variables
// are gone, and nobody hears of that.
func (s *Server) Restart() {
	s.Disconnect()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.channels {
		c.vanish()
	}
	clear(s.bridges)
	clear(s.variables)
	clear(s.stored)
	// It tells its start in milliseconds, and is not before what was.
	s.boot = time.Now().Add(time.Millisecond)
}

// CloseConnections closes all connections for requests, for tests that count
// what is left over.
func (s *Server) CloseConnections() { s.http.CloseClientConnections() }

// Stored is how many recordings are kept.
func (s *Server) Stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.stored)
}

// Channels is how many channels there are.
func (s *Server) Channels() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.channels)
}

// Bridges is how many bridges there are.
func (s *Server) Bridges() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bridges)
}

// Variable is a global variable; empty if it was never set.
func (s *Server) Variable(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.variables[name]
}

// Replace has another controller take the line, as far as the one that is
// connected hears of it only by asking: the event that tells of it is lost.
func (s *Server) Replace(variable, mark string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.variables[variable] = mark
}

// Connected says whether somebody gets the events.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket != nil
}

// socket is a connection for events. It queues without end.
type socket struct {
	conn *websocket.Conn
	more chan struct{}

	mu     sync.Mutex
	frames [][]byte
}

func (k *socket) queue(frame []byte) {
	k.mu.Lock()
	k.frames = append(k.frames, frame)
	k.mu.Unlock()
	select {
	case k.more <- struct{}{}:
	default:
	}
}

// write sends what is queued until the connection ends, or takes longer with
// an event than it may.
func (k *socket) write(ctx context.Context, longest time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.more:
		}
		k.mu.Lock()
		frames := k.frames
		k.frames = nil
		k.mu.Unlock()
		for _, f := range frames {
			bounded, cancel := context.WithTimeout(ctx, longest)
			err := k.conn.Write(bounded, websocket.MessageText, f)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

// events serves the connection for events. The newest one of an application
// gets them; the one before is told that it was replaced.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("app") != App {
		refuse(w, http.StatusBadRequest, "HTTP request is missing param: [app]")
		return
	}
	// Locked, so that a call made as soon as the connection stands finds it.
	s.mu.Lock()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.mu.Unlock()
		return
	}
	defer conn.CloseNow()
	k := &socket{conn: conn, more: make(chan struct{}, 1)}
	if s.socket != nil {
		s.emit(event{Type: "ApplicationReplaced"})
	}
	s.socket = k
	s.mu.Unlock()
	longest := s.WriteTimeout
	if longest == 0 {
		longest = time.Minute
	}
	k.write(conn.CloseRead(r.Context()), longest)
	s.mu.Lock()
	if s.socket == k {
		s.socket = nil
	}
	s.mu.Unlock()
}

// emit sends an event to who is connected. The caller holds s.mu.
func (s *Server) emit(e event) {
	if s.socket == nil {
		return
	}
	e.Timestamp, e.Asterisk, e.Application = stamp(time.Now()), entity, App
	frame, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("aritest: event %s: %v", e.Type, err)) // a fault of this package
	}
	s.socket.queue(frame)
}

func refuse(w http.ResponseWriter, code int, message string) {
	answer(w, code, map[string]string{"message": message})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body) // who asked may have gone
	}
}

// started is when Asterisk was started.
func (s *Server) started() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boot
}
