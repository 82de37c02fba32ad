package main

import (
	"bufio"
	"context"
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
var starting = job{"M", []output{{"M-start", "ms"}, {"M-rss", "MB"}, {"M-size", "MB"}}, startingContenders}

func startingContenders() ([]contender, error) {
	policy, token, err := oneToken()
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
		if output, err := exec.Command("go", "build", "-ldflags=-s -w", "-tags", peer.tag, "-o", program, "./cold").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, output)
		}
		built, err := os.Stat(program)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, contender{peer.name, peer.module, func(turn time.Duration) ([]float64, error) {
			figures, err := startAgainAndAgain(turn, program, string(policy), token)
			return append(figures, float64(built.Size())/1e6), err
		}})
	}
	return contenders, nil
}

// oneToken returns a policy, as JSON for another process, and a token that meets it.
func oneToken() (policy []byte, token string, err error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, "", err
	}
	tokens, err := issuer.Tokens(1)
	if err != nil {
		return nil, "", err
	}
	policy, err = json.Marshal(issuer.Policy)
	return policy, tokens[0], err
}

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
// comes each time. What the check adds to a request's CPU time is the difference between the two services, which take
// turns many times in a round: what else the machine does changes it more than a check may.
var serving = job{"W", []output{{"W-rate", "op/s"}, {"W-p99", "ms"}, {"W", "us"}}, func() ([]contender, error) {
	policy, token, err := oneToken()
	if err != nil {
		return nil, err
	}
	var contenders []contender
	var unchecked *service
	for _, peer := range append([]peer{{name: noMiddleware}}, peers...) {
		service, err := startService(peer.name, policy)
		if err != nil {
			return nil, err
		}
		if unchecked == nil {
			unchecked = service
		}
		contenders = append(contenders, contender{peer.name, peer.module, func(time.Duration) ([]float64, error) {
			var with, without load
			for range shifts {
				if err := errors.Join(unchecked.answer(token, &without), service.answer(token, &with)); err != nil {
					return nil, err
				}
			}
			figures := []float64{with.rate(), with.p99().Seconds() * 1e3}
			if service == unchecked {
				return figures, nil
			}
			return append(figures, (with.cpuOfOne()-without.cpuOfOne()).Seconds()*1e6), nil
		}})
	}
	return contenders, nil
}}

const noMiddleware = "bare"

// How many requests there are in a turn, whatever time they take: so many times so many.
const (
	shifts   = 10
	requests = 400
)

// connections is how many clients of a hello service there are.
const connections = 4

// A service runs in a process of its own.
type service struct {
	url    string
	client *http.Client
}

func startService(name string, policy []byte) (*service, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, "--serve", name)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "POLICY="+string(policy))
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: time.Minute}
	atEnd(func() {
		client.CloseIdleConnections()
		stdin.Close()
		command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	return &service{strings.TrimSpace(line), client}, err
}

// serveHello is the service, until standard input closes. Its /usage tells how much CPU time it has used, in ns.
func serveHello(name string) error {
	var policy material.Policy
	if err := json.Unmarshal([]byte(os.Getenv("POLICY")), &policy); err != nil {
		return err
	}
	var hello http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	switch index := slices.IndexFunc(peers, func(p peer) bool { return p.name == name }); {
	case name == noMiddleware:
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
		fmt.Fprint(w, usage.Utime.Nano()+usage.Stime.Nano())
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

// requireToken is the middleware that somebody would write around a library that has none. Like gatepass's own, it tells
// the handler who calls.
func requireToken(verify material.Verify, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !found {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		email, err := verify(token)
		if err != nil {
			http.Error(w, "no valid token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, email)))
	})
}

type callerKey struct{}

// A load is what requests have taken: in all, the CPU time of the service and the time on the clock, and each for itself.
type load struct {
	cpu, elapsed time.Duration
	times        []time.Duration
}

func (l *load) cpuOfOne() time.Duration { return l.cpu / time.Duration(len(l.times)) }

func (l *load) rate() float64 { return float64(len(l.times)) / l.elapsed.Seconds() }

// p99 is how long 99 of 100 requests took at most.
func (l *load) p99() time.Duration { return slices.Sorted(slices.Values(l.times))[len(l.times)*99/100] }

// answer sends the service as many requests as there are in a shift.
func (s *service) answer(token string, l *load) error {
	before, err := s.cpuTime()
	if err != nil {
		return err
	}
	began := time.Now()
	times, errs := make([]time.Duration, requests), make([]error, connections)
	var done sync.WaitGroup
	for connection := range connections {
		done.Go(func() {
			for at := connection; at < requests && errs[connection] == nil; at += connections {
				sent := time.Now()
				errs[connection] = s.sayHello(token)
				times[at] = time.Since(sent)
			}
		})
	}
	done.Wait()
	l.elapsed += time.Since(began)
	l.times = append(l.times, times...)
	after, err := s.cpuTime()
	l.cpu += after - before
	return errors.Join(append(errs, err)...)
}

func (s *service) sayHello(token string) error {
	request, err := http.NewRequest(http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hello" {
		return fmt.Errorf("%s: %s: %v", response.Status, body, err)
	}
	return nil
}

func (s *service) cpuTime() (time.Duration, error) {
	response, err := s.client.Get(s.url + "/usage")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	nanoseconds, err := strconv.ParseInt(string(text), 10, 64)
	return time.Duration(nanoseconds), err
}
