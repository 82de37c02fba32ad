// Command cold checks one token, prints the most memory that it has used, in KiB, and ends. It is built once for each
// contender, with the tag of its name, so that nothing of the others is in it; without a tag it checks nothing.
//
// usage: cold POLICY TOKEN
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"gatepass.dev/gatepass/bench/material"
)

func main() {
	if contender != nil {
		checkOne()
	}
	// What the kernel tells the parent counts the parent's own memory too, from before this program was loaded.
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println(strings.Fields(peak)[0])
}

func checkOne() {
	var policy material.Policy
	if err := json.Unmarshal([]byte(os.Args[1]), &policy); err != nil {
		log.Fatal(err)
	}
	verify, err := contender(policy)
	if err != nil {
		log.Fatal(err)
	}
	if email, err := verify(os.Args[2]); err != nil || email != material.Email {
		log.Fatal(email, err)
	}
}
