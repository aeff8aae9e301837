package main

import (
	"fmt"
	"strconv"
)

// A family is what the session of a client with refresh tokens says of them.
type family struct {
	// n is the number of the newest refresh token.
	n int
	// handedFrom and handedTo enclose when that token was handed out, by the clock of who did.
	handedFrom, handedTo int64
	// usedAfter is when an access token that came with it may have been used for the first time, or 0
	// where it certainly has not been. A process notes the use some time after it, or never.
	usedAfter int64
}

// A token is replaced at the earliest after this many times the grace period.
const minAge = 3

// A deadline that no history reaches.
const never = 8_000_000_000_000

func (f family) String() string {
	if f.handedTo == 0 {
		return ""
	}
	return fmt.Sprintf(" token %d, handed out in [%d, %d], used after %d", f.n, f.handedFrom, f.handedTo, f.usedAfter)
}

func grant(s content, o op) []content {
	return when(s.status == absent, handOut(0, o))
}

func handOut(n int, o op) content {
	return content{status: live, deadline: never, family: family{n: n, handedFrom: o.From, handedTo: o.To}}
}

// verify accepts an access token of a session that is there, whatever its number.
func verify(s content, o op) []content {
	if s.status != live {
		return nil
	}
	if o.N == s.n {
		// Each process that accepts the token may be the one that notes its use, by its own clock. The
		// store takes no time before the one at which the token was handed out.
		used := max(o.From, s.handedFrom)
		if s.usedAfter == 0 || used < s.usedAfter {
			s.usedAfter = used
		}
	}
	return []content{s}
}

// isReuse says whether the token may be taken for one that was replaced, and whose successor the
// client has used.
func isReuse(s content, o op) bool {
	if o.N == s.n-1 && o.Grace > 0 {
		return s.usedAfter != 0 && o.To-s.usedAfter > o.Grace
	}
	return o.N < s.n
}

// repeat hands the newest token out again to who presents the one before it.
func repeat(s content, o op) content {
	if o.From-s.handedTo > o.Grace {
		s.handedFrom, s.handedTo = o.From, o.To
	} else if o.To-s.handedFrom > o.Grace {
		s.handedFrom, s.handedTo = min(s.handedFrom, o.From), max(s.handedTo, o.To)
	}
	return s
}

func refresh(s content, o op) []content {
	switch o.Answer {
	case "gone":
		return when(s.status != live, s)
	case "reused":
		if s.status != live {
			// Another call has ended the family between the decision and the end.
			return []content{s}
		}
		return when(isReuse(s, o), content{status: ended})
	case "ok":
	default:
		return nil
	}
	if s.status != live {
		return nil
	}
	n, _ := strconv.Atoi(o.Found["n"])
	switch {
	case o.N > s.n:
		// The database lost a rotation that it had not acknowledged, and the client knows better.
		return when(n == o.N+1, handOut(n, o))
	case o.N == s.n && n == s.n:
		isSettled := o.Grace == 0 || (s.usedAfter == 0 && o.From-s.handedTo >= minAge*o.Grace)
		return when(!isSettled, s)
	case o.N == s.n:
		return when(n == s.n+1 && (o.Grace == 0 || o.To-s.handedFrom >= minAge*o.Grace), handOut(n, o))
	}
	// Whether the use of the successor was noted, nobody knows.
	return when(o.Grace > 0 && o.N == s.n-1 && n == s.n, repeat(s, o))
}

// refreshUnanswered returns what a refresh may have done that got no answer.
func refreshUnanswered(s content, o op) []content {
	if s.status != live {
		return nil
	}
	if o.N >= s.n {
		return []content{handOut(o.N+1, o)}
	}
	after := []content{}
	if isReuse(s, o) {
		after = append(after, content{status: ended})
	}
	if o.Grace > 0 && o.N == s.n-1 {
		after = append(after, repeat(s, o))
	}
	return after
}

func min(one, other int64) int64 {
	if one < other {
		return one
	}
	return other
}

func max(one, other int64) int64 {
	if one > other {
		return one
	}
	return other
}
