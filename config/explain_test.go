package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestYAMLLoadsAgain: the file to start from is a valid one, and means what no
// file means.
func TestYAMLLoadsAgain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteYAML(&out, Settings()); err != nil {
		t.Fatal(err)
	}
	got, err := load(file(t, out.String()), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	want, err := load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
	for _, s := range Settings() {
		name := s.Key[strings.LastIndexByte(s.Key, '.')+1:]
		if !strings.Contains(out.String(), "# "+s.About) || !strings.Contains(out.String(), s.Variable()+"\n") || !strings.Contains(out.String(), name+":") {
			t.Errorf("%s does not stand in the file", s.Key)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteJSON(&out, Settings()); err != nil {
		t.Fatal(err)
	}
	var got []struct {
		Key, Unit, Variable, Meaning string
		Default                      any
		Secret                       bool
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(settings) {
		t.Fatalf("%d settings, want %d", len(got), len(settings))
	}
	for i, s := range settings {
		if g := got[i]; g.Key != s.Key || g.Unit != s.Unit || g.Meaning != s.About || g.Secret != s.Secret || g.Variable != s.Variable() {
			t.Errorf("got %+v, want %+v", g, s)
		}
		if _, isDuration := s.Default.(time.Duration); isDuration {
			if d, err := time.ParseDuration(got[i].Default.(string)); err != nil || d != s.Default {
				t.Errorf("%s: default %v, want %v", s.Key, got[i].Default, s.Default)
			}
		}
	}
}

// TestVariables: each setting is overridden by the variable that is told.
func TestVariables(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		// What no setting takes for its default, so that it is either changed or refused.
		c, err := load("", []string{s.Variable() + "=%"})
		want, _ := load("", nil)
		if err == nil && reflect.DeepEqual(c, want) {
			t.Errorf("%s does not override %s", s.Variable(), s.Key)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][]string{
		"call.ready":       {"call.ready"},
		"log":              {"log.level", "log.format"},
		"speech.voices.de": {"speech.voices"},
		"":                 keyNames(),
	} {
		found, err := Find(key)
		if err != nil {
			t.Errorf("%q: %v", key, err)
		}
		var got []string
		for _, s := range found {
			got = append(got, s.Key)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", key, got, want)
		}
	}
	for key, want := range map[string]string{
		"asterisk.pasword": "did you mean asterisk.password?",
		"asterix":          "did you mean asterisk?",
		"listen":           "did you mean http.listen?",
		"colour":           "`ringback config explain` lists all",
		"call.":            "there is no such key",
	} {
		_, err := Find(key)
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Key != key || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", key, err, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var all, one bytes.Buffer
	if err := errors.Join(WriteTable(&all, Settings()), WriteTable(&one, settings[:1])); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		for _, want := range []string{s.Key, shown(s.Default), s.Unit, s.Variable(), s.About} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s: %q is missing", s.Key, want)
			}
		}
	}
	if !strings.Contains(one.String(), "variable  RINGBACK_NODE\n") {
		t.Errorf("one setting is told as\n%s", one.String())
	}
}
