package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/ledger"
)

// A mission in which attempts fail, lie and are slashed, time runs out, and the
// owner cancels in the middle of it all.
const costlyMission = `
mission "costly" { seed = 11 }
treasury { tokens = 5000 }
resources {
  energy {
    capacity = 600
    price    = 33.3
  }
  compute {
    capacity = 600
    price    = 7
  }
}
governance {
  committee          = 3
  approvals_required = 2
  slash_ratio        = 0.7
  slash_shares = {
    employer = 0.3
    treasury = 0.3
    burn     = 0.4
  }
}
delegation {
  max_attempts  = 3
  retry_backoff = "5s"
}
worker "w" {
  count  = 6
  skills = ["s"]
  simulated {
    failure_ratio = 0.2
    wrong_ratio   = 0.4
  }
}
validator "rule" {
  count = 5
}
validator "wild" {
  count = 3
  simulated {
    absent_ratio = 0.5
    wrong_ratio  = 0.5
  }
}
account "lab" {
  tokens = 500
}
job "tree" {
  count         = 4
  employer      = "lab"
  skills        = ["s"]
  reward        = 100
  energy_budget = 20
  required      = false
  simulated = {
    delegate = [
      {
        name = "one", skills = ["s"], reward = 31.3, energy_budget = 7,
        simulated = { delegate = [{ name = "deep", skills = ["s"], reward = 3.7 }] }
      },
      { name = "two", skills = ["s"], reward = 20.1, needs = ["one"] },
    ]
  }
}
job "a" {
  count          = 30
  skills         = ["s"]
  reward         = 17.77
  work           = "90m"
  energy_budget  = 100
  compute_budget = 31
  required       = false
  simulated      = { result = { ok = true } }
  accept { condition = try(result.ok, false) }
}
job "late" {
  count    = 3
  skills   = ["s"]
  reward   = 5
  work     = "3h"
  deadline = "1h"
  required = false
}
job "never" {
  skills   = ["s"]
  needs    = [job.late[0]]
  reward   = 1
  required = false
}
`

const costlyRehearsal = `
at "100m" { order = ["cancel", "a_25", "--reason", "too dear"] }
at "200m" { order = ["cancel", "a_29"] }
at "201m" { order = ["cancel", "tree_2"] }
`

// ran rehearses a mission and returns its data folder.
func ran(t *testing.T, mission, rehearsal string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rehearsal.hcl"), []byte(rehearsal), 0o600))
	data := filepath.Join(dir, "data")
	var out, problems bytes.Buffer
	code := Main([]string{"run", "--ci", dir, "--data", data}, nil, &out, &problems)
	require.Contains(t, []int{0, 1, 5}, code, problems.String()+out.String())
	return data
}

func said(t *testing.T, to any, args ...string) {
	t.Helper()
	var out, problems bytes.Buffer
	require.Equal(t, 0, Main(append(args, "--json"), nil, &out, &problems), problems.String())
	require.NoError(t, json.Unmarshal(out.Bytes(), to))
}

// moved is a transfer as omega log spells it.
type moved struct{ ID, Unit, Debit, Credit, Amount, Cause string }

// transfers are all movements of tokens for jobs, as the log spells them.
func transfers(t *testing.T, data string) (all []moved) {
	var out, problems bytes.Buffer
	require.Equal(t, 0, Main([]string{"log", "--data", data, "--events", "transfer", "--json"}, nil, &out, &problems), problems.String())
	for line := range strings.Lines(out.String()) {
		var entry struct{ Transfers []moved }
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		for _, m := range entry.Transfers {
			if m.Unit == "TOKEN" && !strings.HasPrefix(m.ID, "genesis/") && m.Cause != "edit" {
				all = append(all, m)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

func amountOf(t *testing.T, text string) ledger.Amount {
	a, err := ledger.ParseAmount(text)
	require.NoError(t, err)
	return a
}

func jobAccount(name string) bool { return strings.HasPrefix(name, "job:") }

// pays reports whether an account is one that jobs are paid from.
func pays(name string) bool { return jobAccount(name) || strings.HasPrefix(name, "account:") }

// changes sums up, by the names of accounts alone: what everybody's tokens have
// changed by, stakes with their owners, and what each job has cost.
func changes(t *testing.T, data string) (party, job map[string]ledger.Amount) {
	party, job = map[string]ledger.Amount{}, map[string]ledger.Amount{}
	for _, m := range transfers(t, data) {
		a := amountOf(t, m.Amount)
		party[strings.TrimSuffix(m.Debit, ":stake")] -= a
		party[strings.TrimSuffix(m.Credit, ":stake")] += a
		id, _, _ := strings.Cut(m.ID, "/")
		switch {
		case pays(m.Debit) && !pays(m.Credit):
			job[id] += a
		case !pays(m.Debit) && pays(m.Credit):
			job[id] -= a
		}
	}
	return party, job
}

// TestCostIsWhatMoved holds every grouping against the spelled transfers.
func TestCostIsWhatMoved(t *testing.T) {
	data := ran(t, costlyMission, costlyRehearsal)
	party, job := changes(t, data)
	var spent ledger.Amount
	for _, cost := range job {
		spent += cost
	}
	require.Positive(t, spent)
	var sheet inquiry.BillSheet
	said(t, &sheet, "cost", "--data", data, "--top", "1000")
	require.Equal(t, spent.String(), sheet.Cost.Total)
	require.NotEqual(t, "0", sheet.Cost.WorkersSlashed, "the mission should slash somebody")
	require.NotEqual(t, "0", sheet.Cost.SlashesToTreasury)
	for _, row := range sheet.Rows {
		require.Equal(t, job[row.Key].String(), row.Amount, row.Key)
	}
	require.Len(t, sheet.Rows, int(sheet.Jobs))
	require.Greater(t, int(sheet.Jobs), 40, "children should have been posted")
	require.NotEqual(t, "0", sheet.Cost.ValidatorsSlashed)
	for by, prefix := range map[string]string{"worker": "worker:", "validator": "validator:", "account": ""} {
		said(t, &sheet, "cost", "--data", data, "--top", "1000", "--by", by)
		for _, row := range sheet.Rows {
			require.Equal(t, party[prefix+row.Key].String(), row.Amount, by)
		}
	}
	for _, by := range []string{"hour", "block"} {
		said(t, &sheet, "cost", "--data", data, "--top", "2", "--by", by)
		sum := amountOf(t, sheet.Rest.Amount)
		for _, row := range sheet.Rows {
			sum += amountOf(t, row.Amount)
		}
		require.Equal(t, spent, sum, by)
		require.Equal(t, spent.String(), sheet.Check.Rows)
	}
	eachExplained(t, data, job)
}

// eachExplained: the story and the bill of one job agree with the transfers.
func eachExplained(t *testing.T, data string, job map[string]ledger.Amount) {
	states := map[string]bool{}
	var all []jobRow
	said(t, &all, "job", "list", "--data", data)
	for _, row := range all {
		id, cost := row.Job, job[row.Job]
		var told inquiry.Explanation
		said(t, &told, "explain", id, "--data", data)
		require.Equal(t, cost.String(), told.Cost.Total, id)
		require.EqualValues(t, row.State, told.State)
		states[row.State] = true
		var paid, slashed ledger.Amount
		for _, a := range told.Attempts {
			paid, slashed = paid+amountOf(t, a.Paid), slashed+amountOf(t, a.Slashed)
		}
		require.Equal(t, told.Cost.WorkerPay, paid.String())
		require.Equal(t, told.Cost.WorkersSlashed, slashed.String())
		var seats ledger.Amount
		for _, v := range told.Votes {
			seats += amountOf(t, v.Paid)
		}
		require.Equal(t, amountOf(t, told.Cost.ValidatorShares)+amountOf(t, told.Cost.SlashesToValidators), seats)
		var one inquiry.BillSheet
		said(t, &one, "cost", id, "--data", data, "--by", "block")
		require.Equal(t, told.Tree, one.Cost.Total)
		var tree ledger.Amount
		for other, cost := range job {
			if other == id || strings.HasPrefix(other, id+"__") {
				tree += cost
			}
		}
		require.Equal(t, tree.String(), told.Tree, id)
	}
	require.Len(t, states, 5, "the mission should end jobs in every way there is: %v", states)
}
