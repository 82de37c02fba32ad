package gatepassgrpc

import (
	"sync"

	"gatepass.dev/gatepass"
)

// maxServices is more than one program calls.
const maxServices = 1_000

// A table is what is known of the destinations of calls. When it is full, it begins anew.
type table struct {
	mu      sync.RWMutex
	entries map[destination]*service
}

// get returns the service at this destination, planned once.
func (t *table) get(where destination, call gatepass.GRPCCall) (*service, error) {
	t.mu.RLock()
	known := t.entries[where]
	t.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	plan, err := where.plan(call)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.entries[where]; known != nil {
		return known, nil
	}
	if t.entries == nil || len(t.entries) >= maxServices {
		t.entries = map[destination]*service{}
	}
	t.entries[where] = &service{CallPlan: plan}
	return t.entries[where], nil
}
