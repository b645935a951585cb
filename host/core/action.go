package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/omega-run/omega/host/ledger"
)

// maxPause bounds how long a skill is paused at a time.
const maxPause = 24 * Hour

// unfit says why an answer is no plan, "" if it is one.
func (c *Advise) unfit() string {
	text, bytes, rulings := len(c.Headline), 0, 0
	valid := utf8.ValidString(c.Headline)
	add := func(texts ...string) {
		for _, t := range texts {
			text, valid = text+len(t), valid && utf8.ValidString(t)
		}
	}
	for i := range c.Alerts {
		a := &c.Alerts[i]
		if add(a.Text, a.Job); !slices.Contains([]string{"info", "warning", "critical"}, a.Severity) {
			return fmt.Sprintf("alert %d: severity is %q; it is info, warning or critical", i+1, a.Severity)
		}
	}
	add(c.Recommend...)
	for i := range c.Actions {
		a := &c.Actions[i]
		add(a.Why, a.Job, a.Skill, a.Target)
		bytes += len(a.content())
		if a.Ruling != nil {
			rulings += a.Ruling.size()
		}
	}
	switch {
	case len(c.Memory) > MaxMemory:
		return fmt.Sprintf("memory has %d bytes, at most %d are kept", len(c.Memory), MaxMemory)
	case len(c.Alerts) > MaxAlerts:
		return fmt.Sprintf("%d alerts, at most %d are taken", len(c.Alerts), MaxAlerts)
	case len(c.Actions) > MaxActions:
		return fmt.Sprintf("%d actions, at most %d are taken", len(c.Actions), MaxActions)
	case text > MaxPlanText:
		return fmt.Sprintf("%d bytes of text, at most %d are taken", text, MaxPlanText)
	case bytes > maxPlanBytes:
		return fmt.Sprintf("its actions take %d bytes, at most %d are taken", bytes, maxPlanBytes)
	case rulings > maxRulings:
		return fmt.Sprintf("what policies were given and said about its actions takes %d bytes, at most %d are taken", rulings, maxRulings)
	case !valid:
		return "a text is not UTF-8"
	}
	return ""
}

// size is about how many bytes a ruling takes in the journal.
func (r *Ruling) size() int {
	const plain = 300
	n := plain + len(r.Request)
	for i := range r.Verdicts {
		n += plain + len(r.Verdicts[i].Reason) + len(r.Verdicts[i].Fault)
	}
	return n
}

// content is all of an action, as it is recorded.
func (a *Action) content() string {
	var c Codec
	a.fields(&c)
	return string(c.buf)
}

// wants is what an action is to do, in whatever words it is justified.
func (a *Action) wants() string {
	bare := *a
	bare.Why = ""
	return bare.content()
}

// about is what an action concerns: two actions of one plan about the same are
// one too many. "" is nothing.
func (a *Action) about() string {
	switch {
	case a.Do == ActReprice:
		return a.Do
	case a.Do == ActPost && a.Post != nil && a.Post.ID != "":
		return a.Do + " " + a.Post.ID
	case a.Do == ActPost:
		return ""
	}
	return a.Do + " " + a.Job + a.Skill
}

// draft is what the actions of a plan have come to so far: nothing of it has
// been done yet.
type draft struct {
	spent   ledger.Amount
	about   map[string]bool // taken
	waiting int             // actions of all stewards
	kept    map[string]bool // ids of those that waited before
}

// actionID names the i-th action of the plan this entry takes, from 0.
func (s *State) actionID(i int) string { return fmt.Sprintf("%d.%d", s.seq, i+1) }

// judgeActions says of each action of a plan what comes of it, in order.
func (s *State) judgeActions(st *Steward, actions []Action, rulings []said) []PlannedAction {
	d := &draft{about: map[string]bool{}, kept: map[string]bool{}}
	for p := range s.Proposals() {
		if p.Steward != st.Name || st.Name != GuardianName { // those it does not repeat are withdrawn
			d.waiting++
		}
	}
	var all []PlannedAction
	for i := range actions {
		a := PlannedAction{Action: actions[i]}
		a.Action.Ruling = nil
		before := s.proposed(st, &a.Action, d)
		a.Outcome, a.Reason = s.judge(st, &a.Action, s.actionID(i), d, before, rulings[i])
		if a.Outcome == OutcomeWaiting {
			a.ID = s.actionID(i)
			if before != nil {
				a.ID = before.ID
				d.kept[before.ID] = true
			}
			if before == nil || st.Name == GuardianName {
				d.waiting++
			}
		}
		all = append(all, a)
	}
	return all
}

// proposed finds what a steward has asked for before and asks for again.
func (s *State) proposed(st *Steward, a *Action, d *draft) *Proposal {
	for _, p := range s.proposals {
		if p.Steward == st.Name && !d.kept[p.ID] && p.Action.wants() == a.wants() {
			return p
		}
	}
	return nil
}

// judge says what comes of an action: taken where the steward may, waiting where
// a person has to say so.
func (s *State) judge(st *Steward, a *Action, id string, d *draft, before *Proposal, ruled said) (outcome, reason string) {
	guardian := st.Name == GuardianName
	switch {
	case !guardian && a.Do != ActPost:
		return OutcomeRefused, "a strategist posts jobs and does nothing else"
	case before != nil && before.denied:
		return OutcomeRefused, "the owner has said no"
	}
	payer := st.Name
	if guardian && s.purseNamed(payer) == nil { // the owner may still pay
		payer = s.spec.Mission.Owner
	}
	if problem := s.cannot(a, id, payer, d); problem != "" {
		return OutcomeRefused, problem
	}
	poor := s.cannotPay(a, st.Name, d)
	may := !guardian || slices.Contains(s.spec.Autonomy.May, a.Do)
	switch {
	case !guardian && poor != "":
		return OutcomeRefused, poor
	case ruled.say == SayDeny:
		return OutcomeDenied, cmp.Or(ruled.reason, "a policy denies it")
	case ruled.say == SayAsk:
		return d.wait(cmp.Or(ruled.reason, "a policy wants a person asked"), before)
	case !may:
		return d.wait(a.Do+" is not among what it may do by itself", before)
	case poor != "":
		return d.wait(poor, before)
	}
	d.spent += s.costOf(a)
	d.about[a.about()] = true
	return OutcomeTaken, ""
}

// wait is the outcome of what a person has to decide, as long as not too much
// waits already.
func (d *draft) wait(reason string, before *Proposal) (string, string) {
	if d.waiting >= MaxProposals && before == nil {
		return OutcomeRefused, fmt.Sprintf("%d actions wait for a person already", d.waiting)
	}
	return OutcomeWaiting, reason
}

// cannot says in a sentence why an action cannot be done now, "" if it can.
func (s *State) cannot(a *Action, id, payer string, d *draft) string {
	if about := a.about(); about != "" && d.about[about] {
		return "an earlier action of the plan does the same"
	}
	switch a.Do {
	case ActExpedite:
		return s.cannotExpedite(a)
	case ActReprice:
		return s.cannotReprice(a)
	case ActBoost:
		return s.cannotBoost(a)
	case ActPauseSkill:
		return s.cannotPause(a)
	case ActPost:
		return s.cannotPost(a, id, payer, d)
	case ActSteer:
		return "this version has no simulation to steer"
	}
	return fmt.Sprintf("nobody knows how to %q", a.Do)
}

// waitingJob finds a job that waits to start.
func (s *State) waitingJob(id string) (*Job, string) {
	j, refusal := s.goesOn(id)
	switch {
	case refusal != nil && refusal.Code == RefuseJobEnded:
		return nil, fmt.Sprintf("%s has ended: it is %s", id, refusal.Detail)
	case refusal != nil:
		return nil, fmt.Sprintf("there is no job %q", id)
	case j.ending != nil:
		return nil, id + " is ending"
	case j.State != JobPostedState && j.State != JobReadyState && j.State != JobRejected:
		return nil, fmt.Sprintf("%s does not wait to start: it is %s", id, j.State)
	}
	return j, ""
}

func (s *State) cannotExpedite(a *Action) string {
	j, problem := s.waitingJob(a.Job)
	if problem == "" && j.Expedited > 0 {
		return a.Job + " has been put first already"
	}
	return problem
}

func (s *State) cannotBoost(a *Action) string {
	j, problem := s.waitingJob(a.Job)
	switch {
	case problem != "":
		return problem
	case j.Parent != nil:
		return a.Job + " is paid out of the reward of " + j.Parent.Name()
	case a.Tokens <= 0:
		return "a boost adds tokens"
	case a.Tokens > maxReward-j.Reward():
		return "the reward would be above " + maxReward.String()
	}
	return ""
}

func (s *State) cannotReprice(a *Action) string {
	floor, ceiling := s.spec.Autonomy.PriceFloor, s.spec.Autonomy.PriceCeiling
	for i, price := range [...]ledger.Amount{a.Energy, a.Compute} {
		what := [...]string{"energy", "compute"}[i]
		switch {
		case price == 0:
		case price < floor || price > ceiling:
			return fmt.Sprintf("a price of %s for %s is not between %s and %s", price, what, floor, ceiling)
		case s.ledger.Balance(s.accounts.limitMinted[i]) == 0:
			return "the mission has no " + what
		}
	}
	if s.repriced(a) == s.prices {
		return "the prices are that already"
	}
	return ""
}

// repriced are the prices an action wants.
func (s *State) repriced(a *Action) [2]ledger.Amount {
	next := s.prices
	for i, price := range [...]ledger.Amount{a.Energy, a.Compute} {
		if price != 0 {
			next[i] = price
		}
	}
	return next
}

func (s *State) cannotPause(a *Action) string {
	known := slices.ContainsFunc(s.classes, func(c *class) bool { return hasAll(c.skills, []string{a.Skill}) }) ||
		slices.ContainsFunc(s.pools, func(p *pool) bool { return hasAll(p.spec.Skills, []string{a.Skill}) })
	switch until := s.pausedUntil(a.Skill); {
	case !known:
		return fmt.Sprintf("no worker has the skill %q, and no job asks for it", a.Skill)
	case a.For <= 0 || a.For > maxPause:
		return "a skill is paused for more than nothing and at most 24h"
	case until >= s.now+Time(a.For):
		return a.Skill + " is paused until " + until.Clock() + " already"
	}
	return ""
}

func (s *State) cannotPost(a *Action, id, payer string, d *draft) string {
	if a.Post == nil {
		return "it names no job"
	}
	job := s.toPost(a, id, payer)
	if refusal := s.mayPost(&job, d.about); refusal != nil {
		if refusal.Code == RefuseJobExists {
			return "there is a job " + job.ID + " already"
		}
		return refusal.Detail
	}
	return ""
}

// toPost is the job an action posts.
func (s *State) toPost(a *Action, id, payer string) JobSpec {
	job := *a.Post
	job.Generation, job.Block, job.Parent, job.Label, job.Employer = s.generation, "", "", "", payer
	if payer == s.spec.Mission.Owner {
		job.Employer = ""
	}
	if job.ID == "" {
		job.ID = postID(id)
	}
	return job
}

// postID is the name of a job that an action posts without one.
func postID(action string) string { return "post-" + strings.Replace(action, ".", "-", 1) }

// mayPost refuses a job that somebody asks for beside the mission file. It may
// need those there are, and those that earlier actions of its plan post.
func (s *State) mayPost(job *JobSpec, earlier map[string]bool) *Refusal {
	if !jobName.MatchString(job.ID) {
		return refuse(RefuseInvalidJob, "a name is a lower-case letter, then up to 62 lower-case letters, digits or -")
	}
	if s.known(job.ID) {
		return refuse(RefuseJobExists, job.ID)
	}
	if job.Employer != "" && s.purseNamed(job.Employer) == nil {
		return refuse(RefuseInvalidJob, "no account is called "+job.Employer)
	}
	named := map[string]bool{}
	for _, need := range job.Needs {
		named[need] = s.known(need) || earlier[ActPost+" "+need]
	}
	if problem := s.unfitFor(job, named); problem != "" {
		return refuse(RefuseInvalidJob, problem)
	}
	return nil
}

// costOf is what an action takes out of an account: of a job it posts also what
// its first attempt will deposit at the prices of the moment.
func (s *State) costOf(a *Action) ledger.Amount {
	switch a.Do {
	case ActBoost:
		return a.Tokens
	case ActPost:
		return s.escrowFor(a.Post) + s.depositOf(a.Post)
	}
	return 0
}

// cannotPay says in a sentence what an account lacks, "" if it can pay.
func (s *State) cannotPay(a *Action, payer string, d *draft) string {
	cost, free := s.costOf(a), s.freeIn(payer)-d.spent
	switch {
	case a.Do == ActPost && s.purseNamed(payer) == nil:
		return "there is no account " + payer
	case cost <= free:
		return ""
	}
	return fmt.Sprintf("it costs %s, account %s has %s left", cost, payer, max(0, free))
}

// perform does an action that is taken or approved.
func (s *State) perform(a *Action, id, by, payer string) {
	switch a.Do {
	case ActExpedite:
		s.emit(&JobExpedited{Job: a.Job, By: by})
	case ActReprice:
		next := s.repriced(a)
		s.emit(&Repriced{Energy: next[0], Compute: next[1], By: by})
	case ActBoost:
		s.emit(&RewardBoosted{Job: a.Job, Tokens: a.Tokens, By: payer})
		s.emitLegs([]Leg{{ledger.Token, "account:" + payer, "job:" + a.Job + ":escrow", a.Tokens}})
	case ActPauseSkill:
		s.emit(&SkillPaused{Skill: a.Skill, Until: s.now + Time(a.For), By: by})
	case ActPost:
		job := s.toPost(a, id, payer)
		s.post(&job)
	}
}

// answerProposal takes what a person says about an action that waits. The owner
// pays for what the guardian wanted, a strategist for its own.
func (s *State) answerProposal(o *Order) *Refusal {
	p := s.Proposal(o.Job)
	switch {
	case p == nil:
		return refuse(RefuseNotAwaiting, "no action that waits is called "+o.Job)
	case s.halted():
		return refuse(RefuseMissionStopped, string(s.status))
	case o.Say == Deny:
		s.emit(&ActionDropped{ID: p.ID, Reason: OutcomeDenied})
		return nil
	}
	action, payer, d := p.Action, p.Steward, &draft{}
	if payer == GuardianName {
		payer = s.spec.Mission.Owner
	}
	problem := s.cannot(&action, p.ID, payer, d)
	if problem == "" {
		problem = s.cannotPay(&action, payer, d)
	}
	if problem != "" {
		return refuse(RefuseActionUnfit, problem)
	}
	s.emit(&ActionApproved{ID: p.ID})
	s.perform(&action, p.ID, p.Steward, payer)
	return nil
}

// namesAction reports whether an order is about an action: no job's name begins
// with a digit.
func namesAction(id string) bool { return id != "" && id[0] >= '0' && id[0] <= '9' }

// Reward is what an approved result of the job is paid: what it was posted with
// and what stewards have added.
func (j *Job) Reward() ledger.Amount { return j.Spec.Reward + j.Boosted }

// boost is what an account has added to a job's reward.
type boost struct {
	account string
	tokens  ledger.Amount
}

// unboost gives boosters back what is left of what they gave, before the
// employer gets the rest.
func (s *State) unboost(j *Job) {
	left := s.balance(j.escrow)
	var legs []Leg
	for _, b := range j.boosts {
		if back := min(left, b.tokens); back > 0 {
			legs = append(legs, Leg{ledger.Token, "job:" + j.Spec.ID + ":escrow", "account:" + b.account, back})
			left -= back
		}
	}
	s.emitLegs(legs)
}
