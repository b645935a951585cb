package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// bench is what every measurement works with.
type bench struct {
	ctx      context.Context
	dir      string  // for everything that is written
	scale    float64 // how much each round does
	omega    string  // the program
	postgres *postgres
	missing  string // why there is no PostgreSQL, "" when there is
	cancel   context.CancelFunc
	done     chan struct{} // closed when an interrupt has nothing to remove any more
	once     sync.Once
}

// measurement takes one round of some rows that share a topic.
type measurement struct {
	topic string
	name  string // what -only is matched with, after its topic
	once  bool   // too long for every round: its rows have their medians inside
	take  func(b *bench, t *table) error
}

// measurements are all there are, in the order of the table.
func measurements() []measurement {
	all := []measurement{{topic: "Events", name: "durable", take: events}}
	each := func(topic, name string, take func(*bench, *table, kind) error) {
		for _, k := range kinds {
			all = append(all, measurement{topic: topic, name: name + " " + k.name, take: func(b *bench, t *table) error { return take(b, t, k) }})
		}
	}
	all = append(all, measurement{topic: "Jobs", name: "rate", take: lives}, measurement{topic: "What a job costs", name: "cost", take: costs})
	each("What a job costs", "core", steps)
	each("Latency", "post", latency)
	return append(all,
		measurement{topic: "Transfers", name: "durable", take: transfers},
		measurement{topic: "Whole missions", name: "ci", once: true, take: rehearsals},
		measurement{topic: "Reload", name: "edit", once: true, take: reloads},
		measurement{topic: "Scripts", name: "verdicts", take: verdicts},
		measurement{topic: "Scripts", name: "guardian", once: true, take: scans},
		measurement{topic: "Age", name: "memory", once: true, take: memory},
		measurement{topic: "Age", name: "checkpoint", once: true, take: pauses},
		measurement{topic: "Recovery", name: "entries", once: true, take: recovery},
		measurement{topic: "Emergency stop", name: "emergency", once: true, take: emergency},
	)
}

// rounds takes every measurement that is asked for, one round after the other,
// so that a minute in which the machine is busy with something else falls on
// Omega and its peers alike. It begins no round after the limit, and returns how
// many it took.
func (b *bench) rounds(n int, limit time.Duration, only *regexp.Regexp) (t *table, taken int, err error) {
	t = &table{}
	for began := time.Now(); taken < n && (taken == 0 || time.Since(began) < limit); taken++ {
		for _, m := range measurements() {
			if !only.MatchString(m.topic+"/"+m.name) || m.once && taken > 0 {
				continue
			}
			if err := b.take(t, m, taken+1); err != nil {
				return nil, 0, fmt.Errorf("%s/%s: %w", m.topic, m.name, err)
			}
		}
		if len(t.cells) == 0 {
			return nil, 0, errors.New("-only names no measurement: see -list")
		}
	}
	return t, taken, nil
}

func (b *bench) take(t *table, m measurement, round int) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	t.topic = m.topic
	if err := m.take(b, t); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "round %d: %s/%s took %.1f s\n", round, m.topic, m.name, time.Since(began).Seconds())
	return nil
}

// some is a part of n as the scale has it, at least least.
func (b *bench) some(n, least int) int { return max(least, int(b.scale*float64(n))) }

// command is another process, which does not outlive this one.
func (b *bench) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
