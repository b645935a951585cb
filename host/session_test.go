package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// TestMain serves as the shim of exec attempts and as what runs scripts.
func TestMain(m *testing.M) {
	worker.Shim()
	script.Child()
	os.Exit(m.Run())
}

const openMission = `
mission "open" { seed = 1 }
treasury { tokens = 10000 }
worker "quick" {
  skills = ["quick"]
  count  = 4
  simulated {}
}
worker "slow" {
  skills = ["slow"]
  exec { command = ["sleep", "600"] }
}
job "hold" {
  skills   = ["slow"]
  reward   = 1
  required = false
}
`

// owner posts orders to a session as the console will: in process, unsigned.
type owner struct {
	t       *testing.T
	session *Session
	key     [32]byte
	counter int64
}

func openSession(t *testing.T) *owner {
	t.Helper()
	return openSessionOf(t, openMission)
}

func openSessionOf(t *testing.T, mission string) *owner {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	s, err := Open(t.Context(), Config{Path: dir, Data: filepath.Join(dir, "data")})
	require.NoError(t, err)
	key, err := OwnerKey(true)
	require.NoError(t, err)
	return &owner{t: t, session: s, key: publicOf(key)}
}

func (o *owner) say(order core.Order) (core.Seq, *core.Refusal) {
	o.t.Helper()
	o.counter++
	order.ID, order.Key, order.Counter, order.Body = fmt.Sprint("order-", o.counter), o.key, o.counter, core.Digest{byte(o.counter)}
	receipt, err := o.session.Submit(o.t.Context(), "owner", &order)
	require.NoError(o.t, err)
	seq, refusal, err := receipt.Wait(o.t.Context())
	require.NoError(o.t, err)
	return seq, refusal
}

// until reads entries from the beginning up to the first that says so.
func (o *owner) until(found func(core.Event) bool) *core.Entry {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	cursor := o.session.Cursor(1)
	defer cursor.Close()
	for {
		line, err := cursor.Next(ctx)
		require.NoError(o.t, err)
		entry, err := core.ParseEntry(line.Bytes)
		require.NoError(o.t, err)
		for _, event := range entry.Events {
			if found(event) {
				return entry
			}
		}
	}
}

func ended(job string) func(core.Event) bool {
	return func(e core.Event) bool {
		end, ok := e.(*core.JobEnded)
		return ok && end.Job == job
	}
}

func TestSessionTakesOrdersAndLetsRead(t *testing.T) {
	o := openSession(t)
	seq, refusal := o.say(core.Order{Say: core.PostJob, Post: &core.JobSpec{ID: "one", Skills: []string{"quick"}, Reward: 1_000_000, Required: true}})
	require.Nil(t, refusal)
	require.NotZero(t, seq)
	require.Greater(t, o.until(ended("one")).Seq, seq)
	_, refusal = o.say(core.Order{Say: core.PostJob, Post: &core.JobSpec{ID: "one", Skills: []string{"quick"}}})
	require.Equal(t, core.RefuseJobExists, refusal.Code)

	_, err := o.session.Vote(t.Context(), SignedVote{Validator: "stranger", Job: "hold", Round: 1})
	require.ErrorIs(t, err, ErrUnsigned)

	_, refusal = o.say(core.Order{Say: core.CancelJob, Job: "hold"})
	require.Nil(t, refusal)
	outcome, err := o.session.Wait()
	require.NoError(t, err)
	require.True(t, outcome.Ended)
	require.Equal(t, CodeOK, outcome.Code)
	_, err = o.session.Submit(t.Context(), "owner", &core.Order{Say: core.Pause})
	require.ErrorIs(t, err, ErrEnded)

	audit, err := Verify(outcome.Data)
	require.NoError(t, err)
	require.Empty(t, audit.Problems)
	require.Empty(t, audit.Notes)
}

// An order that comes with an emergency stop must not begin again what the stop
// has killed, and the stop is not behind thousands of inputs.
func TestEmergencyStopKillsAheadOfTheRecord(t *testing.T) {
	o := openSession(t)
	o.until(func(e core.Event) bool { _, ok := e.(*core.AttemptStarted); return ok })
	l := o.session.host.live
	require.Eventually(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.running) == 1 }, 10*time.Second, time.Millisecond)

	pause := &core.Order{ID: "pause", Key: o.key, Counter: 10, Body: core.Digest{10}, Say: core.Pause}
	stop := &core.Order{ID: "stop", Key: o.key, Counter: 11, Body: core.Digest{11}, Say: core.EmergencyStop}
	began := time.Now()
	l.hear([]*core.Order{pause, stop})
	l.mu.Lock()
	require.Empty(t, l.running, "killed before anything is recorded")
	l.mu.Unlock()
	t.Logf("killed after %v", time.Since(began))

	outcome, err := o.session.Wait()
	require.NoError(t, err)
	require.Equal(t, CodeStopped, outcome.Code)
	require.False(t, outcome.Ended)
	r, err := Read(outcome.Data)
	require.NoError(t, err)
	require.Equal(t, core.Emergency, r.State.Status())
	require.Equal(t, core.JobReadyState, r.State.Job("hold").State)
	require.EqualValues(t, 1, r.State.Job("hold").Attempt, "nothing began again")
}

// A result and a pause in one batch: the council's vote waits for the resume
// and is given then.
func TestVotesSurviveAPause(t *testing.T) {
	o := openSession(t)
	l := o.session.host.live
	post := &core.Order{ID: "post", Key: o.key, Counter: 1, Body: core.Digest{1}, Say: core.PostJob,
		Post: &core.JobSpec{ID: "voted", Skills: []string{"quick"}, Reward: 1_000_000, Required: true}}
	pause := &core.Order{ID: "pause", Key: o.key, Counter: 2, Body: core.Digest{2}, Say: core.Pause}
	l.hear([]*core.Order{post, pause})
	o.until(func(e core.Event) bool { _, ok := e.(*core.MissionPaused); return ok })
	o.counter = 2
	_, refusal := o.say(core.Order{Say: core.Resume})
	require.Nil(t, refusal)
	o.until(ended("voted"))
	_, refusal = o.say(core.Order{Say: core.CancelJob, Job: "hold"})
	require.Nil(t, refusal)
	outcome, err := o.session.Wait()
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)
}

const judgedMission = `
mission "judged" { seed = 1 }
treasury { tokens = 10000 }
governance { committee = 3 }
worker "quick" {
  skills = ["quick"]
  simulated {}
}
validator "program" {
  count = 3
  exec { command = ["sh", "-c", "sleep 0.3; echo '{\"vote\":\"approve\"}'"] }
}
job "judged" {
  skills = ["quick"]
  reward = 1
  work   = "1ms"
}
`

// An emergency stop that the record then refuses has killed the validators'
// programs: what they were asked is asked again, and their end is no vote.
func TestKilledValidatorHasNotVoted(t *testing.T) {
	o := openSessionOf(t, judgedMission)
	o.until(func(e core.Event) bool { _, ok := e.(*core.RoundOpened); return ok })
	l := o.session.host.live
	require.Eventually(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.running) == 1 }, 10*time.Second, time.Millisecond)
	l.kill()
	l.hear([]*core.Order{{ID: "stop", Key: [32]byte{1}, Counter: 1, Body: core.Digest{1}, Say: core.EmergencyStop}})
	outcome, err := o.session.Wait()
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)
	opened := 0
	r, err := ReadEach(outcome.Data, func(s *core.State) {
		if j := s.Job("judged"); j != nil && j.Round != nil {
			opened = int(j.Round.Number)
		}
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, r.State.Totals().Finalized)
	require.Equal(t, 1, opened, "nobody abstained")
}
