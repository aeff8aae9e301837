package main

import "github.com/anishathalye/porcupine"

// A state is comparable, so that Porcupine can compare states by ==.
type state struct {
	content
	// safe is the content of the last acknowledged write, to which a crash may take the session back.
	safe content
	// before holds the contents before the last writes without an answer. A crash may undo these writes
	// alone, in their order: replication had carried the earlier ones.
	before [2]content
	// remembers says whether a crash may come, so that before is kept.
	remembers bool
}

// unacknowledged returns the state after a write that nobody was told of.
func (s state) unacknowledged(after content) state {
	next := s
	next.content = after
	if s.remembers && after != s.content {
		next.before = [2]content{s.content, s.before[0]}
	}
	return next
}

// acknowledged returns the state after a write that a crash does not undo.
func (s state) acknowledged(after content) state {
	return state{content: after, safe: after, before: [2]content{after, after}, remembers: s.remembers}
}

// crash returns the states after a crash. A read may have seen a write that was never acknowledged, and
// that the crash undoes.
func (s state) crash() []interface{} {
	all, last, lastTwo := s, s, s
	all.content, all.before = s.safe, [2]content{s.safe, s.safe}
	if !s.remembers {
		return []interface{}{s, all}
	}
	last.content, last.before = s.before[0], [2]content{s.before[1], s.safe}
	lastTwo.content, lastTwo.before = s.before[1], [2]content{s.safe, s.safe}
	return []interface{}{s, all, last, lastTwo}
}

// modelOf returns the model of a session with these calls.
func modelOf(ops []op) *porcupine.NondeterministicModel {
	model := sessionModel
	for _, each := range ops {
		if each.Verb == "crash" {
			model.Init = func() []interface{} { return []interface{}{state{remembers: true}} }
		}
	}
	return &model
}
