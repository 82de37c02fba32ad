package gatepass

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A table is a bounded map that is read all the time and written seldom: readers take no lock. When it is full, it begins
// anew.
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
	if entries == nil || len(entries) >= limits().HeldTokens {
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
