package main

import (
	"time"

	"github.com/anishathalye/porcupine"
)

// decide looks for an order of the calls in which each of them takes effect once, and then for one in
// which a call takes effect again: after a fault that removed its effect, and after its session expired.
func decide(read history, limit time.Duration) (porcupine.CheckResult, porcupine.Model, porcupine.LinearizationInfo, *loss) {
	result, model, info, lost := decideOnce(read, limit)
	if result != porcupine.Illegal {
		return result, model, info, lost
	}
	for _, addCalls := range []func([]op) []op{withRepeats, withSecondCreates} {
		more := addCalls(read.Ops)
		if len(more) == len(read.Ops) {
			continue
		}
		read.Ops = more
		again, other, order, less := decideOnce(read, limit)
		if again == porcupine.Ok {
			return again, other, order, less
		}
		// Where the time did not suffice, nobody knows whether these calls explain the answers.
		if again == porcupine.Unknown {
			result = again
		}
	}
	return result, model, info, lost
}

// removes says whether what the database holds may go back, or is gone, with this call.
func removes(o op) bool {
	return o.Verb == "flush" || o.Verb == "crash" || o.Verb == "failover" || o.Verb == "split"
}

// withRepeats adds a call that may have happened before the fault for each write that was under way then:
// a store that got no answer looks whether its write is there, and writes again where it is not.
func withRepeats(ops []op) []op {
	repeated := append([]op{}, ops...)
	for _, fault := range ops {
		if !removes(fault) {
			continue
		}
		for _, each := range ops {
			isWrite := each.Verb != "get" && each.Verb != "verify" && !removes(each) && !isFailover(each)
			if isWrite && each.Call < fault.Return && each.Return > fault.Call {
				each.Answer, each.Return = "unknown", fault.Return
				repeated = append(repeated, each)
			}
		}
	}
	return repeated
}

// withSecondCreates adds a second effect of each write of a session that lives for a moment only. A create
// whose reply is lost is sent again. Where another write has taken the session's place and has expired
// since, by the clock of the creator, the create lands once more. Outside the lab, nobody knows the id of a
// new session before its create is answered.
func withSecondCreates(ops []op) []op {
	more := append([]op{}, ops...)
	for _, each := range ops {
		if (each.Verb == "create" || each.Verb == "plain") && each.Deadline < never {
			each.Verb, each.Answer = "createAgain", "unknown"
			more = append(more, each)
		}
	}
	return more
}

// decideOnce looks for an order in which failovers lose nothing, and then for one in which they do.
func decideOnce(read history, limit time.Duration) (porcupine.CheckResult, porcupine.Model, porcupine.LinearizationInfo, *loss) {
	calls, hadFailover := withoutFailovers(read.Ops)
	model := modelOf(read.Ops).ToModel()
	// Most sessions have an order without the calls that nobody saw happen, which is found sooner.
	seen := withoutUnseen(calls)
	for _, fewer := range [][]op{without(seen, isEnd, isUpdate), without(seen, isUpdate), seen} {
		if porcupine.CheckOperationsTimeout(model, toOperations(fewer), limit/4) == porcupine.Ok {
			return porcupine.Ok, model, porcupine.LinearizationInfo{}, nil
		}
	}
	if !hadFailover {
		result, info := porcupine.CheckOperationsVerbose(model, toOperations(calls), limit)
		return result, model, info, nil
	}
	if porcupine.CheckOperationsTimeout(model, toOperations(calls), limit/4) == porcupine.Ok {
		return porcupine.Ok, model, porcupine.LinearizationInfo{}, nil
	}
	if result, _, info, lost := measure(withoutUnseen(read.Ops), read.IsSharded, limit/2); result == porcupine.Ok {
		return result, model, info, &lost
	}
	result, model, info, lost := measure(read.Ops, read.IsSharded, limit)
	return result, model, info, &lost
}

// withoutUnseen leaves out the writes without an answer whose values nobody has read. Such a write may
// not have happened, so an order of the other calls is an order of all.
func withoutUnseen(ops []op) []op {
	seen := map[string]bool{}
	for _, each := range ops {
		for name, value := range each.Found {
			// All sessions of a history have the same user.
			seen[value] = name != "user"
		}
	}
	isSeen := func(o op) bool {
		for _, value := range o.Set {
			if seen[value] {
				return true
			}
		}
		for _, variant := range o.Variants {
			if len(variant.Remove) > 0 {
				return true
			}
			for _, value := range variant.Set {
				if seen[value] {
					return true
				}
			}
		}
		return false
	}
	var kept []op
	for _, each := range ops {
		isWrite := each.Verb == "create" || each.Verb == "save" || each.Verb == "plain"
		if each.Answer != "unknown" || each.Verb != "touch" && (!isWrite || isSeen(each)) {
			kept = append(kept, each)
		}
	}
	return kept
}

func isEnd(o op) bool {
	return o.Verb == "destroy" || o.Verb == "revoke" || o.Verb == "revokeUser" || o.Verb == "regenerate"
}

func isUpdate(o op) bool {
	return o.Verb == "update"
}

// without leaves out the calls of these kinds that had no answer. Any of them may not have happened.
func without(ops []op, kinds ...func(o op) bool) []op {
	var kept []op
	for _, each := range ops {
		isKept := true
		for _, isKind := range kinds {
			isKept = isKept && !(each.Answer == "unknown" && isKind(each))
		}
		if isKept {
			kept = append(kept, each)
		}
	}
	return kept
}

func toOperations(ops []op) []porcupine.Operation {
	operations := []porcupine.Operation{}
	for _, each := range ops {
		operations = append(operations, porcupine.Operation{
			ClientId: each.Process, Input: each, Call: each.Call, Output: nil, Return: each.Return,
		})
	}
	return operations
}

// withoutFailovers returns the calls of the applications, and whether there were others.
func withoutFailovers(ops []op) ([]op, bool) {
	var kept []op
	for _, each := range ops {
		if !isFailover(each) {
			kept = append(kept, each)
		}
	}
	return kept, len(kept) < len(ops)
}
