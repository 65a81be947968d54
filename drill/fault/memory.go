package fault

import "sync"

const (
	// remembered is how many first answers are kept, and rememberedBytes how long they
	// are together. What comes beyond that passes.
	remembered      = 1 << 16
	rememberedBytes = 64 << 20
)

// others remembers the latest answers to two questions, so that to each question there
// is one that answers another.
type others[K comparable, V any] struct {
	mu   sync.Mutex // protects what follows
	last []answer[K, V]
}

type answer[K comparable, V any] struct {
	key   K
	value V
}

// note remembers an answer.
func (o *others[K, V]) note(k K, v V) {
	other, ok := o.than(k)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = []answer[K, V]{{k, v}}
	if ok {
		o.last = append(o.last, other)
	}
}

// than returns the latest answer to another question, if there is one.
func (o *others[K, V]) than(k K) (answer[K, V], bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.last {
		if a.key != k {
			return a, true
		}
	}
	return answer[K, V]{}, false
}

// firsts remembers the first answer to each question.
type firsts struct {
	mu    sync.Mutex // protects what follows
	by    map[string][]byte
	bytes int
}

// of returns the first answer to a question, and that is this one if it is new.
func (f *firsts) of(k string, v []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, ok := f.by[k]; ok {
		return first
	}
	if v == nil || len(f.by) == remembered || f.bytes+len(k)+len(v) > rememberedBytes {
		return v
	}
	if f.by == nil {
		f.by = map[string][]byte{}
	}
	f.by[k] = append([]byte{}, v...)
	f.bytes += len(k) + len(v)
	return v
}
