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
	// Set holds all keys of a new session.
	Set map[string]string `json:"set"`
	// Variants are what a save may change: it alone, or with saves before it that got no answer.
	Variants []delta `json:"variants"`
	// Deadline is when the session ends, if this call decides it.
	Deadline int64 `json:"deadline"`
	// N is the number of the refresh token that is presented, or that came with the access token.
	N int `json:"n"`
	// Grace is the grace period of a refresh, in milliseconds.
	Grace int64 `json:"grace"`
	// Found is what the call returned.
	Found map[string]string `json:"found"`
}

type delta struct {
	Set    map[string]string `json:"set"`
	Remove []string          `json:"remove"`
}

type status uint8

const (
	// absent: the session has never been there, or the database has lost it.
	absent status = iota
	live
	// ended: a logout ended the session, and its tombstone is there.
	ended
)

// A content is what the database holds for a session. It is comparable by ==.
type content struct {
	status   status
	keys     string
	deadline int64
	family
}

// Touches round a deadline up to a grid of this many milliseconds.
const touchStep = 100

// mayLive says whether the application of the call may have seen the session alive.
func (s content) mayLive(o op) bool {
	return s.status == live && s.deadline+touchStep > o.From
}

// mayMiss says whether the application of the call may have seen no session.
func (s content) mayMiss(o op) bool {
	return s.status != live || s.deadline <= o.To
}

var sessionModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{state{}} },
	Step: func(before, input, _ interface{}) []interface{} {
		return step(before.(state), input.(op))
	},
	Hash: func(each interface{}) uint64 {
		s := each.(state)
		hash := uint64(1469598103934665603) ^ uint64(s.deadline)<<2 ^ uint64(s.status) ^ uint64(s.n)<<8 ^ uint64(s.usedAfter)<<16
		for i := 0; i < len(s.keys); i++ {
			hash = (hash ^ uint64(s.keys[i])) * 1099511628211
		}
		return hash
	},
	DescribeOperation: func(input, output interface{}) string { return describe(input, output) },
	DescribeState: func(each interface{}) string {
		s := each.(state)
		return fmt.Sprintf("%s {%s} until %d", [...]string{"absent", "live", "ended"}[s.status], s.keys, s.deadline) +
			s.family.String()
	},
}

// step returns the states that may follow. There is none where the call cannot have been answered so.
func step(s state, o op) []interface{} {
	switch {
	case o.Verb == "crash":
		return s.crash()
	case o.Answer == "unexpected":
		return nil
	case o.Answer == "unknown" && o.Verb == "refresh":
		after := []interface{}{s}
		for _, each := range refreshUnanswered(s.content, o) {
			after = append(after, s.unacknowledged(each))
		}
		return after
	case o.Answer == "unknown":
		// The call may have happened or not.
		after := []interface{}{s}
		o.Answer = succeeded(o.Verb)
		o.Found = nil
		for _, each := range effects(s.content, o) {
			after = append(after, s.unacknowledged(each))
		}
		return after
	}
	var after []interface{}
	for _, each := range effects(s.content, o) {
		if each == s.content {
			after = append(after, s)
		} else {
			after = append(after, s.acknowledged(each))
		}
	}
	return after
}

func succeeded(verb string) string {
	if verb == "revoke" {
		return "true"
	}
	return "ok"
}

// effects returns the contents that may follow. Where the deadline of a write has passed before the
// call ended, a database may store nothing: by the clock of this application, the session is over.
func effects(s content, o op) []content {
	after := landed(s, o)
	if o.Deadline == 0 || o.Deadline > o.To {
		return after
	}
	for _, each := range after {
		if each != s && each.deadline == o.Deadline {
			return append(after, content{})
		}
	}
	return after
}

func landed(s content, o op) []content {
	if o.Verb == "refresh" {
		return refresh(s, o)
	}
	switch o.Answer {
	case "conflict":
		return []content{s}
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
	case "createAgain":
		return when(s.status == live && s.mayMiss(o), content{status: live, keys: join(o.Set), deadline: o.Deadline})
	case "save":
		if !s.mayLive(o) {
			return nil
		}
		var after []content
		for _, variant := range o.Variants {
			keys := change(s.keys, variant)
			after = append(after, content{status: live, keys: keys, deadline: o.Deadline})
			if s.deadline > o.Deadline {
				after = append(after, content{status: live, keys: keys, deadline: s.deadline})
			}
		}
		return after
	case "plain":
		return when(s.status != ended, content{status: live, keys: join(o.Set), deadline: o.Deadline})
	case "touch":
		if s.status != live {
			return []content{s}
		}
		return []content{s, {status: live, keys: s.keys, deadline: o.Deadline}}
	case "update":
		return update(s, o)
	case "destroy", "revokeUser":
		return destroy(s, o)
	case "revoke":
		return when(s.mayLive(o), content{status: ended})
	case "regenerate":
		return when(s.mayLive(o), content{status: ended})
	case "grant":
		return grant(s, o)
	case "verify":
		return verify(s, o)
	case "flush":
		return []content{{}}
	}
	panic("unknown verb " + o.Verb)
}

// create saves a new session. Over a live session, all its keys count as changes.
func create(s content, o op) []content {
	var after []content
	if s.mayMiss(o) {
		after = append(after, content{status: live, keys: join(o.Set), deadline: o.Deadline})
	}
	if s.mayLive(o) {
		after = append(after, content{status: live, keys: change(s.keys, delta{Set: o.Set}), deadline: o.Deadline})
	}
	return after
}

// update counts one up and returns the session as it is then.
func update(s content, o op) []content {
	if !s.mayLive(o) {
		return nil
	}
	keys := split(s.keys)
	count, _ := strconv.Atoi(keys["count"])
	keys["count"] = strconv.Itoa(count + 1)
	after := join(keys)
	return when(o.Found == nil || after == join(o.Found), content{status: live, keys: after, deadline: s.deadline})
}

func destroy(s content, o op) []content {
	switch s.status {
	case live:
		if s.mayLive(o) && !s.mayMiss(o) {
			return []content{{status: ended}}
		}
		return []content{s, {}, {status: ended}}
	case absent:
		// The database may have lost the session between the read of the call and its tombstone.
		return []content{s, {status: ended}}
	}
	return []content{s}
}

func when(holds bool, after content) []content {
	if !holds {
		return nil
	}
	return []content{after}
}

func change(keys string, by delta) string {
	changed := split(keys)
	for key, value := range by.Set {
		changed[key] = value
	}
	for _, key := range by.Remove {
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
