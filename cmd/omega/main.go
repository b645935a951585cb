// Command omega runs missions: long-lived, budgeted, validated work done by a
// swarm of agents and recorded in one journal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/omega-run/omega/host/worker"
)

func main() {
	worker.Shim() // a process that watches an exec attempt goes no further
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// notify is cancelled by the first SIGTERM or SIGINT; the second ends the
// process at once.
func notify() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(130)
	}()
	return ctx, cancel
}
