package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

func main() {
	start := run
	if dir, ok := child(); ok {
		start = func() error { return startHost(dir) }
	}
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// child reports whether this process was started by another one of it: as a
// host in a mission's folder, or, then it does not return, to watch an attempt
// of such a host.
func child() (dir string, ok bool) {
	script.Child()
	worker.Shim()
	if len(os.Args) == 3 && os.Args[1] == startFlag {
		return os.Args[2], true
	}
	return "", false
}

// options are the flags.
type options struct {
	rounds                     int
	limit                      time.Duration
	scale                      float64
	dir, out, profile, program string
	only                       string
	list, markdown, install    bool
}

func flags() *options {
	o := &options{}
	flag.IntVar(&o.rounds, "rounds", 5, "rounds to take medians of")
	flag.DurationVar(&o.limit, "limit", 6*time.Minute, "begin no round after this time")
	flag.Float64Var(&o.scale, "scale", 1, "how much each round does")
	flag.StringVar(&o.only, "only", "", "take only the measurements whose name matches this `REGEX`")
	flag.BoolVar(&o.list, "list", false, "print the names of all measurements")
	flag.StringVar(&o.dir, "dir", "", "a folder on the disk to measure; by default the temporary one")
	flag.StringVar(&o.out, "out", filepath.Join("out", "latest.json"), "where the rows are written")
	flag.StringVar(&o.program, "omega", "", "the program to measure; by default it is built")
	flag.BoolVar(&o.markdown, "markdown", false, "print the table as docs/performance.md has it")
	flag.BoolVar(&o.install, "install", false, "install PostgreSQL where it is missing and apt-get can")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of one kind of job (simple or full) to out/ and measure nothing else")
	flag.Parse()
	return o
}

func run() error {
	o := flags()
	if o.list {
		for _, m := range measurements() {
			fmt.Println(m.topic + "/" + m.name)
		}
		return nil
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	if o.profile != "" {
		return errors.Join(profiled(b, o.profile, filepath.Dir(o.out)), b.close())
	}
	began := time.Now()
	t, rounds, err := b.rounds(o.rounds, o.limit, only)
	if err := errors.Join(err, b.close()); err != nil {
		return err
	}
	rows := t.rows()
	show := print
	if o.markdown {
		show = markdown
	}
	fmt.Printf("%s; rounds: %d, in %.0f s\n", b.machine(), rounds, time.Since(began).Seconds())
	if err := show(os.Stdout, rows); err != nil {
		return err
	}
	return write(o.out, rows)
}

// newBench makes the folder, the program and the database that measurements
// need. An interrupt removes them and ends the process, whatever it is at.
func newBench(ctx context.Context, o *options) (*bench, error) {
	dir, err := os.MkdirTemp(o.dir, "omega-bench-")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &bench{ctx: ctx, dir: dir, scale: o.scale, omega: o.program, done: make(chan struct{}), cancel: cancel}
	go func() {
		select {
		case <-ctx.Done():
			_ = b.remove()
			os.Exit(130)
		case <-b.done:
		}
	}()
	// Keys and the list of missions stay in the folder, too.
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		if err := os.Setenv(name, filepath.Join(dir, name)); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	if b.omega == "" {
		if err := b.build(); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	b.openPostgres(o)
	return b, nil
}

// build builds the program the way make does.
func (b *bench) build() error {
	b.omega = filepath.Join(b.dir, "omega")
	out, err := exec.CommandContext(b.ctx, "go", "build", "-C", "..", "-trimpath", "-o", b.omega, "./cmd/omega").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program, which works in the folder bench of the project: %w\n%s", err, out)
	}
	return nil
}

// openPostgres makes the peer ready, or says why it is left out.
func (b *bench) openPostgres(o *options) {
	var err error
	if o.install {
		err = installPostgres(b.ctx)
	}
	if err == nil {
		b.postgres, err = newPostgres(b.ctx, o.dir)
	}
	if err != nil {
		b.missing = err.Error()
		fmt.Fprintln(os.Stderr, "River and PostgreSQL are left out:", b.missing)
	}
}

// close removes everything the benchmark has made but its results.
func (b *bench) close() error {
	close(b.done)
	err := b.remove()
	b.cancel()
	return err
}

// remove is for the one who comes first; whoever else comes waits for it.
func (b *bench) remove() (err error) {
	b.once.Do(func() {
		if b.postgres != nil {
			err = b.postgres.remove()
		}
		err = errors.Join(err, os.RemoveAll(b.dir))
	})
	return err
}

// machine says on what was measured.
func (b *bench) machine() string {
	text := fmt.Sprintf("%s %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(load), " ")
		text += ", load average " + first + " at the end"
	}
	if b.postgres != nil {
		text += ", PostgreSQL " + b.postgres.version
	}
	return text
}

func profiled(b *bench, name, out string) error {
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		p, err := open(b.dir, k.name)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(out, name+".prof"))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		before, n := used(), b.some(k.jobs[2], 64)
		took, err := p.run(n, costOutstanding)
		if err != nil {
			return err
		}
		err = p.close()
		pprof.StopCPUProfile()
		use := used().since(before)
		fmt.Printf("%s: %.0f/s, %.1f µs CPU, %d allocs each\n", k.what, float64(n)/took.Seconds(), microseconds(use.cpu)/float64(n), use.allocs/uint64(n))
		return err
	}
	return fmt.Errorf("%q is not a kind of job: use simple or full", name)
}
