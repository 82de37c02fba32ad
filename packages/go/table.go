package gatepass

import (
	"maps"
	"sync"
	"sync/atomic"
)

// tableLimit is how many entries a table holds; it then begins anew. The core keeps as many tokens.
const tableLimit = 1_000

// A table is a bounded map that is read all the time and written seldom: readers take no lock.
type table[K comparable, V any] struct {
	mu      sync.Mutex
	entries atomic.Pointer[map[K]V]
}

// get returns the value for key, made once.
func (t *table[K, V]) get(key K, create func() (V, error)) (V, error) {
	if value, found := t.read()[key]; found {
		return value, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	entries := t.read()
	if value, found := entries[key]; found {
		return value, nil
	}
	value, err := create()
	if err != nil {
		return value, err
	}
	if entries == nil || len(entries) >= tableLimit {
		entries = map[K]V{}
	} else {
		entries = maps.Clone(entries)
	}
	entries[key] = value
	t.entries.Store(&entries)
	return value, nil
}

func (t *table[K, V]) read() map[K]V {
	if entries := t.entries.Load(); entries != nil {
		return *entries
	}
	return nil
}
