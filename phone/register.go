package phone

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Account is a telephone's at a registrar.
type Account struct {
	Registrar string // a SIP address: "sip:127.0.0.1:31060"
	User      string
	Password  string
	// Expires is for how long each login is asked; 5 min if zero.
	Expires time.Duration
}

// login is an account in use.
type login struct {
	phone   *Phone
	account Account
	uri     sip.Uri
	request *sip.Request       // counts its sequence numbers
	leave   context.CancelFunc // ends the refreshing
	done    chan struct{}      // it has ended
	once    sync.Once
	left    error
}

// Register logs in, so that who rings the user is sent here, and again in time
// before that expires. Logout, or Close, takes it back. It fails with *Refused,
// ErrClosed, or the cause of ctx.
func (p *Phone) Register(ctx context.Context, a Account) (logout func(context.Context) error, err error) {
	if a.Expires == 0 {
		a.Expires = 5 * time.Minute
	}
	l := &login{phone: p, account: a, done: make(chan struct{})}
	if err := sip.ParseUri(a.Registrar, &l.uri); err != nil || l.uri.Host == "" {
		return nil, fmt.Errorf("registrar %q is no SIP address", a.Registrar)
	}
	l.request = l.registration()
	lasts, err := l.ask(ctx, a.Expires)
	if err != nil {
		return nil, fmt.Errorf("log in as %s at %s: %w", a.User, a.Registrar, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	p.logins = append(p.logins, l)
	on, leave := context.WithCancel(context.Background())
	l.leave = leave
	go l.refresh(on, lasts)
	return l.logout, nil
}

// registration is the REGISTER, of which each further one is another edition
// (RFC 3261 section 10.2).
func (l *login) registration() *sip.Request {
	own := sip.Uri{Scheme: "sip", User: l.account.User, Host: l.uri.Host, Port: l.uri.Port}
	from := sip.FromHeader{Address: own}
	from.Params.Add("tag", sip.GenerateTagN(16))
	contact := l.phone.dialog.ContactHDR.Address
	contact.User = l.account.User
	req := sip.NewRequest(sip.REGISTER, l.uri)
	req.SetTransport(strings.ToUpper(l.phone.opts.Transport))
	req.AppendHeader(&from)
	req.AppendHeader(&sip.ToHeader{Address: own})
	req.AppendHeader(&sip.ContactHeader{Address: contact})
	req.AppendHeader(sip.NewHeader("User-Agent", l.phone.opts.Name))
	return req
}

// ask asks for a login of that length, and returns for how long it was granted.
func (l *login) ask(ctx context.Context, expires time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.phone.opts.NoReply, ErrNoReply)
	defer cancel()
	client := l.phone.dialog.Client
	l.request.RemoveHeader("Via")
	l.request.RemoveHeader("Authorization")
	l.request.RemoveHeader("Expires")
	l.request.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	res, err := client.Do(ctx, l.request, sipgo.ClientRequestRegisterBuild)
	if err == nil && res.StatusCode == sip.StatusUnauthorized {
		res, err = client.DoDigestAuth(ctx, l.request, res, sipgo.DigestAuth{Username: l.account.User, Password: l.account.Password})
	}
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err != nil:
		return 0, err
	case !res.IsSuccess():
		return 0, &Refused{Status: int(res.StatusCode), Reason: res.Reason}
	}
	// A registrar may grant less (RFC 3261 section 10.3).
	if h := res.GetHeader("Expires"); h != nil {
		if n, err := strconv.Atoi(h.Value()); err == nil && n > 0 {
			expires = min(expires, time.Duration(n)*time.Second)
		}
	}
	return expires, nil
}

// refresh logs in again at half the time, and more often where that fails.
func (l *login) refresh(ctx context.Context, lasts time.Duration) {
	defer close(l.done)
	wait := lasts / 2
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		again, err := l.ask(ctx, l.account.Expires)
		if err != nil {
			l.phone.log.Warn("log in again", "user", l.account.User, "error", err)
			wait = min(wait, 5*time.Second)
			continue
		}
		wait = again / 2
	}
}

// logout takes the login back, once.
func (l *login) logout(ctx context.Context) error {
	l.once.Do(func() {
		l.leave()
		<-l.done
		if _, err := l.ask(ctx, 0); err != nil {
			l.left = fmt.Errorf("log out: %w", err)
		}
	})
	return l.left
}
