package hosttest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

// auditor reads a journal from nothing but its bytes and the table in
// docs/journal.md, with a reading of JSON and a ledger of its own, and says what
// every account holds in the end.
type auditor struct {
	table    map[string][3]string // step: unit, from, to
	balance  map[string]*big.Rat  // by unit and account
	owner    string
	employer map[string]string   // by job
	worker   map[string]string   // of its attempt
	seats    map[string][]string // of its round
}

// stepTable reads the rows between the marks of the document.
func stepTable() (map[string][3]string, error) {
	text, err := os.ReadFile("../../docs/journal.md")
	if err != nil {
		return nil, err
	}
	_, rest, found := strings.Cut(string(text), "<!-- steps -->\n")
	if !found {
		return nil, fmt.Errorf("docs/journal.md has no table of steps")
	}
	table := map[string][3]string{}
	for _, row := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(row, "|") {
			break
		}
		cells := strings.Split(strings.Trim(row, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		names := strings.Split(strings.ReplaceAll(cells[0], "`", ""), ", ")
		for i, name := range names {
			table[name] = [3]string{nth(cells[1], ", ", i), nth(cells[2], " / ", i), nth(cells[3], " / ", i)}
			if strings.Contains(cells[3], ", ") { // a target for each
				table[name] = [3]string{cells[1], cells[2], nth(cells[3], ", ", i)}
			}
		}
	}
	return table, nil
}

// nth is the part of a cell for the n-th step of its row; a cell of one part is
// for all.
func nth(cell, sep string, n int) string {
	parts := strings.Split(cell, sep)
	return parts[min(n, len(parts)-1)]
}

func audit(lines [][]byte) (*auditor, error) {
	table, err := stepTable()
	if err != nil {
		return nil, err
	}
	a := &auditor{table: table, balance: map[string]*big.Rat{}, employer: map[string]string{}, worker: map[string]string{}, seats: map[string][]string{}}
	for n, line := range lines {
		var entry map[string]any
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, err
		}
		events, _ := entry["events"].([]any)
		for _, event := range events {
			if err := a.event(event.(map[string]any)); err != nil {
				return nil, fmt.Errorf("entry %d: %w", n+1, err)
			}
		}
	}
	return a, nil
}

func text(v any) string { s, _ := v.(string); return s }

func (a *auditor) event(e map[string]any) error {
	job := text(e["job"])
	switch e["type"] {
	case "generation_applied":
		a.owner = "account:" + text(e["spec"].(map[string]any)["mission.owner"])
	case "job_posted":
		a.employer[job] = a.owner
		if name := text(e["employer"]); name != "" {
			a.employer[job] = "account:" + name
		}
		if parent := text(e["parent"]); parent != "" {
			a.employer[job] = "job:" + parent + ":escrow"
		}
	case "job_assigned":
		a.worker[job] = "worker:" + text(e["worker"])
	case "round_opened":
		a.seats[job] = nil
		for _, id := range e["seats"].([]any) {
			a.seats[job] = append(a.seats[job], "validator:"+text(id))
		}
	case "transfer":
		return a.transfer(job, e)
	}
	return nil
}

func (a *auditor) transfer(job string, e map[string]any) error {
	legs, _ := e["legs"].([]any)
	for _, leg := range legs {
		l := leg.(map[string]any)
		if err := a.move(text(l["unit"]), text(l["debit"]), text(l["credit"]), text(l["amount"])); err != nil {
			return err
		}
	}
	steps, _ := e["steps"].([]any)
	for _, step := range steps {
		pair := step.([]any)
		name, seats, _ := strings.Cut(text(pair[0]), "/")
		rule, known := a.table[name]
		if !known {
			return fmt.Errorf("the document has no step %s", name)
		}
		first, last := 0, 0
		if n, _ := fmt.Sscanf(seats, "%d-%d", &first, &last); n == 1 {
			last = first
		}
		for seat := first; seat <= last; seat++ {
			if err := a.move(rule[0], a.place(rule[1], job, seat), a.place(rule[2], job, seat), text(pair[1])); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is an account as the document names it.
func (a *auditor) place(word, job string, seat int) string {
	switch word {
	case "employer":
		return a.employer[job]
	case "owner":
		return a.owner
	case "job escrow":
		return "job:" + job + ":escrow"
	case "job deposit":
		return "job:" + job + ":deposit"
	case "worker":
		return a.worker[job]
	case "worker stake":
		return a.worker[job] + ":stake"
	case "validator":
		return a.seats[job][seat]
	case "validator stake", "its stake":
		return a.seats[job][seat] + ":stake"
	}
	return word
}

func (a *auditor) move(unit, from, to, amount string) error {
	n, ok := new(big.Rat).SetString(amount)
	if !ok || n.Sign() <= 0 || from == "" || to == "" {
		return fmt.Errorf("%s %s from %q to %q", amount, unit, from, to)
	}
	for account, sign := range map[string]int64{unit + " " + from: -1, unit + " " + to: 1} {
		if a.balance[account] == nil {
			a.balance[account] = new(big.Rat)
		}
		a.balance[account].Add(a.balance[account], new(big.Rat).Mul(n, big.NewRat(sign, 1)))
	}
	if a.balance[unit+" "+from].Sign() < 0 && from != "minted" {
		return fmt.Errorf("%s of %s has less than nothing", unit, from)
	}
	return nil
}

// audited compares what the journal's bytes come to with what the host holds.
func (w *world) audited() {
	a, err := audit(w.lines)
	w.must(err == nil, "the journal cannot be audited: %v", err)
	left := 0
	for _, balance := range a.balance {
		if balance.Sign() != 0 {
			left++
		}
	}
	w.host.State().Ledger().Accounts(func(account ledger.Account) bool {
		name, holds := w.host.State().Ledger().Name(account), w.host.State().Ledger().Balance(account)
		audited := a.balance[name.Unit.String()+" "+name.String()]
		if audited == nil {
			audited = new(big.Rat)
		}
		w.must(audited.Cmp(big.NewRat(int64(holds), 1e6)) == 0, "%s holds %s %s in the end, its journal says %s", name, holds, name.Unit, audited.FloatString(6))
		if holds != 0 {
			left--
		}
		return true
	})
	w.must(left == 0, "the journal knows %d accounts with something on them that the host does not", left)
}
