package gatepass

// NewError gives the tests the error that the core has failed with.
var NewError = newError

// HasWaiters tells the tests whether somebody waits for an operation of the source.
func HasWaiters(source *Source) bool {
	source.driver.mu.Lock()
	defer source.driver.mu.Unlock()
	return len(source.driver.landings) > 0
}
