package main

// In Redis Cluster, the list of a user's sessions is a key of its own, which is usually on another
// master than the session. A failover of one of them loses what the other one keeps: an entry that a
// new session needs, or the end of a session whose entry has been removed. Such a session is live and
// not in the list, so `revokeUser` misses it, until its next save enters it again.

// hasLostList says whether the session began or ended so shortly before the failover that its entry may
// be missing after it.
func (m *replicaModel) hasLostList(now line, failover op) bool {
	for m.isSharded && m.mayUndo(now, failover) {
		undone := m.steps[now.back]
		if hasBegunOrEnded(undone.to.content, now.content) {
			return true
		}
		now = line{undone.to, undone.before}
	}
	return false
}

// list notes whether the user's list may lack the session after a call.
func (m *replicaModel) list(r *replica, before, after content, o op) {
	isWrite := after.status == live && (after.keys != before.keys || after.n != before.n || before.status != live)
	switch {
	case !m.isSharded:
	case r.isSplit && hasBegunOrEnded(before, after):
		r.isUnlisted = true
	case isWrite && o.Answer == "ok" && !m.mayLose(o):
		r.isUnlisted = false
	}
}

// misses returns what follows where the call ends all sessions of the user, except one that is not in
// the list.
func (m *replicaModel) misses(r replica, o op) []way {
	if o.Verb != "revokeUser" || !r.isUnlisted {
		return nil
	}
	return []way{{r, loss{Logouts: 1}}}
}

func hasBegunOrEnded(before, after content) bool {
	return (before.status == live) != (after.status == live)
}
