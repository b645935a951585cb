// Command omega runs missions: long-lived, budgeted, validated work done by a
// swarm of agents and recorded in one journal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

func main() {
	worker.Shim()  // a process that watches an exec attempt goes no further
	script.Child() // nor does one that runs scripts
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// notify is cancelled by the first SIGTERM or SIGINT; the second ends the
// process at once.
func notify() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	onSignals(cancel, func() { os.Exit(130) })
	return ctx, cancel
}

// onHangup is told of every SIGHUP until it is stopped. Those that come before the
// last one was heard are one.
func onHangup() (heard <-chan struct{}, stop func()) {
	signals, look, done := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
			case <-done:
				return
			}
			select {
			case look <- struct{}{}:
			case <-done:
				return
			}
		}
	}()
	return look, func() {
		signal.Stop(signals)
		close(done)
	}
}

// onSignals calls one function at the first SIGTERM or SIGINT and another at the
// second, until it is stopped.
func onSignals(first, second func()) (stop func()) {
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		for _, act := range [...]func(){first, second} {
			select {
			case <-signals:
				act()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
