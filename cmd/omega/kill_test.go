package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/journal"
)

// killMission keeps simulated and real work, council rounds and retries going
// for as long as it is run.
const killMission = `
mission "kill" { seed = 7 }
treasury { tokens = 10000000 }
resources {
  energy { capacity = 100000 }
}
delegation {
  background_limit = 0
  retry_backoff    = "50ms"
  max_attempts     = 5
}
checkpoint { interval = "1s" }
worker "sim" {
  skills = ["sim"]
  count  = 8
  slots  = 4
  simulated {
    failure_ratio = 0.1
    wrong_ratio   = 0.1
  }
}
worker "real" {
  skills = ["real"]
  count  = 2
  exec {
    command = ["sh", "work.sh"]
  }
}
job "s" {
  count         = %d
  skills        = ["sim"]
  reward        = 1
  energy_budget = 10
  work          = "100ms"
  required      = false
}
job "r" {
  count  = %d
  skills = ["real"]
  reward = 2
  accept {
    condition = result.ok
  }
}
`

// killCycles is how often the host is killed: a few by default, as many as
// OMEGA_KILLS says before a release.
func killCycles(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("OMEGA_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		t.Skip("kills a host")
	}
	return 6
}

// A host that is killed at any instant goes on: no entry that was durable is
// lost or changed, nothing is paid twice, and the record audits.
func TestKilledHostGoesOn(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "omega")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	cycles := killCycles(t)
	mission := fmt.Sprintf(killMission, 1000+100*cycles, 100+10*cycles)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "work.sh"), []byte(`echo '{"result":{"ok":true}}'`), 0o600))
	data := filepath.Join(dir, "data")
	env := append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	known := map[uint64]journal.Digest{}
	for range cycles {
		killOnce(t, program, dir, data, env, instant(data, dice))
		keepDurable(t, data, known)
	}
	require.Greater(t, len(known), 20*cycles, "too little was recorded for this test to say anything")
	audit, err := host.Verify(data)
	require.NoError(t, err)
	for _, p := range audit.Problems {
		require.Contains(t, p.Problem, "torn tail", "entry %d", p.Seq)
	}
	require.Greater(t, paidOnce(t, data), 10, "too little work was done for this test to say anything")
}

// instant chooses when to kill: one host in four while it starts, the others
// some time after they have recorded something.
func instant(data string, dice *rand.Rand) (wait func()) {
	pause, before := time.Duration(dice.IntN(300))*time.Millisecond, host.LastDurable(data)
	starting := dice.IntN(4) == 0
	return func() {
		for i := 0; !starting && i < 20_000 && host.LastDurable(data) == before; i++ {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(pause)
	}
}

func killOnce(t *testing.T, program, dir, data string, env []string, wait func()) {
	cmd := exec.Command(program, "run", dir, "--data", data, "--json")
	cmd.Env, cmd.Stdout = env, io.Discard
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	wait()
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	said, _ := io.ReadAll(stderr)
	err = cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), string(said))
}

// keepDurable checks that every entry known to be durable is still what it was,
// and adds those that have become durable since.
func keepDurable(t *testing.T, data string, known map[uint64]journal.Digest) {
	view, err := journal.Read(journal.Options{Dir: filepath.Join(data, "journal")})
	require.NoError(t, err)
	found := view.Recovery()
	require.Nil(t, found.Damage)
	cursor := view.Cursor(1)
	defer cursor.Close()
	seen := uint64(0)
	for {
		line, err := cursor.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		seen = line.Seq
		digest := line.Digest()
		if was, ok := known[line.Seq]; ok {
			require.Equal(t, was, digest, "entry %d has changed", line.Seq)
		} else if line.Seq <= found.Witnessed {
			known[line.Seq] = digest
		}
	}
	require.GreaterOrEqual(t, seen, uint64(len(known)), "durable entries are lost")
}

// paidOnce counts payments and checks that no transfer stands twice.
func paidOnce(t *testing.T, data string) (paid int) {
	seen := map[string]bool{}
	err := host.Log(context.Background(), data, host.LogOptions{Events: []string{"transfer"}, Spell: true}, func(e *host.LoggedEntry) error {
		var entry struct {
			Transfers []struct{ ID string }
		}
		if err := json.Unmarshal(e.JSON(), &entry); err != nil {
			return err
		}
		for _, transfer := range entry.Transfers {
			require.False(t, seen[transfer.ID], "%s moves twice", transfer.ID)
			seen[transfer.ID] = true
			if filepath.Base(transfer.ID) == "pay" {
				paid++
			}
		}
		return nil
	})
	require.NoError(t, err)
	return paid
}
