package demo

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Info is demo.json: all a person or a test needs to use a running demo.
type Info struct {
	SIP       string  `json:"sip"`      // host:port, UDP and TCP
	Number    string  `json:"number"`   // the hotline's own
	Web       string  `json:"web"`      // base URL
	API       string  `json:"api"`      // base URL
	APIKey    string  `json:"api_key"`  // bearer key
	Database  string  `json:"database"` // URL
	Users     []User  `json:"users"`
	SIPPhones []Phone `json:"sip_phones"`
	Secure    *Secure `json:"secure,omitempty"`
}

// User may log in to the web pages.
type User struct {
	Role     string `json:"role"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Phone is a login for a telephone that registers with Asterisk.
type Phone struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// secrets are made once a folder and kept, so that telephones and scripts go
// on working after a restart.
type secrets struct {
	Database string
	ARI      string
	APIKey   string
	Phones   []Phone

	SecurePhone, BrowserPhone Phone
}

func keptSecrets(path string) (secrets, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		s := secrets{Database: rand.Text(), ARI: rand.Text(), APIKey: rand.Text()}
		for _, name := range []string{"phone1", "phone2"} {
			s.Phones = append(s.Phones, Phone{User: name, Password: rand.Text()})
		}
		s.addSecure()
		return s, writeJSON(path, s)
	}
	if err != nil {
		return secrets{}, err
	}
	var s secrets
	if err := json.Unmarshal(text, &s); err != nil {
		return secrets{}, fmt.Errorf("%s is damaged: remove the folder %s to begin anew (%w)", path, filepath.Dir(path), err)
	}
	if s.addSecure() {
		return s, writeJSON(path, s)
	}
	return s, nil
}

// addSecure makes the logins that a folder of an earlier version lacks.
func (s *secrets) addSecure() bool {
	if s.SecurePhone.User != "" {
		return false
	}
	s.SecurePhone = Phone{User: "secure1", Password: rand.Text()}
	s.BrowserPhone = Phone{User: "browser1", Password: rand.Text()}
	return true
}

// writeJSON replaces a file in one step; only its owner may read it.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
