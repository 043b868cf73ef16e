package demo

import (
	"fmt"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// endTogether makes a helper program end with this one, even if this one is
// killed, and lets a cancelled context end the helper's own children too. In a
// group of its own it does not get the terminal's Ctrl-C: what is ended, and
// when, is decided here.
func endTogether(c *exec.Cmd) {
	endWith(c, syscall.SIGKILL)
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 10 * pace
}

// endWith is what a program gets when this one was killed. The kernel sends it
// when the thread that started the program ends; Go ends threads only with the
// process, as long as nobody returns from a locked one.
func endWith(c *exec.Cmd, s syscall.Signal) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	c.SysProcAttr.Pdeathsig = s
}

// notAsRoot is put before a command that refuses to be root. It runs as another
// user who may still enter every folder: the demo, and what was fetched, may lie
// below a home that is closed to others. The right is kept in spite of the
// change of user, also where access(2) asks for it, by the secure bit.
//
// setpriv is of util-linux, which every Debian has. The signal at our death is
// its business because the kernel forgets it when the user changes.
func notAsRoot(end syscall.Signal) []string {
	uid, gid := notRoot()
	return []string{
		"setpriv", fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", gid), "--clear-groups",
		"--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
		"--pdeathsig=" + strings.TrimPrefix(unix.SignalName(end), "SIG"),
	}
}

// notRoot is the machine's own user for Postgres, or else nobody.
func notRoot() (uid, gid uint32) {
	const nobody = 65534
	u, err := user.Lookup("postgres")
	if err != nil {
		return nobody, nobody
	}
	id, err1 := strconv.ParseUint(u.Uid, 10, 32)
	group, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return nobody, nobody
	}
	return uint32(id), uint32(group)
}

func userName() string {
	u, err := user.Current()
	if err != nil {
		return "root"
	}
	return u.Username
}
