package main

import (
	"fmt"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// Where replication is asynchronous, the server that takes over may lack the last writes. Three calls of
// the program say so: "failover" goes back by writes of the last moments, "split" begins a time in which
// the old and the new server both answer, and "join" ends it with what the new server holds.

// lagLimit is how long before a failover a write was acknowledged at most, if the failover loses it, in
// microseconds.
const lagLimit = 1_000_000

// A loss counts what was acknowledged and is gone.
type loss struct {
	Writes  int `json:"writes"`
	Logouts int `json:"logouts"`
	// Tokens counts families that began, and refresh tokens that were replaced.
	Tokens int `json:"tokens"`
}

func (l loss) plus(other loss) loss {
	return loss{l.Writes + other.Writes, l.Logouts + other.Logouts, l.Tokens + other.Tokens}
}

func (l loss) sum() int {
	return l.Writes + l.Logouts + l.Tokens
}

// less says whether this loss explains the answers by losing less.
func (l loss) less(other loss) bool {
	if l.sum() != other.sum() {
		return l.sum() < other.sum()
	}
	return l.Logouts < other.Logouts
}

// A step back undoes one write. The steps of a state form a list that is compared by its number.
type stepBack struct {
	to     state
	ret    int64
	lost   loss
	before int
}

// A line is what one server holds, and how to undo its last writes.
type line struct {
	state
	// back is the number of the newest step back; 0 stands for none.
	back int
}

// A replica is the state of a session on servers that copy each other asynchronously.
type replica struct {
	line
	isSplit bool
	// side is what the server that was cut off holds, and sideLost what is lost with it.
	side     state
	sideLost loss
	// moved says which processes have reached the new server. They do not go back to the old one.
	moved uint8
	// isUnlisted says that the list of the user's sessions may lack this one, see userlist.go.
	isUnlisted bool
}

// A replicaModel holds the steps back of one session, each of them once.
type replicaModel struct {
	steps   []stepBack
	numbers map[stepBack]int
	// windows are the times from which on a write may be lost.
	windows [][2]int64
	// isSharded says that the list of a user's sessions may be on another server than the session.
	isSharded bool
}

func isFailover(o op) bool {
	return o.Verb == "failover" || o.Verb == "split" || o.Verb == "join"
}

func newReplicaModel(ops []op, isSharded bool) *replicaModel {
	m := &replicaModel{steps: []stepBack{{}}, numbers: map[stepBack]int{}, isSharded: isSharded}
	for _, each := range ops {
		if isFailover(each) {
			m.windows = append(m.windows, [2]int64{each.Call - lagLimit, each.Return})
		}
	}
	return m
}

// A way is a state that may follow, and what is lost on the way to it.
type way struct {
	to   replica
	lost loss
}

func (m *replicaModel) step(r replica, o op) []way {
	switch o.Verb {
	case "failover", "split":
		var after []way
		now, lost := r.line, loss{}
		isUnlisted := r.isUnlisted || m.hasLostList(r.line, o)
		for {
			next := replica{line: now, isUnlisted: isUnlisted}
			if o.Verb == "split" {
				next.isSplit, next.side = true, r.state
			}
			after = append(after, way{next, lost})
			if !m.mayUndo(now, o) {
				return after
			}
			undone := m.steps[now.back]
			now, lost = line{undone.to, undone.before}, lost.plus(undone.lost)
		}
	case "join":
		return []way{{replica{line: r.line, isUnlisted: r.isUnlisted}, r.sideLost}}
	}
	after := m.misses(r, o)
	process := uint8(1) << o.Process
	for _, next := range step(r.state, o) {
		to := r
		to.line = m.advance(r.line, next.(state), o)
		m.list(&to, r.content, to.content, o)
		if r.isSplit {
			to.moved |= process
		}
		after = append(after, way{to: to})
	}
	if r.isSplit && (r.moved&process == 0 || o.Answer == "unknown") {
		for _, next := range step(r.side, o) {
			to := r
			to.side = next.(state)
			to.sideLost = r.sideLost.plus(lossOf(r.side, to.side, o))
			m.list(&to, r.side.content, to.side.content, o)
			after = append(after, way{to: to})
		}
	}
	return after
}

// advance notes how to undo a write, if a failover may lose it.
func (m *replicaModel) advance(now line, next state, o op) line {
	if now.content == next.content {
		return line{next, now.back}
	}
	if !m.mayLose(o) {
		return line{next, 0}
	}
	undo := stepBack{now.state, o.Return, lossOf(now.state, next, o), now.back}
	number, known := m.numbers[undo]
	if !known {
		number = len(m.steps)
		m.steps = append(m.steps, undo)
		m.numbers[undo] = number
	}
	return line{next, number}
}

// mayLose says whether a failover may lose what this call writes.
func (m *replicaModel) mayLose(o op) bool {
	for _, window := range m.windows {
		if o.Return >= window[0] && o.Call <= window[1] {
			return true
		}
	}
	return false
}

// mayUndo says whether this failover may undo the newest write.
func (m *replicaModel) mayUndo(now line, failover op) bool {
	return now.back != 0 && m.steps[now.back].ret >= failover.Call-lagLimit
}

// lossOf returns what is lost if this call is undone. What nobody was told is no loss.
func lossOf(before, after state, o op) loss {
	switch {
	case o.Answer == "unknown" || before.content == after.content:
		return loss{}
	case after.status == ended && before.status == live:
		return loss{Logouts: 1}
	case after.family == family{}:
		return loss{Writes: 1}
	case after.n != before.n || before.status != live:
		return loss{Tokens: 1}
	}
	// The use of a token, or its repetition, is noted for the next refresh alone.
	return loss{}
}

func (m *replicaModel) toModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{replica{}} },
		Step: func(before, input, _ interface{}) []interface{} {
			var after []interface{}
			for _, each := range m.step(before.(replica), input.(op)) {
				after = append(after, each.to)
			}
			return after
		},
		Hash: func(each interface{}) uint64 {
			r := each.(replica)
			return sessionModel.Hash(r.state)*31 ^ sessionModel.Hash(r.side)<<1 ^ uint64(r.back)*1099511628211
		},
		DescribeOperation: func(input, output interface{}) string { return describe(input, output) },
		DescribeState: func(each interface{}) string {
			r := each.(replica)
			return fmt.Sprintf("%v, beside it %v", r.content, r.side.content)
		},
	}
	return model.ToModel()
}

// measure looks for an order in which failovers lose as little as they may, and says what is lost in it.
func measure(ops []op, isSharded bool, limit time.Duration) (porcupine.CheckResult, porcupine.Model, porcupine.LinearizationInfo, loss) {
	m := newReplicaModel(ops, isSharded)
	model := m.toModel()
	result, info := porcupine.CheckOperationsVerbose(model, toOperations(ops), limit)
	if result != porcupine.Ok {
		return result, model, info, loss{}
	}
	for _, order := range info.PartialLinearizationsOperations() {
		for _, each := range order {
			if len(each) == len(ops) {
				return result, model, info, m.replay(each)
			}
		}
	}
	return result, model, info, loss{}
}

// replay returns the least that was lost if the calls happened in this order.
func (m *replicaModel) replay(order []porcupine.Operation) loss {
	costs := map[replica]loss{{}: {}}
	for _, each := range order {
		next := map[replica]loss{}
		for from, lost := range costs {
			for _, way := range m.step(from, each.Input.(op)) {
				sum := lost.plus(way.lost)
				if known, ok := next[way.to]; !ok || sum.less(known) {
					next[way.to] = sum
				}
			}
		}
		costs = next
	}
	var all []loss
	for _, each := range costs {
		all = append(all, each)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].less(all[j]) })
	return all[0]
}
