// Command go measures gatepass for Go next to the libraries that a program would otherwise use, in interleaved rounds.
//
// usage: go run . [--rounds 5] [--seconds 0.4] [--job V1,V2,…]
//
// It prints one line of JSON for each job and contender:
//
//	{"language":"go","job":"V1","peer":"gatepass","version":"0.1.0","unit":"op/s","rounds":[…]}
//
// Without cgo, where gatepass's core is WebAssembly, each has a "provider" as well, which says so.
//
// Everybody checks signature, exp, aud and iss of the same tokens, with the keys in memory, and reads the e-mail. Tokens
// are handed over as a server has them: what stands behind "Bearer " in the value of a header. Whoever remembers tokens
// knows them by what they hold, not by where they are.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// A job is a thing to do, measured in one run for all who can do it.
type job struct {
	// group is the letter by which the job is asked for.
	group string
	// outputs are what is measured, each under a name of its own.
	outputs []output
	prepare func() ([]contender, error)
}

type output struct{ name, unit string }

// patience is how long all of it may take.
const patience = 15 * time.Minute

// A contender does a job for so long, and returns what was measured: one figure for each output, of which it may leave
// out the last.
type contender struct {
	name, module string
	run          func(time.Duration) ([]float64, error)
}

func main() {
	rounds := flag.Int("rounds", 5, "how often everybody's turn comes")
	seconds := flag.Float64("seconds", 0.4, "how long a turn is")
	wanted := flag.String("job", "", "names or groups of jobs, separated by commas; all, if left out")
	serve := flag.String("serve", "", "be the hello service of this contender; the job W starts itself so")
	serveGRPC := flag.Bool("serve-grpc", false, "be the servers of gRPC; the job R starts itself so")
	remember := flag.Bool("remember", false, "be who remembers many tokens; the job G starts itself so")
	flag.Parse()
	time.AfterFunc(patience, func() { log.Fatalf("it took longer than %s", patience) })
	switch {
	case *serve != "":
		log.Fatal(serveHello(*serve))
	case *serveGRPC:
		if err := serveEmpty(); err != nil {
			log.Fatal(err)
		}
		return
	case *remember:
		if err := rememberMany(); err != nil {
			log.Fatal(err)
		}
		return
	}
	isWanted := func(j job) bool { return j.isIn(*wanted) }
	if !slices.ContainsFunc(every, isWanted) {
		log.Fatalf("no job is named %s", *wanted)
	}
	for _, job := range jobs {
		if !isWanted(job) {
			continue
		}
		if err := job.measure(*rounds*job.shortRounds(), time.Duration(*seconds*float64(time.Second))); err != nil {
			log.Fatalf("%s: %v", job.outputs[0].name, err)
		}
	}
}

// every job that there is; jobs are those of this build.
var every = slices.Concat(verifying, []job{signing, heading, starting, serving, calling}, growing, []job{remembering}, herding)

func (j job) isIn(wanted string) bool {
	if wanted == "" {
		return true
	}
	names := strings.Split(wanted, ",")
	return slices.Contains(names, j.group) ||
		slices.ContainsFunc(j.outputs, func(o output) bool { return slices.Contains(names, o.name) })
}

// shortRounds is how many rounds there are for each that was asked for.
func (j job) shortRounds() int {
	if j.group == calling.group {
		return shortRounds
	}
	return 1
}

// measure gives everybody one turn in each round, in no order, so that what else happens on the machine hits all alike.
func (j job) measure(rounds int, turn time.Duration) error {
	defer cleanUp()
	contenders, err := j.prepare()
	if err != nil {
		return err
	}
	figures := make([][][]float64, len(contenders))
	for range rounds {
		for _, at := range rand.Perm(len(contenders)) {
			runtime.GC() // Nobody pays for what others have left behind.
			measured, err := contenders[at].run(turn)
			if err != nil {
				return fmt.Errorf("%s: %w", contenders[at].name, err)
			}
			figures[at] = append(figures[at], measured)
		}
	}
	lines := json.NewEncoder(os.Stdout)
	for at, contender := range contenders {
		for which, output := range j.outputs {
			var column []float64
			for _, measured := range figures[at] {
				if which < len(measured) {
					column = append(column, measured[which])
				}
			}
			if column == nil {
				continue
			}
			if err := lines.Encode(struct {
				Provider string    `json:"provider,omitempty"`
				Language string    `json:"language"`
				Job      string    `json:"job"`
				Peer     string    `json:"peer"`
				Version  string    `json:"version"`
				Unit     string    `json:"unit"`
				Rounds   []float64 `json:"rounds"`
			}{provider, "go", output.name, contender.name, version(contender.module), output.unit, column}); err != nil {
				return err
			}
		}
	}
	return nil
}

// The modules of the contenders.
const (
	gatepassModule  = "gatepass.dev/gatepass"
	apiModule       = "google.golang.org/api"
	cloudModule     = "cloud.google.com/go/auth"
	golangJWTModule = "github.com/golang-jwt/jwt/v5"
	goJoseModule    = "github.com/go-jose/go-jose/v4"
	jwxModule       = "github.com/lestrrat-go/jwx/v3"
	grpcModule      = "google.golang.org/grpc"
)

// version returns that of a module; of what is in none, Go's own.
func version(module string) string {
	if module == gatepassModule {
		return native.Version()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return strings.TrimPrefix(dependency.Version, "v")
			}
		}
	}
	return strings.TrimPrefix(runtime.Version(), "go")
}

// A clock tells how much time has gone by since some moment.
type clock func() time.Duration

var start = time.Now()

func wallClock() time.Duration { return time.Since(start) }

// processorClock tells the processor time of this process, which is the same whoever else is on the machine.
func processorClock() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// clockOf is that of the processor for one goroutine. Several may wait for each other.
func clockOf(goroutines int) clock {
	if goroutines == 1 {
		return processorClock
	}
	return wallClock
}

// rate counts how often op can be done in a second. It looks at the clock about once in a millisecond.
func rate(turn time.Duration, clock clock, op func(at int) error) (float64, error) {
	begin := clock()
	for done, batch := 0, 1; ; {
		before := clock()
		for range batch {
			if err := op(done); err != nil {
				return 0, err
			}
			done++
		}
		now := clock()
		if now-begin >= turn {
			return float64(done) / (now - begin).Seconds(), nil
		}
		if now-before < time.Millisecond {
			batch *= 2
		}
	}
}

// rated is a contender of which one rate is measured.
func rated(name, module string, op func(at int) error) contender {
	return contender{name, module, func(turn time.Duration) ([]float64, error) {
		measured, err := rate(turn, processorClock, op)
		return []float64{measured}, err
	}}
}

var cleanUps []func()

// atEnd has something done at the end of the job.
func atEnd(do func()) { cleanUps = append(cleanUps, do) }

func cleanUp() {
	for _, do := range slices.Backward(cleanUps) {
		do()
	}
	cleanUps = nil
}
