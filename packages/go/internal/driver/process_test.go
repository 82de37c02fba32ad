package driver

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A program that is ended takes along all that it has started.
func TestAProgramIsEndedWithItsChildren(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan reply, 1)
	go func() {
		// The script and its child hold the gate open, and stay.
		script := "exec 3>" + gate + "; (echo child >&3; exec sleep 600) & wait"
		ended <- run(ctx, &step{Argv: []string{"/bin/sh", "-c", script}})
	}()
	file, err := os.Open(gate) // It waits for who opens the other end.
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	if !lines.Scan() {
		t.Fatal("the program did not start")
	}
	cancel()
	if reply := <-ended; reply["reply"] != "failed" || !strings.Contains(reply["message"].(string), "canceled") {
		t.Errorf("%v", reply)
	}
	// The gate closes when the last who holds it open has ended.
	if lines.Scan() {
		t.Errorf("the program wrote %q", lines.Text())
	}
}
