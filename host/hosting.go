package host

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/worker"
)

// hosting is a mission that is open for running.
type hosting struct {
	*live
	id     string // of the mission
	lock   *journal.FolderLock
	found  *recovered
	saver  *checkpointSaver
	reader *reader
	owner  ed25519.PrivateKey // for genesis alone; dropped right after
	logged *os.File
	now    func() time.Time // wall time
	last   *edit            // what became of the mission file at the start
}

// open locks the data folder, reads its keys and brings the state to the end of
// the journal.
func open(ctx context.Context, c Config, data string) (*hosting, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	if err := ownFolders(data); err != nil {
		return nil, err
	}
	lock, err := journal.Lock(data)
	if err != nil {
		return nil, err
	}
	h := &hosting{lock: lock, now: time.Now}
	if err := h.openLocked(ctx, c, data); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return h, nil
}

// ownFolders refuses a data folder whose parts are links: a mission somebody
// hands on must not make the host write, or clear, a folder elsewhere.
func ownFolders(data string) error {
	for _, part := range [...]string{"", "journal", "checkpoint", "keys", "status", "blobs", "work", "logs", controlFile, "host.log", "lock"} {
		path := filepath.Join(data, part)
		info, err := os.Lstat(path)
		if err == nil && info.Mode()&(os.ModeSymlink|os.ModeDevice|os.ModeNamedPipe|os.ModeSocket) != 0 {
			return fmt.Errorf("%s is not a folder or file of its own: a data folder may not lead elsewhere", path)
		}
	}
	return nil
}

func (h *hosting) openLocked(ctx context.Context, c Config, data string) error {
	if err := worker.Sweep(filepath.Join(data, "work")); err != nil {
		return err
	}
	logged, err := os.OpenFile(filepath.Join(data, "host.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the host's log: %w", err)
	}
	h.logged = logged
	fresh := false
	if h.id, fresh, err = missionID(c.FS, data); err != nil {
		return err
	}
	if h.found, err = recoverState(journal.Options{FS: c.FS, Mission: h.id, SegmentBytes: c.Segment}, data); err != nil {
		return err
	}
	keys, err := openKeys(data)
	if err != nil {
		return errors.Join(err, h.found.journal.Close())
	}
	if fresh {
		if h.owner, err = ownerKeyFor(c.problems()); err != nil {
			return errors.Join(err, h.found.journal.Close())
		}
	}
	log := slog.New(slog.NewTextHandler(logged, nil))
	h.saver = newCheckpointSaver(h.found.checkpoints, h.found.journal, log)
	all := &missions{compiled: map[int64]*missionfile.Mission{}, archive: func() (map[int64]recordedGeneration, error) { return archive(data, c.FS) }}
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	h.live = &live{
		loop:  &loop{state: h.found.state, journal: h.found.journal, desk: newDesk(all, &keys, c.run, pastOf(h.found.journal)), tail: &tail{}, save: h.saver.save},
		inbox: make(chan input, maxInbox), orders: make(chan input, maxOrders), edits: make(chan offered), exec: (&worker.Exec{}).Run, missionDir: missionFolder(c.Path), data: data, log: log, problems: c.problems(),
		work: work, endWork: end, running: map[string]context.CancelFunc{}, stops: map[string]bool{}, thinkers: thinkers(), thoughts: map[string]time.Time{},
	}
	h.wall = wallClock(h.now)
	h.spawn, h.desk.execute, h.desk.stop, h.desk.ask = h.group.Go, h.begin, h.end, h.consider
	h.beside = h.group.Go
	if h.ask, err = c.asker(h.missionDir); err != nil {
		return errors.Join(err, h.found.journal.Close())
	}
	h.desk.where, h.thinks = folders{h.missionDir, data}, h.thinking
	return nil
}

// ownerKeyFor is this user's owner key; the first run makes it and says so.
func ownerKeyFor(w io.Writer) (ed25519.PrivateKey, error) {
	if key, err := OwnerKey(false); err == nil {
		return key, nil
	}
	key, err := OwnerKey(true)
	if path, where := OwnerKeyPath(); err == nil && where == nil {
		fmt.Fprintf(w, "your owner key was made: %s; whoever has it can give this user's missions orders, so keep it safe\n", path)
	}
	return key, err
}

func missionFolder(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

// missionID is the id of the mission in a data folder, a new one if there is
// none yet. Where the journal says that it has entries it is "": opening it
// tells, and a long journal is not read twice.
func missionID(fs journal.FS, data string) (id string, fresh bool, err error) {
	if LastDurable(data) > 0 {
		return "", false, nil
	}
	view, err := journal.Read(journal.Options{FS: fs, Dir: journalDir(data)})
	if err != nil {
		return "", false, err
	}
	if found := view.Recovery(); found.Mission != "" {
		return found.Mission, found.Seq == 0, nil
	}
	return newMissionID(), true, nil
}

// run takes the mission up and goes on with it.
func (h *hosting) run(ctx context.Context, c Config, seen sighting) (int, error) {
	defer h.endWork()
	mission := seen.Mission
	if here := h.state.Spec().Mission.Name; h.state.Generation() > 0 && mission != nil && mission.Spec().Mission.Name != here {
		return 0, fmt.Errorf("%s holds the mission %q, and %s is the mission %q: name another folder with --data", h.data, here, c.Path, mission.Spec().Mission.Name)
	}
	if h.state.Status() == core.Ended {
		return h.again(c)
	}
	before, _ := h.journal.Head()
	if err := h.takeUp(c, seen.Reading); err != nil {
		return 0, err
	}
	if err := register(Known{Name: h.state.Spec().Mission.Name, Mission: h.state.Mission().Mission, Data: h.data, Path: c.Path}); err != nil {
		h.log.Warn("omega ls will not find this mission", "error", err)
	}
	h.reader = startReader(h.journal, h.tail, filepath.Join(h.data, "status"), c.Lines, c.Watch, before, h.log)
	orders := &stream{path: filepath.Join(h.data, controlFile), mission: h.state.Mission().Mission, owner: h.state.Mission().OwnerKey}
	orders.reject = func(at int64, err error) { h.log.Warn("not an order", "offset", at, "error", err) }
	missed, err := orders.read()
	if err != nil {
		return 0, err
	}
	if err := h.missed(missed); err != nil {
		return 0, err
	}
	h.desk.reconcileAll(h.state)
	listening, stop := context.WithCancel(h.work)
	defer stop()
	h.group.Go(func() { h.listen(listening, orders) })
	h.group.Go(func() { h.lookout(c, seen.trace).run(listening) })
	err = h.live.run(ctx)
	if errors.Is(err, errStopped) {
		return CodeStopped, nil
	}
	return codeOf(h.state), err
}

// again reports a mission that has ended.
func (h *hosting) again(c Config) (int, error) {
	h.reader = startReader(h.journal, h.tail, filepath.Join(h.data, "status"), nil, c.Watch, 0, h.log)
	fmt.Fprintf(c.problems(), "this mission has ended: %s\n", h.state.Reason())
	return codeOf(h.state), nil
}

// takeUp records what happened before this host: genesis or the way back, a cut
// tail, an edit.
func (h *hosting) takeUp(c Config, reading *missionfile.Reading) error {
	mission := reading.Mission
	h.gate.follow(h.state)
	h.clock = newClock(h.now, h.state.Now(), max(c.Speed, 0))
	if c.Speed == 0 {
		h.clock.speed = 1_000_000
	}
	now := h.state.Now()
	if err := h.notHurried(reading.Problems); err != nil {
		return err
	}
	fresh := h.state.Generation() == 0
	if err := h.learnSecrets(mission, reading.Problems, fresh); err != nil {
		return err
	}
	if fresh {
		if err := h.first(now, mission); err != nil {
			return err
		}
	}
	if !fresh {
		if mission != nil && inForce(h.state, mission) {
			h.desk.missions.put(h.state.Generation(), mission)
		} else if !h.sourcesRecorded() {
			return ErrFileLost
		}
		if err := h.desk.missions.load(h.state); err != nil {
			return err
		}
		if err := h.desk.news.recall(h.state, h.journal); err != nil {
			return err
		}
		if err := h.recordCuts(now, c.problems()); err != nil {
			return err
		}
	}
	start := &core.Start{Speed: h.clock.speed, Version: c.Version}
	if !h.found.lastWall.IsZero() {
		start.Gap = core.Duration(max(0, h.now().Sub(h.found.lastWall).Milliseconds()))
	}
	if h.keysLost() {
		start.HostKey = publicOf(h.desk.keys.Host)
		for _, v := range h.state.Validators() {
			start.Keys = append(start.Keys, h.desk.keys.publicKey(v.ID))
		}
		fmt.Fprintln(c.problems(), "the host's keys were lost: new ones are in force, and votes that were sealed under the old ones count as abstentions")
	}
	if _, err := h.apply(now, "host", start); err != nil {
		return err
	}
	h.last = &edit{Outcome: editNone, Generation: h.state.Generation()}
	if fresh {
		return nil
	}
	return h.firstEdit(now, c, reading)
}

// notHurried refuses to go on with the work of servers at another speed than the
// wall clock's.
func (h *hosting) notHurried(problems missionfile.Diagnostics) (err error) {
	if h.clock.speed == ledger.Ratio(ledger.One) {
		return nil
	}
	h.state.Workers(func(w *core.Worker) bool {
		if w.Spec().Kind == core.HTTP {
			err = fmt.Errorf("worker %s waits for a server, which lives on the wall clock: go on with this mission without --speed", w.ID)
		}
		return err == nil
	})
	if err != nil && problems.HasErrors() {
		return &DiagnosticsError{problems}
	}
	return err
}

// firstEdit takes what has become of the mission file while no host ran.
func (h *hosting) firstEdit(now core.Time, c Config, reading *missionfile.Reading) error {
	generation, before := h.desk.missions.inForce()
	var err error
	if h.last, err = h.takeEdit(now, newCandidate(generation, before, reading, h.desk.keys)); err == nil && h.last.Outcome != editNone {
		h.last.tell(c.problems())
	}
	return err
}

// lookout watches the mission file from what was read of it at the start on.
func (h *hosting) lookout(c Config, t *trace) *lookout {
	return &lookout{
		path: c.Path, given: c.Given, except: h.data, say: c.problems(), log: h.log, asked: c.Look,
		missions: h.desk.missions, keys: h.desk.keys, offer: h.offer, last: h.last, trace: t,
	}
}

// learnSecrets reads the sensitive values again. A mission in force that needs
// one nobody gives cannot go on: its programs would fail for want of it.
func (h *hosting) learnSecrets(mission *missionfile.Mission, problems missionfile.Diagnostics, fresh bool) error {
	if mission != nil {
		h.desk.missions.know(mission)
	}
	if fresh {
		return nil
	}
	lacking := h.desk.missions.lacking(h.state.Spec())
	if len(lacking) == 0 {
		return nil
	}
	err := fmt.Errorf("the mission needs the sensitive variables %q: give them with --var-file or OMEGA_VAR_<name>", lacking)
	if problems.HasErrors() {
		return errors.Join(&DiagnosticsError{problems}, err)
	}
	return err
}

// keysLost reports whether the keys of this host are not those the journal
// knows.
func (h *hosting) keysLost() bool {
	return publicOf(h.desk.keys.Host) != h.state.Mission().HostKey || slices.ContainsFunc(h.state.Validators(), func(v *core.Validator) bool {
		return !v.Outside && h.desk.keys.publicKey(v.ID) != v.Key
	})
}

// recordCuts records every torn tail that was cut and that the journal does not
// know of yet: a host may have ended between the cut and its entry.
func (h *hosting) recordCuts(now core.Time, w io.Writer) error {
	for _, name := range h.found.found.TornFiles {
		if slices.Contains(h.state.Cuts(), name) {
			continue
		}
		cut := &core.TailCut{File: name}
		if info, err := os.Stat(filepath.Join(journalDir(h.data), name)); err == nil {
			cut.Bytes = info.Size()
		}
		if torn := h.found.found.Torn; torn != nil && filepath.Base(torn.Kept) == name {
			cut.From = core.Seq(torn.Seq)
		}
		if _, err := h.apply(now, "host", cut); err != nil {
			return err
		}
		fmt.Fprintf(w, "a torn tail of %d bytes was cut from the journal and kept as %s: nothing in it was known to be durable\n", cut.Bytes, name)
	}
	return nil
}

func (h *hosting) first(now core.Time, mission *missionfile.Mission) error {
	if mission == nil {
		return errors.New("the journal is empty and the mission file is refused")
	}
	command := genesis(mission, h.id, h.desk.keys, h.owner)
	h.owner = nil
	if _, err := h.apply(now, "owner", command); err != nil {
		return err
	}
	h.desk.missions.put(1, mission)
	return h.recordSources(now, mission.Sources())
}

// missed applies the orders that were written while no host was running, in
// file order, before any timer.
func (h *hosting) missed(orders []*core.Order) error {
	for _, o := range orders {
		if _, _, known := h.state.Acknowledged(o.ID, o.Body); known {
			continue
		}
		entry, err := h.apply(h.state.Now(), "owner", o)
		if err == nil {
			err = h.letThrough(h.state.Now(), entry)
		}
		if err != nil {
			return err
		}
	}
	h.keepTime()
	return nil
}

// close makes everything durable and lets the folder go.
func (h *hosting) close() error {
	var errs []error
	if h.saver != nil {
		h.saver.close()
	}
	if h.reader != nil {
		errs = append(errs, h.reader.close())
	}
	errs = append(errs, h.journal.Close(), h.lock.Release(), h.logged.Close())
	return errors.Join(errs...)
}
