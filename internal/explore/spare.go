package explore

import "slices"

// stillAsleep leaves out of those who are asleep at a point whoever's step is not apart
// from the one that was taken there: after it theirs may come to something else.
func stillAsleep(n *node) (now []sleeper) {
	for _, s := range n.asleep {
		if apart(s.did, n.did) {
			now = append(now, s)
		}
	}
	return now
}

// apart says whether two steps come to the same in either order.
func apart(a, b []Touch) bool {
	for _, x := range a {
		for _, y := range b {
			if (x.Writes || y.Writes) && (x.What == y.What || x == everything || y == everything) {
				return false
			}
		}
	}
	return true
}

// steps is a set of the steps of an order, by their places.
type steps uint64

func (s steps) has(i int) bool { return s>>i&1 == 1 }

// leads returns which steps lead to each: the one before it of the same actor, the one
// after which it was announced, those before it from which it is not apart, and what leads
// to these. An order in which each comes after what leads to it comes to the same.
func leads(order []event, touches func(s *step) []Touch) []steps {
	if len(order) > 63 {
		panic("internal error: an order has more steps than there are bits")
	}
	before := make([]steps, len(order))
	for i, e := range order {
		for j, earlier := range order[:i] {
			if j == e.after-1 || earlier.by == e.by || !apart(touches(earlier.step), touches(e.step)) {
				before[i] |= before[j] | 1<<j
			}
		}
	}
	return before
}

// reverse finds the pairs of steps that might come to something else the other way round,
// and makes due at the first of them somebody who leads to that. Two steps that might touch
// the same count: in another order they do.
func reverse(path []*node, order []event) {
	before := leads(order, func(s *step) []Touch { return s.touches })
	for j, late := range order {
		for i, early := range order[:j] {
			if early.by == late.by || i == late.after-1 || apart(early.touches, late.touches) || between(before, i, j) {
				continue
			}
			var first []string // of those that could be taken instead of early
			var others steps   // that do not need it: they and late come before it
			for k := i + 1; k <= j; k++ {
				if before[k].has(i) && k != j {
					continue
				}
				if before[k]&others == 0 {
					first = append(first, order[k].by.id)
				}
				others |= 1 << k
			}
			if n := path[i]; !slices.ContainsFunc(first, func(id string) bool { return slices.Contains(n.due, id) }) {
				n.due = append(n.due, first[0])
			}
		}
	}
}

// between says whether a step leads from one to another.
func between(before []steps, i, j int) bool {
	for k := i + 1; k < j; k++ {
		if before[j].has(k) && before[k].has(i) {
			return true
		}
	}
	return false
}

// alike counts the orders that come to the same as one, itself included.
func alike(before []steps) int {
	counted := map[steps]int{1<<len(before) - 1: 1}
	var from func(taken steps) int
	from = func(taken steps) (n int) {
		n, ok := counted[taken]
		if ok {
			return n
		}
		for i, need := range before {
			if !taken.has(i) && need&^taken == 0 {
				n += from(taken | 1<<i)
			}
		}
		counted[taken] = n
		return n
	}
	return from(0)
}
