package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	rounds := flag.Int("rounds", 5, "rounds to take medians of")
	scale := flag.Float64("scale", 1, "how much each round does")
	dir := flag.String("dir", "", "a folder on the disk to measure; by default the temporary one")
	out := flag.String("out", filepath.Join("out", "latest.json"), "where the rows are written")
	profile := flag.String("profile", "", "write a CPU profile of one kind of job (simple or full) to out/ and measure nothing else")
	flag.Parse()

	work, err := os.MkdirTemp(*dir, "omega-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// Keys and the list of missions stay in the folder, too.
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		if err := os.Setenv(name, filepath.Join(work, name)); err != nil {
			return err
		}
	}
	if *profile != "" {
		return profiled(work, *profile, filepath.Dir(*out), *scale)
	}
	t := newTable()
	for round := range *rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, *rounds)
		if err := measure(t, work, *scale); err != nil {
			return err
		}
	}
	rows := t.rows()
	fmt.Printf("%s %s/%s, %d cores, medians of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	if err := print(os.Stdout, rows); err != nil {
		return err
	}
	return write(*out, rows)
}

// measure takes one round of every row.
func measure(t *table, dir string, scale float64) error {
	if err := events(t, dir, scale); err != nil {
		return err
	}
	for _, take := range []func(*table, string, kind, float64) error{lives, costs, latency, steps} {
		for _, k := range kinds {
			if err := take(t, dir, k, scale); err != nil {
				return fmt.Errorf("%s: %w", k.what, err)
			}
		}
	}
	return nil
}

func profiled(dir, name, out string, scale float64) error {
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		p, err := open(dir, k.name)
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
		before := used()
		took, err := p.run(int(scale*k.jobs[2]), costOutstanding)
		if err != nil {
			return err
		}
		err = p.close()
		pprof.StopCPUProfile()
		use, n := used().since(before), scale*k.jobs[2]
		fmt.Printf("%s: %.0f/s, %.1f µs CPU, %.0f allocs each\n", k.what, n/took.Seconds(), float64(use.cpu.Nanoseconds())/1e3/n, float64(use.allocs)/n)
		return err
	}
	return fmt.Errorf("%q is not a kind of job: use simple or full", name)
}
