package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/bench/material"
	ours "gatepass.dev/gatepass/bench/peers/gatepass"
)

// starting is M: processes that check one token and end. Each has one contender in it and nothing of the others.
var starting = job{"M", []output{{"M-start", "ms"}, {"M-rss", "MB"}}, func() ([]contender, error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, err
	}
	tokens, err := issuer.Tokens(1)
	if err != nil {
		return nil, err
	}
	policy, err := json.Marshal(issuer.Policy)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "gatepass-bench")
	if err != nil {
		return nil, err
	}
	atEnd(func() { os.RemoveAll(folder) })
	var contenders []contender
	for _, peer := range append([]peer{{name: "empty process"}}, peers...) {
		program := filepath.Join(folder, "cold-"+peer.tag)
		if output, err := exec.Command("go", "build", "-tags", peer.tag, "-o", program, "./cold").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, output)
		}
		contenders = append(contenders, contender{peer.name, peer.module, func(turn time.Duration) ([]float64, error) {
			return startAgainAndAgain(turn, program, string(policy), tokens[0])
		}})
	}
	return contenders, nil
}}

// startAgainAndAgain returns the mean of the time that the process takes, in ms, and of its memory, in MB.
func startAgainAndAgain(turn time.Duration, program string, arguments ...string) ([]float64, error) {
	began, count, kibibytes := time.Now(), 0.0, 0.0
	for count == 0 || time.Since(began) < turn {
		output, err := exec.Command(program, arguments...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, output)
		}
		peak, err := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
		if err != nil {
			return nil, err
		}
		count++
		kibibytes += peak
	}
	milliseconds := time.Since(began).Seconds() * 1000
	return []float64{milliseconds / count, kibibytes * 1024 / 1e6 / count}, nil
}

// serving is W: a service that says hello to callers with a token, and one that says hello to anybody. The same token
// comes each time.
var serving = job{"W", []output{{"W", "us"}, {"W-rate", "requests/s"}, {"W-p99", "us"}}, func() ([]contender, error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, err
	}
	tokens, err := issuer.Tokens(1)
	if err != nil {
		return nil, err
	}
	policy, err := json.Marshal(issuer.Policy)
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for _, peer := range append([]peer{{name: bareServer}}, peers...) {
		url, err := startServer(peer.name, policy)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, contender{peer.name, peer.module, func(turn time.Duration) ([]float64, error) {
			return load(turn, url, tokens[0])
		}})
	}
	return contenders, nil
}}

const bareServer = "bare server"

// connections is how many clients of a hello service there are.
const connections = 4

// startServer starts this program anew, as a hello service, and returns its URL.
func startServer(name string, policy []byte) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	command := exec.Command(program, "--serve", name)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "POLICY="+string(policy))
	stdin, err := command.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	atEnd(func() {
		stdin.Close()
		command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	return strings.TrimSpace(line), err
}

// serveHello is the service, until standard input closes. Its /usage tells how much CPU time it has used, in µs.
func serveHello(name string) error {
	var policy material.Policy
	if err := json.Unmarshal([]byte(os.Getenv("POLICY")), &policy); err != nil {
		return err
	}
	var hello http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	switch index := slices.IndexFunc(peers, func(p peer) bool { return p.name == name }); {
	case name == bareServer:
	case name == "gatepass":
		verifier, err := ours.Verifier(policy)
		if err != nil {
			return err
		}
		hello = gatepass.RequireIDToken(verifier)(hello)
	case index < 0:
		return fmt.Errorf("nobody is named %s", name)
	default:
		verify, err := peers[index].create(policy)
		if err != nil {
			return err
		}
		hello = requireToken(verify, hello)
	}
	http.Handle("/", hello)
	http.HandleFunc("/usage", func(w http.ResponseWriter, _ *http.Request) {
		var usage syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		fmt.Fprint(w, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Microseconds())
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, nil)
}

// requireToken is the middleware that somebody would write around a library that has none.
func requireToken(verify material.Verify, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !found {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		if _, err := verify(token); err != nil {
			http.Error(w, "no valid token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// load returns the service's CPU time for each request in µs, the requests in a second, and the time in µs within which
// 99 of 100 were answered.
func load(turn time.Duration, url, token string) ([]float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	before, err := cpuTime(client, url)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	times, errs := make([][]time.Duration, connections), make([]error, connections)
	var done sync.WaitGroup
	for at := range connections {
		done.Go(func() {
			for errs[at] == nil && time.Since(began) < turn {
				sent := time.Now()
				errs[at] = sayHello(client, url, token)
				times[at] = append(times[at], time.Since(sent))
			}
		})
	}
	done.Wait()
	elapsed := time.Since(began)
	after, err := cpuTime(client, url)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	requests := float64(len(all))
	return []float64{
		(after - before) / requests, requests / elapsed.Seconds(), float64(all[len(all)*99/100].Microseconds()),
	}, nil
}

func sayHello(client *http.Client, url, token string) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hello" {
		return fmt.Errorf("%s: %s: %v", response.Status, body, err)
	}
	return nil
}

func cpuTime(client *http.Client, url string) (float64, error) {
	response, err := client.Get(url + "/usage")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}
