package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// An op is a call about one session, with its answer.
type op struct {
	Number  int    `json:"number"`
	Process int    `json:"process"`
	Call    int64  `json:"call"`
	Return  int64  `json:"ret"`
	Verb    string `json:"verb"`
	// Answer is "ok", "null", "gone", "conflict", "true", "false", or "unknown".
	Answer string `json:"answer"`
	// From and To are when the call began and was answered, by the clock of its application.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Set and Remove are what the call changes: all keys of a new session, else the changed ones.
	Set    map[string]string `json:"set"`
	Remove []string          `json:"remove"`
	// Deadline is when the session ends, if this call decides it.
	Deadline int64 `json:"deadline"`
	// Found is what the call returned.
	Found map[string]string `json:"found"`
}

type status uint8

const (
	// absent: the session has never been there, or the database has lost it.
	absent status = iota
	live
	// ended: a logout ended the session, and its tombstone is there.
	ended
)

// A state is comparable, so that Porcupine can compare states by ==.
type state struct {
	status   status
	keys     string
	deadline int64
}

// Touches round a deadline up to a grid of this many milliseconds.
const touchStep = 100

// mayLive says whether the application of the call may have seen the session alive.
func (s state) mayLive(o op) bool {
	return s.status == live && s.deadline+touchStep > o.From
}

// mayMiss says whether the application of the call may have seen no session.
func (s state) mayMiss(o op) bool {
	return s.status != live || s.deadline <= o.To
}

var sessionModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{state{}} },
	Step: func(before, input, _ interface{}) []interface{} {
		return step(before.(state), input.(op))
	},
	Hash: func(each interface{}) uint64 {
		s := each.(state)
		hash := uint64(1469598103934665603) ^ uint64(s.deadline)<<2 ^ uint64(s.status)
		for i := 0; i < len(s.keys); i++ {
			hash = (hash ^ uint64(s.keys[i])) * 1099511628211
		}
		return hash
	},
	DescribeOperation: func(input, output interface{}) string { return describe(input, output) },
	DescribeState: func(each interface{}) string {
		s := each.(state)
		return fmt.Sprintf("%s {%s} until %d", [...]string{"absent", "live", "ended"}[s.status], s.keys, s.deadline)
	},
}

// step returns the states that may follow. There is none where the call cannot have been answered so.
func step(s state, o op) []interface{} {
	if o.Answer == "unknown" {
		// The call may have happened or not. Neither a read nor a refusal would change anything.
		applied := o
		applied.Answer = succeeded(o.Verb)
		applied.Found = nil
		return append([]interface{}{s}, effects(s, applied)...)
	}
	return effects(s, o)
}

func succeeded(verb string) string {
	if verb == "revoke" {
		return "true"
	}
	return "ok"
}

func effects(s state, o op) []interface{} {
	switch o.Answer {
	case "conflict":
		return []interface{}{s}
	case "null", "false":
		return when(s.mayMiss(o), s)
	case "gone":
		if o.Verb == "plain" {
			return when(s.status == ended, s)
		}
		return when(s.mayMiss(o), s)
	}
	switch o.Verb {
	case "get":
		return when(s.mayLive(o) && (o.Found == nil || s.keys == join(o.Found)), s)
	case "create":
		return create(s, o)
	case "save":
		if !s.mayLive(o) {
			return nil
		}
		keys := change(s.keys, o)
		after := []interface{}{state{live, keys, o.Deadline}}
		if s.deadline > o.Deadline {
			after = append(after, state{live, keys, s.deadline})
		}
		return after
	case "plain":
		return when(s.status != ended, state{live, join(o.Set), o.Deadline})
	case "touch":
		if s.status != live {
			return []interface{}{s}
		}
		return []interface{}{s, state{live, s.keys, o.Deadline}}
	case "update":
		return update(s, o)
	case "destroy", "revokeUser":
		return destroy(s, o)
	case "revoke", "regenerate":
		return when(s.mayLive(o), state{status: ended})
	case "flush":
		return []interface{}{state{}}
	}
	panic("unknown verb " + o.Verb)
}

// create saves a new session. Over a live session, all its keys count as changes.
func create(s state, o op) []interface{} {
	var after []interface{}
	if s.mayMiss(o) {
		after = append(after, state{live, join(o.Set), o.Deadline})
	}
	if s.mayLive(o) {
		after = append(after, state{live, change(s.keys, o), o.Deadline})
	}
	return after
}

// update counts one up and returns the session as it is then.
func update(s state, o op) []interface{} {
	if !s.mayLive(o) {
		return nil
	}
	keys := split(s.keys)
	count, _ := strconv.Atoi(keys["count"])
	keys["count"] = strconv.Itoa(count + 1)
	after := join(keys)
	return when(o.Found == nil || after == join(o.Found), state{live, after, s.deadline})
}

func destroy(s state, o op) []interface{} {
	switch s.status {
	case live:
		if s.mayLive(o) && !s.mayMiss(o) {
			return []interface{}{state{status: ended}}
		}
		return []interface{}{s, state{}, state{status: ended}}
	case absent:
		// The database may have lost the session between the read of the call and its tombstone.
		return []interface{}{s, state{status: ended}}
	}
	return []interface{}{s}
}

func when(holds bool, after state) []interface{} {
	if !holds {
		return nil
	}
	return []interface{}{after}
}

func change(keys string, o op) string {
	changed := split(keys)
	for key, value := range o.Set {
		changed[key] = value
	}
	for _, key := range o.Remove {
		delete(changed, key)
	}
	return join(changed)
}

func join(keys map[string]string) string {
	pairs := make([]string, 0, len(keys))
	for key, value := range keys {
		pairs = append(pairs, key+"="+value)
	}
	sort.Strings(pairs)
	return strings.Join(pairs, " ")
}

func split(keys string) map[string]string {
	pairs := map[string]string{}
	for _, pair := range strings.Fields(keys) {
		key, value, _ := strings.Cut(pair, "=")
		pairs[key] = value
	}
	return pairs
}

func describe(input, _ interface{}) string {
	o := input.(op)
	text := fmt.Sprintf("%d by %d: %s", o.Number, o.Process, o.Verb)
	if len(o.Set) > 0 || len(o.Remove) > 0 {
		text += fmt.Sprintf(" {%s} -%v", join(o.Set), o.Remove)
	}
	text += " -> " + o.Answer
	if o.Found != nil {
		text += fmt.Sprintf(" {%s}", join(o.Found))
	}
	return text + fmt.Sprintf(" [%d, %d]", o.Call/1000, o.Return/1000)
}
