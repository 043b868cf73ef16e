package asterisk

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"ringback/e164"
)

// The scripts that the dialplan names, and the arguments of the first:
//
//	AGI(agi://127.0.0.1:4573/register,${number},${shown},${URIENCODE(${CHANNEL(pjsip,call-id)})})
const (
	scriptRegister   = "register"
	scriptTurnedAway = "turned-away"
)

// longestEnvironment is how much Asterisk may say of a caller: some thirty
// lines, of which the request may hold any argument again, and its replies.
const (
	longestEnvironment = 64 << 10
	longestLine        = 8 << 10 // Asterisk's own bound on what the dialplan passes is 4 KB
)

// Asterisk writes each line by itself. To wake for each would cost the intake
// more than all else it does for a caller, so the kernel is told to wake it when
// most of them are there, or a moment is over.
const (
	mostOfEnvironment = 450 // bytes; the shortest there is has some 520
	moment            = 20 * time.Millisecond
)

// wakeAt says from how many bytes on a socket counts as readable. Connections
// have it from the socket that listens.
func wakeAt(c syscall.RawConn, bytes int) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes)
	})
	return errors.Join(err, failed)
}

// awaitEnvironment waits until most of the environment is there, or a moment is
// over. All that is done on the connection afterwards has the deadline.
func awaitEnvironment(c net.Conn, deadline time.Time) error {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(moment)); err != nil {
		return err
	}
	asked := false
	err = raw.Read(func(uintptr) bool {
		again := asked
		asked = true
		return again // the first time: not before the kernel says so
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return errors.Join(wakeAt(raw, 1), c.SetDeadline(deadline))
}

// attempt is what Asterisk says of a caller.
type attempt struct {
	script       string
	number       string // as the trunk gave it, cleaned by the dialplan
	presentation string // CALLERID(pres)
	dialog       string // Call-ID; empty where there is none
}

// readAttempt reads the environment that a FastAGI connection begins with:
// lines of a name and a value, and an empty one at its end (res/res_agi.c,
// setup_env and launch_netscript, Asterisk 22).
func readAttempt(in *bufio.Reader) (attempt, error) {
	var a attempt
	for n := 0; ; n++ {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil { // a line longer than the buffer, too
			return attempt{}, fmt.Errorf("line %d: %w", n+1, err)
		}
		line := strings.TrimRight(string(text), "\r\n")
		if line == "" {
			break
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !strings.HasPrefix(name, "agi_") {
			return attempt{}, fmt.Errorf("line %d is no agi_ variable", n+1)
		}
		value = strings.TrimSpace(value)
		switch name {
		case "agi_network_script":
			a.script = value
		case "agi_arg_1":
			a.number = value
		case "agi_arg_2":
			a.presentation = value
		case "agi_arg_3":
			a.dialog = callID(value)
		}
	}
	if a.script != scriptRegister && a.script != scriptTurnedAway {
		return attempt{}, fmt.Errorf("the script is %.40q", a.script)
	}
	return a, nil
}

// longestDialog bounds what a stranger can have us keep, and compare.
const longestDialog = 255

// callID reads a Call-ID as the dialplan encoded it. One that is too long, or
// holds what is no text, is known by its sum.
func callID(encoded string) string {
	id, err := url.PathUnescape(encoded)
	if err != nil {
		id = encoded
	}
	if len(id) <= longestDialog && utf8.ValidString(id) && strings.IndexFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// attempts is the name space of the ids below.
var attempts = uuid.MustParse("5d0a8a53-9a3a-4e7c-8c39-5f0f6c7f2f0e")

// id is the same whenever the attempt comes again: the dialplan tries again
// when it did not hear that it was registered.
func (a attempt) id(node string, number e164.Number) uuid.UUID {
	if a.dialog == "" {
		return uuid.New()
	}
	return uuid.NewSHA1(attempts, []byte(node+"\x00"+string(number)+"\x00"+a.dialog))
}
