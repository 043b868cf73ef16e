package ivr

import (
	"context"
	"slices"
)

// scene is one part of a call, small enough to be played again from its first
// line.
type scene struct {
	name SceneName
	play func(*Hotline, context.Context, *Session) (SceneName, error)
	// passing scenes ask nothing, so * does not lead back to them.
	passing bool
	// early scenes are played before the call is answered.
	early bool
	// inLine scenes wait for a person: who is lost in one is rung for a person
	// and not for the dialogue.
	inLine bool
	// done scenes come when the caller has what they wanted: who is lost in one
	// is not rung.
	done bool
}

// The scenes of a call. The empty name ends it.
const (
	sceneWelcome  SceneName = "welcome"
	sceneMain     SceneName = "main"
	sceneBorn     SceneName = "born"
	sceneKnown    SceneName = "known"
	sceneResume   SceneName = "resume"
	scenePostcode SceneName = "postcode"
	sceneEligible SceneName = "eligible"
	sceneChoose   SceneName = "choose"
	sceneConfirm  SceneName = "confirm"
	sceneName     SceneName = "name"
	sceneCode     SceneName = "code"
	sceneByCode   SceneName = "by_code"
	sceneMine     SceneName = "mine"
	sceneCancel   SceneName = "cancel"
	sceneInfo     SceneName = "info"
	sceneAfter    SceneName = "after"
	scenePerson   SceneName = "person"
	sceneAgain    SceneName = "again"
	sceneJoin     SceneName = "join"
	sceneWait     SceneName = "wait"
	sceneTicket   SceneName = "ticket"
	sceneConnect  SceneName = "connect"
	sceneTalk     SceneName = "talk"
	sceneCallback SceneName = "callback"
	sceneExpress  SceneName = "express"
	sceneEarly    SceneName = "early"
	sceneRung     SceneName = "rung"
	sceneTakeUp   SceneName = "take_up"
	sceneBye      SceneName = "bye"
	sceneEnd      SceneName = ""
	// sceneTakeOver is where a call begins that another process began. It is
	// no scene to return to, and is not written: what was left stays.
	sceneTakeOver SceneName = "take_over"
)

// allScenes is the table of a call, in the order in which one is told. Scenes
// look things up in it, so it is filled last.
var allScenes []scene

func init() {
	allScenes = []scene{
		{name: sceneWelcome, play: (*Hotline).welcome},
		{name: sceneMain, play: (*Hotline).mainMenu},
		{name: sceneBorn, play: (*Hotline).born},
		{name: sceneKnown, play: (*Hotline).known, passing: true},
		{name: sceneResume, play: (*Hotline).resume, passing: true}, // its hold may be gone
		{name: scenePostcode, play: (*Hotline).postcode},
		{name: sceneEligible, play: (*Hotline).eligible, passing: true},
		{name: sceneChoose, play: (*Hotline).choose},
		{name: sceneConfirm, play: (*Hotline).confirm},
		{name: sceneName, play: (*Hotline).spokenName, passing: true, done: true},
		{name: sceneCode, play: (*Hotline).code, passing: true, done: true},
		{name: sceneByCode, play: (*Hotline).byCode},
		{name: sceneMine, play: (*Hotline).mine},
		{name: sceneCancel, play: (*Hotline).cancel},
		{name: sceneInfo, play: (*Hotline).info},
		{name: sceneAfter, play: (*Hotline).after, done: true},
		{name: scenePerson, play: (*Hotline).person, passing: true, inLine: true},
		{name: sceneAgain, play: (*Hotline).again, inLine: true},
		{name: sceneJoin, play: (*Hotline).join, passing: true, inLine: true},
		{name: sceneWait, play: (*Hotline).wait, inLine: true},
		{name: sceneTicket, play: (*Hotline).ticket, inLine: true},
		{name: sceneConnect, play: (*Hotline).connect, passing: true, inLine: true},
		{name: sceneTalk, play: (*Hotline).talk, passing: true, inLine: true},
		{name: sceneCallback, play: (*Hotline).callback, inLine: true},
		{name: sceneExpress, play: (*Hotline).express},
		{name: sceneEarly, play: (*Hotline).early, passing: true, early: true},
		{name: sceneRung, play: (*Hotline).rung, passing: true},
		{name: sceneTakeUp, play: (*Hotline).takeUp, passing: true},
		{name: sceneBye, play: (*Hotline).bye, passing: true, done: true},
	}
}

func (h *Hotline) scene(name SceneName) scene {
	table := h.scenes
	if table == nil {
		table = allScenes
	}
	for _, s := range table {
		if s.name == name {
			return s
		}
	}
	if name == sceneTakeOver {
		return scene{name: name, play: (*Hotline).takeOver, passing: true, early: true}
	}
	return scene{name: name, play: (*Hotline).bye, passing: true, done: true}
}

// cameFrom notes where * leads from the next scene.
func (s *Session) cameFrom(from scene, next SceneName) {
	switch {
	case next == sceneMain, next == sceneName, next == sceneAfter:
		s.Back = nil // what was before is done with
	case slices.Contains(s.Back, next):
		s.Back = s.Back[:slices.Index(s.Back, next)] // round in a circle
	case next != from.name && !from.passing:
		s.Back = append(s.Back, from.name)
	}
}

// back is the scene * leads to: the one before, or this one again.
func (s *Session) back(name SceneName) SceneName {
	if name == sceneMain || len(s.Back) == 0 {
		return name
	}
	last := s.Back[len(s.Back)-1]
	s.Back = s.Back[:len(s.Back)-1]
	return last
}
