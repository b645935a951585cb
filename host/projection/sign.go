package projection

import (
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Alert is something the owner may want to act on.
type Alert struct {
	Kind  AlertKind `json:"kind"`
	Level Level     `json:"level"`
	About string    `json:"about,omitempty"` // the job, account, worker or validator
	Text  string    `json:"text"`
}

// AlertKind says what an alert is about.
type AlertKind string

// The kinds of alert, the most pressing first.
const (
	AlertStalled    AlertKind = "stalled"    // nothing can go on
	AlertApproval   AlertKind = "approval"   // a job waits for a person
	AlertAction     AlertKind = "action"     // an action of a steward waits for a person
	AlertEdit       AlertKind = "edit"       // an edit that takes something away waits for the owner
	AlertScript     AlertKind = "script"     // a script is not asked any more, or the guardian has no plan
	AlertGuardian   AlertKind = "guardian"   // what the guardian wants seen
	AlertTokens     AlertKind = "tokens"     // an employer cannot pay
	AlertEnergy     AlertKind = "energy"     // the capacity is the bottleneck
	AlertCompute    AlertKind = "compute"    // the capacity is the bottleneck
	AlertDeadline   AlertKind = "deadline"   // a job is about to be late
	AlertUnattended AlertKind = "unattended" // ready jobs find no worker
	AlertAbsent     AlertKind = "absent"     // a validator does not come to its rounds
	AlertRejected   AlertKind = "rejected"   // a worker's results are rejected again and again
)

// Action is something the owner may do about it.
type Action struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"` // that does it
}

const (
	maxAlerts = 24 // in all
	maxAlike  = 8  // of one kind
)

// riskWindow is the most time before a deadline at which a job that does not run
// yet is at risk.
const riskWindow = 75 * core.Minute

// sign is an alert before it is put into words.
type sign struct {
	Kind  AlertKind
	About string
	count int64
	is    ledger.Amount // what there is
	needs ledger.Amount
	at    core.Time
	level Level
	text  string // of the guardian
}

// key is what makes two signs the same alert.
type key struct {
	Kind  AlertKind
	About string `json:",omitempty"`
}

// signs are what there is to tell now. The slice is valid until the next call.
func (p *Set) signs(s *core.State) []sign {
	p.found = p.found[:0]
	if s.Status() == core.Ended {
		return p.found
	}
	c := &p.census
	p.signStalled(s)
	for r := range c.asked.all {
		if !p.sign(sign{Kind: AlertApproval, About: r.job.Spec.ID, at: r.approval.Since}) {
			break
		}
	}
	p.signScripts()
	for _, purse := range c.purses {
		p.signTokens(s, purse)
	}
	p.signCapacity(s, AlertEnergy, ledger.Energy, &c.wants.budget[0])
	p.signCapacity(s, AlertCompute, ledger.Compute, &c.wants.budget[1])
	if r := c.agenda.first(); r != nil && atRisk(s, r) {
		p.sign(sign{Kind: AlertDeadline, About: r.job.Spec.ID, at: r.due})
	}
	if last := p.Watchdog.Last; last != nil && c.counts.Ready > 0 && s.Now()-last.At <= core.Time(2*s.Spec().Delegation.Retry) {
		p.sign(sign{Kind: AlertUnattended, count: last.Count, at: last.Since})
	}
	if p.Validators.Habitual > 0 {
		for _, v := range s.Validators() {
			p.signHabit(AlertAbsent, v.ID, p.Validators.Of[v.ID], absentInRow)
		}
	}
	if p.Workers.Habitual > 0 {
		for w := range s.Workers {
			p.signHabit(AlertRejected, w.ID, p.Workers.Of[w.ID], rejectedInRow)
		}
	}
	return p.found
}

// sign notes a sign while there is room for its kind.
func (p *Set) sign(one sign) bool {
	alike := 0
	for i := range p.found {
		if p.found[i].Kind == one.Kind {
			alike++
		}
	}
	if alike == maxAlike || len(p.found) == maxAlerts {
		return false
	}
	p.found = append(p.found, one)
	return true
}

// signStalled: jobs are open, none is under way, and no time will change that.
func (p *Set) signStalled(s *core.State) {
	c := &p.census.counts
	if s.Status() != core.Running || c.Open == 0 || c.running()+c.Committing+c.Revealing+c.AwaitingApproval > 0 || p.census.inputs > 0 {
		return
	}
	if _, due := s.NextDeadline(); due {
		return
	}
	if _, more := s.ExpandFrom(); !more {
		p.sign(sign{Kind: AlertStalled, count: c.Open})
	}
}

func (p *Set) signTokens(s *core.State, purse *purse) {
	if purse.account.Kind == 0 || purse.unfunded+purse.wants.jobs == 0 {
		return
	}
	free := balanceOf(s, purse.account)
	if purse.unfunded > 0 {
		rewards := purse.rewards.amount()
		needs := rewards
		if fee, ok := ledger.MulDiv(int64(rewards), int64(s.Spec().Governance.FeeRatio), int64(ledger.Whole)); ok {
			needs = rewards + min(ledger.Amount(fee), ledger.MaxAmount-rewards)
		}
		if needs > free {
			p.sign(sign{Kind: AlertTokens, About: purse.account.Owner, count: purse.unfunded, is: free, needs: needs})
			return
		}
	}
	needs := ledger.Amount(0)
	for i, price := range pricesOf(s) {
		cost, ok := ledger.Cost(purse.wants.budget[i].amount(), price)
		if !ok || cost > ledger.MaxAmount-needs {
			cost = ledger.MaxAmount - needs
		}
		needs += cost
	}
	if n := purse.wants.jobs; n > 0 && needs/ledger.Amount(n) > free {
		p.sign(sign{Kind: AlertTokens, About: purse.account.Owner, count: n, is: free, needs: needs})
	}
}

// signScripts: what stewards want, what keeps failing, and the edit that waits.
func (p *Set) signScripts() {
	a := &p.Autonomy
	for i := range a.Waiting {
		w := &a.Waiting[i]
		text := capital(steward(w.Steward)) + " wants to " + w.Text + colon(w.Why) + "; it waits for a person since " + w.Since.Clock() + "."
		if !p.sign(sign{Kind: AlertAction, About: w.ID, level: Warning, text: text}) {
			break
		}
	}
	if held := a.Held; held != nil && !held.Approved {
		p.sign(sign{Kind: AlertEdit, About: held.Digest[:12], level: Warning, text: "An edit is held: " + heldWords(held) + "."})
	}
	for _, one := range a.Suspended {
		p.sign(sign{Kind: AlertScript, About: one.Script, level: Error, text: capital(scriptWords(one.Script)) + " is not asked any more, " + fallbackWords(one.Fallback) + ": " + one.Fault})
	}
	plan := a.guardian()
	if plan == nil {
		return
	}
	if plan.Fault != nil {
		p.sign(sign{Kind: AlertScript, About: core.GuardianName, level: Warning, text: "The guardian has no plan since " + plan.Fault.At.Clock() + ": " + plan.Fault.Text})
	}
	for _, c := range plan.Alerts {
		level := Warning
		switch c.Severity {
		case "critical":
			level = Error
		case "info":
			level = Info
		}
		if !p.sign(sign{Kind: AlertGuardian, About: c.Job, level: level, text: c.Text}) {
			break
		}
	}
}

// heldWords says what a held edit would take away.
func heldWords(held *HeldEdit) string {
	text := "it removes "
	for i, one := range append(slices.Clone(held.Removes), held.Drains...)[:min(len(held.Removes)+len(held.Drains), maxParts)] {
		if i > 0 {
			text += ", "
		}
		text += plain(one, maxName)
	}
	if more := held.Total - int64(min(len(held.Removes)+len(held.Drains), maxParts)); more > 0 {
		text += " and " + itoa(more) + " more"
	}
	return text
}

// scriptName is what explain calls a script: policy.spending is spending.
func scriptName(name string) string {
	if _, label, ok := strings.Cut(name, "."); ok {
		return label
	}
	return name
}

// signCapacity: an average ready job does not fit into what is free.
func (p *Set) signCapacity(s *core.State, kind AlertKind, unit ledger.Unit, budgets *Sum) {
	jobs := p.census.wants.jobs
	if _, free, _, _ := s.Resource(unit); jobs > 0 && budgets.exceeds(free, jobs) {
		p.sign(sign{Kind: kind, count: jobs, is: free, needs: budgets.amount()})
	}
}

func (p *Set) signHabit(kind AlertKind, id string, one *Conduct, limit int64) {
	if one != nil && one.InRow >= limit {
		p.sign(sign{Kind: kind, About: id, count: one.InRow})
	}
}

// atRisk reports whether a job will be late as things stand: it runs and ends
// too late, or it does not run and less than a quarter of its time is left, at
// most riskWindow.
func atRisk(s *core.State, r *tracked) bool {
	j := r.job
	if j.State == core.JobRunning {
		return j.EndsAt() > r.due
	}
	return r.due-s.Now() < core.Time(min(riskWindow, max(j.Spec.Deadline/4, core.Millisecond)))
}

func balanceOf(s *core.State, name ledger.Name) ledger.Amount {
	if a, ok := s.Ledger().Find(name); ok {
		return s.Ledger().Free(a)
	}
	return 0
}

// alert puts a sign into words.
func (p *Set) alert(s *core.State, one *sign) Alert {
	a := Alert{Kind: one.Kind, Level: Warning, About: one.About}
	switch one.Kind {
	case AlertStalled:
		a.Level = Error
		a.Text = "Nothing can go on by itself: " + count(int(one.count), "job is open", "jobs are open") + "."
	case AlertApproval:
		a.Text = p.approvalText(s, one)
	case AlertAction, AlertEdit, AlertScript, AlertGuardian:
		a.Level, a.Text = one.level, one.text
	case AlertTokens:
		a.Text = "account:" + one.About + " has " + one.is.String() + " tokens; " + count(int(one.count), "job waits", "jobs wait") + " for " + one.needs.String() + ", " + (one.needs - one.is).String() + " are missing."
	case AlertEnergy, AlertCompute:
		a.Text = capital(string(one.Kind)) + " is the bottleneck: " + count(int(one.count), "ready job needs ", "ready jobs need ") + one.needs.String() + ", " + one.is.String() + " are free."
	case AlertDeadline:
		a.Text = name(s, one.About) + " has to be submitted by " + one.at.Clock() + " and may be late."
	case AlertUnattended:
		a.Text = count(int(one.count), "ready job finds", "ready jobs find") + " no worker since " + one.at.Clock() + "."
	case AlertAbsent:
		a.Text = "Validator " + one.About + " was absent " + itoa(one.count) + " rounds in a row."
	case AlertRejected:
		a.Text = "Results of worker " + one.About + " were rejected " + itoa(one.count) + " times in a row; each costs part of its stake."
	}
	return a
}

func (p *Set) approvalText(s *core.State, one *sign) string {
	text := name(s, one.About) + " waits for a person since " + one.at.Clock()
	if r := p.census.byID[one.About]; r != nil {
		text += ": " + because(r.approval.Reason, r.approval.Detail)
	}
	return text + "."
}

func capital(word string) string {
	if word == "" || word[0] < 'a' || word[0] > 'z' {
		return word
	}
	return string(word[0]-'a'+'A') + word[1:]
}

// actions says what may be done about a sign.
func actions(s *core.State, one *sign) []Action {
	switch one.Kind {
	case AlertStalled:
		return []Action{{"Look why each open job waits.", "omega job list"}}
	case AlertApproval:
		return []Action{
			{"Let " + name(s, one.About) + " go on.", "omega approve " + one.About},
			{"End " + name(s, one.About) + ".", "omega deny " + one.About},
		}
	case AlertAction:
		return []Action{{"Let it happen.", "omega approve " + one.About}, {"Drop it.", "omega deny " + one.About}}
	case AlertEdit:
		return []Action{{"Put the edit in force.", "omega apply"}}
	case AlertScript:
		return []Action{{"Mend the script and save it.", "omega explain " + scriptName(one.About)}}
	case AlertTokens:
		return []Action{{"Give account:" + one.About + " " + (one.needs - one.is).String() + " more tokens, or cancel jobs it pays for.", ""}}
	case AlertEnergy, AlertCompute:
		return []Action{{"Raise resources." + string(one.Kind) + ".capacity in the mission file, or lower the " + string(one.Kind) + "_budget of jobs.", ""}}
	case AlertDeadline:
		return []Action{{"See what holds " + name(s, one.About) + " up.", "omega job list"}}
	case AlertUnattended:
		return []Action{{"Add a worker with their skills to the mission file, or more slots.", ""}}
	case AlertAbsent:
		return []Action{{"See to validator " + one.About + ", or take it out of the mission file.", ""}}
	case AlertRejected:
		return []Action{{"See to worker " + one.About + ", or take it out of the mission file.", ""}}
	}
	return nil
}

// clockOf appends what Clock says.
func clockOf(b []byte, t core.Time) []byte {
	sec := int64(t) / int64(core.Second)
	pair := func(n int64) {
		if n < 10 {
			b = append(b, '0')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	pair(sec / 3600)
	b = append(b, ':')
	pair(sec / 60 % 60)
	b = append(b, ':')
	pair(sec % 60)
	return b
}
