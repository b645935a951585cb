package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// postgres is a PostgreSQL of the benchmark's own, in a folder of its own, as
// initdb makes it: fsync and synchronous_commit are on, everything else is the
// default. Only where it listens is set: a socket in its folder, no network. It
// runs only while it is measured, so that it takes nothing from Omega.
type postgres struct {
	bin, dir string
	version  string
	as       *syscall.Credential // who it runs as; nil is this user

	mu     sync.Mutex // guards what follows: an interrupt may come at any time
	server *exec.Cmd  // nil while it does not run
	ended  chan struct{}
	over   bool // it is not to be started any more
}

// connections is how many connections clients share. From 16 to 90 it makes no
// difference on two cores; the server allows 100.
const connections = 32

// findPostgres says where the server's programs are.
func findPostgres() (bin string, err error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(found, func(a, b string) int { return release(b) - release(a) })
	for _, dir := range append(found, filepath.SplitList(os.Getenv("PATH"))...) {
		_, noServer := os.Stat(filepath.Join(dir, "postgres"))
		_, noInit := os.Stat(filepath.Join(dir, "initdb"))
		if noServer == nil && noInit == nil {
			return dir, nil
		}
	}
	return "", errors.New("PostgreSQL is not installed here")
}

// release is the number in /usr/lib/postgresql/<number>/bin.
func release(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// installPostgres installs the Debian package, where that can be done.
func installPostgres(ctx context.Context) error {
	if _, err := findPostgres(); err == nil {
		return nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return errors.New("PostgreSQL is not installed here, and only root can install the Debian package postgresql")
	}
	var failed error
	for _, args := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", "postgresql"}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		failed = cmd.Run() // an update may fail for a source that is not needed
	}
	if failed != nil {
		return fmt.Errorf("PostgreSQL is not installed here, and apt-get could not install it: %w", failed)
	}
	return nil
}

// newPostgres makes an empty database with the tables of the peers.
func newPostgres(ctx context.Context, dir string) (p *postgres, err error) {
	p = &postgres{}
	if p.bin, err = findPostgres(); err != nil {
		return nil, err
	}
	said, err := exec.CommandContext(ctx, filepath.Join(p.bin, "postgres"), "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("asking PostgreSQL for its version: %w", err)
	}
	p.version = strings.TrimSpace(strings.TrimPrefix(string(said), "postgres (PostgreSQL) "))
	if p.as, err = ordinaryUser(); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp(dir, "omega-bench-postgres-"); err != nil {
		return nil, err
	}
	if p.as != nil {
		err = os.Chown(p.dir, int(p.as.Uid), int(p.as.Gid))
	}
	if err == nil {
		err = p.command(ctx, "initdb", "-D", p.data(), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C").Run()
	}
	if err == nil {
		err = p.with(ctx, func(db *database) error { return db.create(ctx) })
	}
	if err != nil {
		return nil, fmt.Errorf("making a PostgreSQL of its own: %w%s", errors.Join(err, p.remove()), p.lastWords())
	}
	return p, nil
}

// ordinaryUser is somebody else than root, whom PostgreSQL refuses.
func ordinaryUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(found.Uid, 10, 32)
			gid, _ := strconv.ParseUint(found.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) log() string { return filepath.Join(p.dir, "log") }

// lastWords is the end of what the server and initdb have said.
func (p *postgres) lastWords() string {
	b, _ := os.ReadFile(p.log())
	if b = bytes.TrimSpace(b[max(0, len(b)-400):]); len(b) == 0 {
		return ""
	}
	return "; its log ends: " + string(b)
}

// command is one of the server's programs, run as an ordinary user. It is killed
// with this process, however that ends.
func (p *postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	if out, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
		cmd.Stdout, cmd.Stderr = out, out
	}
	return cmd
}

// with runs the server for as long as do takes.
func (p *postgres) with(ctx context.Context, do func(*database) error) error {
	if err := p.start(); err != nil {
		return err
	}
	db, err := p.connect(ctx)
	if err == nil {
		err = do(db)
		db.pool.Close()
	}
	return errors.Join(err, p.stop())
}

func (p *postgres) start() error {
	cmd := p.command(context.Background(), "postgres", "-D", p.data(), "-k", p.dir, "-c", "listen_addresses=", "-c", "fsync=on")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errors.New("PostgreSQL has been removed")
	}
	began, ended := make(chan error), make(chan struct{})
	go hold(cmd, began, ended)
	if err := <-began; err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	p.server, p.ended = cmd, ended
	return nil
}

// hold runs a command on a thread of its own: the kernel ends a child with the
// thread that began it.
func hold(cmd *exec.Cmd, began chan<- error, ended chan<- struct{}) {
	runtime.LockOSThread()
	err := cmd.Start()
	began <- err
	if err == nil {
		_ = cmd.Wait()
	}
	if out, ok := cmd.Stdout.(io.Closer); ok {
		out.Close()
	}
	close(ended)
}

// stop ends the server in order, at once if it does not.
func (p *postgres) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return nil
	}
	server := p.server
	p.server = nil
	_ = server.Process.Signal(syscall.SIGINT) // its fast shutdown; an error says that it has ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(20 * time.Second):
	}
	_ = server.Process.Signal(syscall.SIGQUIT)
	<-p.ended
	return errors.New("PostgreSQL did not stop in 20 seconds and was ended at once")
}

// remove stops the server and removes its folder.
func (p *postgres) remove() error {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	return errors.Join(p.stop(), os.RemoveAll(p.dir))
}

// database is a running server.
type database struct {
	server *postgres
	pool   *pgxpool.Pool
}

func (p *postgres) connect(ctx context.Context) (*database, error) {
	config, err := pgxpool.ParseConfig(fmt.Sprintf("host=%s user=bench database=postgres pool_max_conns=%d", p.dir, connections))
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	for range 1000 {
		if err = pool.Ping(ctx); err == nil {
			return &database{p, pool}, nil
		}
		select {
		case <-p.ended:
			pool.Close()
			return nil, errors.New("PostgreSQL ended as it started" + p.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
	pool.Close()
	return nil, fmt.Errorf("PostgreSQL does not answer: %w%s", err, p.lastWords())
}

//go:embed bank.sql
var bankSQL string

// create makes the tables of River and of the bank.
func (db *database) create(ctx context.Context) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(db.pool), nil)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err == nil {
		_, err = db.pool.Exec(ctx, bankSQL)
	}
	return err
}

// cpu is what all processes of the server have used so far, those that have
// ended too.
func (db *database) cpu() (time.Duration, error) {
	root := db.server.server.Process.Pid
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, path := range all {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile, and is counted by its parent
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, _ := strconv.Atoi(fields[1]); pid != root && parent != root {
			continue
		}
		for _, field := range fields[11:15] { // its own time, and that of children it has waited for
			n, _ := strconv.ParseInt(field, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick, nil
}

// tick is the unit of time in /proc: every Linux that Go runs on has 100 a second.
const tick = 10 * time.Millisecond
