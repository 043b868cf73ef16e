package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// Load reads the YAML file at path, where path is not empty, lets the
// environment override it, and returns the checked result. A key is overridden
// by RINGBACK_ and its name in capitals, dots as underscores. It fails with
// Faults, all of them at once, or with what keeps the file from being read.
func Load(path string) (Config, error) {
	return load(path, os.Environ())
}

func load(path string, environ []string) (Config, error) {
	v := viper.New()
	for _, s := range settings {
		v.SetDefault(s.Key, s.Default)
	}
	if path != "" {
		v.SetConfigFile(path)
		v.SetConfigType("yaml")
		if err := v.ReadInConfig(); err != nil {
			return Config{}, unreadable(path, err)
		}
	}
	faults := unknownKeys(v)
	faults = append(faults, override(v, environ)...)

	c, misread := decode(v)
	faults = faults.and(misread)
	if c.Node == "" {
		c.Node = machine()
	}
	faults = faults.and(c.check())
	if len(faults) > 0 {
		return Config{}, faults
	}
	return c, nil
}

// unreadable says in a sentence why a file could not be read.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the configuration file %s does not exist: name another, or none for the defaults: %w", path, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the configuration file %s may not be read by this user: %w", path, fs.ErrPermission)
	}
	return fmt.Errorf("read the configuration file %s: %w", path, err)
}

// unknownKeys finds the keys of the file that mean nothing.
func unknownKeys(v *viper.Viper) Faults {
	var faults Faults
	keys := v.AllKeys()
	slices.Sort(keys)
	for _, key := range keys {
		if _, ok := setting(key); ok {
			continue
		}
		if isSection(key) {
			if _, empty := v.Get(key).(map[string]any); !empty { // an empty one shows its defaults
				faults = append(faults, Fault{Key: key, Mend: "this is a section: indent its keys below it"})
			}
			continue
		}
		mend := "there is no such key: take it out"
		if near := nearest(key, keyNames()); near != "" {
			mend = fmt.Sprintf("there is no such key: did you mean %s?", near)
		}
		faults = append(faults, Fault{Key: key, Mend: mend})
	}
	return faults
}

func isSection(key string) bool {
	return slices.ContainsFunc(settings, func(s Setting) bool { return strings.HasPrefix(s.Key, key+".") })
}

// override takes values from the environment. A variable that looks like one
// of ours but for a slip of the finger is a fault; others that begin with
// RINGBACK_ belong to somebody else, for example to Kubernetes.
func override(v *viper.Viper, environ []string) Faults {
	keys := map[string]string{}
	for _, k := range keyNames() {
		keys[variable(k)] = k
	}
	const voices = "speech.voices"
	delete(keys, variable(voices)) // set by language

	var faults Faults
	slices.Sort(environ)
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, prefix) || value == "" {
			continue
		}
		key, ok := keys[name]
		if language, found := strings.CutPrefix(name, variable(voices)+"_"); found {
			key, ok = voices+"."+strings.ToLower(strings.ReplaceAll(language, "_", "-")), true
		}
		if ok {
			v.Set(key, value)
			continue
		}
		if near := nearest(name, slices.Sorted(maps.Keys(keys))); near != "" {
			faults = append(faults, Fault{Key: name, Mend: fmt.Sprintf("there is no such variable: did you mean %s?", near)})
		}
	}
	return faults
}

// machine is the host's name, or a name that is always one.
func machine() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "ringback"
}

func keyNames() []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.Key)
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
