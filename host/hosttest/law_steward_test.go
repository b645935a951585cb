package hosttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// adviser is the guardian or a strategist.
type adviser struct {
	name     string
	script   string
	standIn  string // the script in its place once it is suspended
	interval int64
	seen     uint64
	asked    int64
	wake     int64
	plan     bool // it has given one
}

// wish is an action of a plan.
type wish struct {
	ID      string          `json:"id"`
	Do      string          `json:"do"`
	Job     string          `json:"job"`
	Skill   string          `json:"skill"`
	For     int64           `json:"for"`
	Energy  string          `json:"energy"`
	Compute string          `json:"compute"`
	Tokens  string          `json:"tokens"`
	Post    json.RawMessage `json:"post"`
	Target  string          `json:"target"`
	Steer   json.RawMessage `json:"steer"`
	Why     string          `json:"why"`
	Outcome string          `json:"outcome"`
	Reason  string          `json:"reason"`
}

// content is what a wish is about, but for its words and what came of it.
func (a wish) content() string {
	a.ID, a.Why, a.Outcome, a.Reason = "", "", "", ""
	return fmt.Sprint(a)
}

// offer is a wish that waits for a person.
type offer struct {
	wish
	by string
}

// stewardship is what the record tells of stewards.
type stewardship struct {
	advisers []*adviser
	may      []string
	offers   []offer
	paused   map[string]int64
	happened uint64
	quiet    int
	planned  string   // whose plan this entry records
	wanted   []string // what has to follow it
	rulings  []*fact  // on actions of a plan, in this entry
	returned []string // to boosters, in this entry
	gone     []string // offers that have to be dropped in this entry
}

const guardian = "guardian"

// stewardsInForce takes what a generation declares.
func (b *book) stewardsInForce(spec json.RawMessage) {
	type script struct {
		Name     string `json:"name"`
		Interval string `json:"interval"`
		Digest   string `json:"script_digest"`
		Default  string `json:"default_digest"`
	}
	var next struct {
		Guardian    *script  `json:"guardian"`
		Strategists []script `json:"strategists"`
		May         []string `json:"autonomy.may"`
	}
	b.law(json.Unmarshal(spec, &next) == nil, "a spec nobody can read")
	if next.Guardian != nil {
		next.Guardian.Name = guardian
		next.Strategists = append([]script{*next.Guardian}, next.Strategists...)
	}
	before := b.advisers
	b.may, b.advisers = next.May, nil
	for _, s := range next.Strategists {
		a := &adviser{name: s.Name, asked: b.at}
		for _, old := range before {
			if old.name == s.Name {
				a = old
			}
		}
		if a.script != s.Digest {
			b.forgive(a.scriptName())
		}
		a.script, a.standIn, a.interval = s.Digest, s.Default, durationOf(s.Interval)
		b.advisers = append(b.advisers, a)
	}
	for _, old := range before {
		if b.adviser(old.name) == nil {
			b.forgive(old.scriptName())
		}
	}
	for _, o := range b.offers {
		if b.adviser(o.by) == nil {
			b.gone = append(b.gone, o.ID)
		}
	}
}

// asked is the digest of the script that answers now, "" where none does.
func (b *book) asked(a *adviser) string {
	if b.out[a.scriptName()] {
		return a.standIn
	}
	return a.script
}

// adviserOf finds a steward by the name of its script.
func (b *book) adviserOf(script string) *adviser {
	for _, a := range b.advisers {
		if a.scriptName() == script {
			return a
		}
	}
	return nil
}

func (a *adviser) scriptName() string {
	if a.name == guardian {
		return guardian
	}
	return "strategist." + a.name
}

func (b *book) adviser(name string) *adviser {
	for _, a := range b.advisers {
		if a.name == name {
			return a
		}
	}
	return nil
}

// stewarded takes an event about stewards and what they bring about.
func (b *book) stewarded(e *fact) {
	switch e.Type {
	case "plan_recorded":
		b.plan(e)
	case "action_approved":
		in, o := b.rec.Input, b.offer(e.Action)
		b.law(o != nil && in.Command == "order" && in.Order == "approve" && in.Job == e.Action, "the action %s is approved by %s %s %s", e.Action, in.Command, in.Order, in.Job)
		if o != nil {
			payer := o.by
			if payer == guardian {
				payer = b.settings["mission.owner"]
			}
			b.want(&o.wish, o.ID, o.by, payer)
			b.withdraw(e.Action)
		}
	case "action_dropped":
		in := b.rec.Input
		denied := e.Reason == "denied" && in.Command == "order" && in.Order == "deny" && in.Job == e.Action
		i := slices.Index(b.gone, e.Action)
		b.law(b.offer(e.Action) != nil && (denied || e.Reason == "withdrawn" && i >= 0), "the action %s is %s by %s %s", e.Action, e.Reason, in.Command, in.Order)
		if i >= 0 {
			b.gone = slices.Delete(b.gone, i, i+1)
		}
		b.withdraw(e.Action)
	case "skill_paused":
		b.came("skill_paused", e.Skill, fmt.Sprint(e.Until), e.By)
		b.law(e.Until > b.at && e.Until <= b.at+24*3_600_000 && e.Until > b.paused[e.Skill], "%s is paused until %d after %d", e.Skill, e.Until, b.paused[e.Skill])
		b.paused[e.Skill] = e.Until
	case "skill_resumed":
		b.law(b.rec.Input.Command == "tick" && b.paused[e.Skill] > 0 && b.paused[e.Skill] <= b.at, "%s goes on at %d, paused until %d", e.Skill, b.at, b.paused[e.Skill])
		delete(b.paused, e.Skill)
	case "repriced":
		set := [2]micro{amountOf(e.EnergySet), amountOf(e.ComputeSet)}
		b.came("repriced", set[0].String(), set[1].String(), e.By)
		for i, price := range set {
			b.law(price == b.prices[i] || price >= b.setting("autonomy.price_floor") && price <= b.setting("autonomy.price_ceiling"), "a price is set to %s", price)
		}
		b.prices, b.priced = set, b.at
	case "job_expedited":
		j := b.waitingJob(e.Job)
		if b.came("job_expedited", e.Job, e.By); j != nil {
			b.law(j.expedited == 0, "%s is expedited twice", e.Job)
			j.expedited = b.seq
		}
	case "reward_boosted":
		b.came("reward_boosted", e.Job, e.Tokens, e.By)
		if j := b.waitingJob(e.Job); j != nil {
			b.boosted(j, amountOf(e.Tokens), e.By)
		}
	}
}

// waitingJob finds a job that may be put first or boosted.
func (b *book) waitingJob(id string) *life {
	j := b.jobs[id]
	b.law(j != nil && j.is("posted", "ready", "rejected") && j.ending == nil && !j.working, "a steward reaches for %s, which does not wait to start", id)
	return j
}

func (b *book) boosted(j *life, tokens micro, by string) {
	b.law(j.parent == nil && tokens > 0, "%s is boosted by %s", j.id, tokens)
	b.pend("TOKEN", "account:"+by, "job:"+j.id+":escrow", tokens)
	j.escrow += tokens
	j.boost += tokens
	for i := range j.boosters {
		if j.boosters[i].by == by {
			j.boosters[i].tokens += tokens
			return
		}
	}
	j.boosters = append(j.boosters, booster{by, tokens})
}

type booster struct {
	by     string
	tokens micro
}

// unboosted says what goes back to those who boosted a job that is not paid.
func (b *book) unboosted(j *life) {
	for _, one := range j.boosters {
		back := min(one.tokens, j.escrow)
		text := fmt.Sprint("TOKEN job:", j.id, ":escrow account:", one.by, " ", back)
		i := slices.Index(b.returned, text)
		b.law(back == 0 || i >= 0, "%s is not moved, but %q", text, b.returned)
		if i >= 0 {
			b.returned = slices.Delete(b.returned, i, i+1)
		}
		j.escrow -= back
	}
	j.boosters = nil
}

// pay is what a job's result is worth: its reward and what was added.
func (j *life) pay() micro { return j.reward + j.boost }

func (b *book) offer(id string) *offer {
	for i := range b.offers {
		if b.offers[i].ID == id {
			return &b.offers[i]
		}
	}
	return nil
}

func (b *book) withdraw(id string) {
	b.offers = slices.DeleteFunc(b.offers, func(o offer) bool { return o.ID == id })
}

// plan checks what a steward has answered.
func (b *book) plan(e *fact) {
	a := b.adviser(e.Steward)
	b.law(b.rec.Input.Command == "advise" && a != nil && b.planned == "" && b.status == "running", "%s answers by %s in a mission that is %s", e.Steward, b.rec.Input.Command, b.status)
	if b.broken != nil {
		return
	}
	due, asked := b.dueFor(a)
	b.law(asked && due <= b.at, "%s answers at %d, asked %v at %d", a.name, b.at, asked, due)
	b.law(e.Seen >= a.seen && e.Seen < b.seq && e.Script == b.asked(a), "%s was told of %d after %d, or has another script", a.name, e.Seen, a.seen)
	b.law(e.Same == false || a.plan && len(e.Actions)+len(e.Alerts)+len(e.Recommend)+len(e.Headline) == 0, "%s says the same as nothing", a.name)
	b.planned, a.seen, a.asked, a.wake = a.name, e.Seen, b.at, 0
	if e.Wake > 0 {
		b.law(a.name != guardian, "the guardian asks for a wake")
		a.wake = b.at + max(e.Wake, a.interval)
	}
	switch name := a.scriptName(); {
	case b.out[name]:
	case e.Fault != "":
		b.faults[name]++
	default:
		delete(b.faults, name)
	}
	if e.Fault != "" || e.Same {
		b.law(len(e.Actions) == 0, "%s acts without a plan", a.name)
		return
	}
	a.plan = true
	b.law(len(e.Alerts) <= 100 && len(e.Actions) <= 100, "%s has %d alerts and %d actions", a.name, len(e.Alerts), len(e.Actions))
	b.wishes(a, e.Actions)
}

// wishes checks what came of the actions of a plan.
func (b *book) wishes(a *adviser, all []wish) {
	spent, waits := micro(0), map[string]bool{}
	for i := range all {
		one := &all[i]
		id := fmt.Sprintf("%d.%d", b.seq, i+1)
		b.law(one.Do == "post" || a.name == guardian || one.Outcome == "refused", "the strategist %s does %s: %s", a.name, one.Do, one.Outcome)
		ruled := b.ruledOn(one, id)
		switch one.Outcome {
		case "taken":
			b.law(a.name != guardian || slices.Contains(b.may, one.Do), "the guardian may not %s", one.Do)
			b.law(ruled != "deny" && ruled != "ask", "%s does %s where policies say %s", a.name, one.Do, ruled)
			spent += b.worth(one)
			b.law(spent <= b.money["TOKEN account:"+a.name] || b.worth(one) == 0, "%s spends %s of %s", a.name, spent, b.money["TOKEN account:"+a.name])
			b.want(one, id, a.name, a.name)
		case "waiting":
			b.law(ruled != "deny" && (a.name == guardian || ruled == "ask"), "%s waits with %s where policies say %s", a.name, one.Do, ruled)
			before := b.offer(one.ID)
			b.law(!waits[one.ID] && (one.ID == id || before != nil && before.by == a.name && before.content() == one.content()), "the action %d of %s is called %s", i+1, a.name, one.ID)
			if waits[one.ID] = true; before == nil {
				b.offers = append(b.offers, offer{*one, a.name})
			}
		case "denied":
			b.law(ruled == "deny" && one.Reason != "", "%s is denied %s where policies say %s", a.name, one.Do, ruled)
		default:
			b.law(one.Outcome == "refused" && one.Reason != "", "%s of %s is %s", one.Do, a.name, one.Outcome)
		}
	}
	b.law(len(b.rulings) == 0, "policies were asked about what nobody wanted")
	for _, o := range b.offers {
		if a.name == guardian && o.by == guardian && !waits[o.ID] {
			b.gone = append(b.gone, o.ID)
		}
	}
	b.law(len(b.offers)-len(b.gone) <= 64, "%d actions wait", len(b.offers)-len(b.gone))
}

// ruledOn is what policies said of an action in this entry: the rulings stand
// before the plan in the order of its actions.
func (b *book) ruledOn(one *wish, id string) string {
	hook, subject := "transfer", one.Job
	if one.Do == "post" {
		hook, subject = "job.post", one.posts(id).Job
	}
	if one.Do != "post" && one.Do != "boost" || len(b.listening(hook)) == 0 {
		return "allow"
	}
	if len(b.rulings) == 0 || one.Post != nil && b.rulings[0].Subject != subject {
		b.law(false, "nobody was asked about %s of %s", one.Do, subject)
		return ""
	}
	say := b.rulings[0].Say
	b.rulings = b.rulings[1:]
	return say
}

// posts is the job an action posts.
func (a *wish) posts(id string) (f fact) {
	if json.Unmarshal(a.Post, &f) != nil || f.Job == "" {
		f.Job = "post-" + strings.ReplaceAll(id, ".", "-")
	}
	return f
}

// worth is what an action takes out of an account: at the least what goes into
// escrow.
func (b *book) worth(a *wish) micro {
	switch a.Do {
	case "boost":
		return amountOf(a.Tokens)
	case "post":
		f := a.posts("")
		return amountOf(f.Reward) + part(amountOf(f.Reward), b.setting("governance.fee_ratio"))
	}
	return 0
}

// want notes what has to follow from an action.
func (b *book) want(a *wish, id, by, payer string) {
	words := []string{a.Do}
	switch a.Do {
	case "expedite":
		words = []string{"job_expedited", a.Job, by}
	case "boost":
		words = []string{"reward_boosted", a.Job, a.Tokens, payer}
	case "pause_skill":
		words = []string{"skill_paused", a.Skill, fmt.Sprint(b.at + a.For), by}
	case "reprice":
		words = []string{"repriced", b.prices[0].String(), b.prices[1].String(), by}
		for i, price := range []string{a.Energy, a.Compute} {
			if price != "" {
				words[i+1] = amountOf(price).String()
			}
		}
	case "post":
		if payer == b.settings["mission.owner"] {
			payer = ""
		}
		words = []string{"job_posted", a.posts(id).Job, payer}
	}
	b.wanted = append(b.wanted, strings.Join(words, " "))
}

// came checks that something was wanted, in this order.
func (b *book) came(words ...string) {
	what := strings.Join(words, " ")
	b.law(len(b.wanted) > 0 && b.wanted[0] == what, "%s, where %q is wanted", what, b.wanted)
	if len(b.wanted) > 0 {
		b.wanted = b.wanted[1:]
	}
}

// notice keeps whether there is something to tell the stewards.
func (b *book) notice(e *fact) {
	if len(b.advisers) == 0 || slices.Contains([]string{"clock_advanced", "checkpointed", "host_started", "host_left", "prices_set", "verdict_given", "script_suspended"}, e.Type) {
		return
	}
	switch e.Type {
	case "plan_recorded":
		b.quiet++
		if !slices.ContainsFunc(e.Actions, func(a wish) bool { return a.Outcome == "taken" }) {
			return
		}
	case "action_dropped":
		if b.planned != "" {
			return
		}
		b.quiet = 0
	case "skill_resumed", "jobs_unattended":
	default:
		if b.planned == "" {
			b.quiet = 0
		}
	}
	b.happened = b.seq
}

// busy reports whether anything but stewards goes on.
func (b *book) busy() bool {
	return slices.ContainsFunc(b.order, func(j *life) bool {
		timed := j.fact.Deadline > 0 && j.is("ready", "assigned", "running", "rejected", "delegated") && j.held == nil && j.ending == nil
		voting := j.is("committing", "revealing") && j.round.outcome == ""
		return !j.ended() && (j.working || timed || voting || j.is("ready", "rejected") && j.retryAt > b.ripe)
	})
}

// dueFor is when a steward is to be asked.
func (b *book) dueFor(a *adviser) (int64, bool) {
	switch {
	case b.asked(a) == "" || b.quiet >= 1000 && !b.busy():
		return 0, false
	case a.name != guardian:
		return b.strategistDue(a)
	}
	every := durationOf(b.settings["autonomy.guardian_interval"])
	others := slices.ContainsFunc(b.advisers, func(o *adviser) bool {
		_, ok := b.strategistDue(o)
		return ok && o.name != guardian && b.asked(o) != ""
	})
	if every == 0 || !b.busy() && !others && !b.guardianMayPost(a) {
		return 0, false
	}
	return (a.asked/every + 1) * every, true
}

func (b *book) strategistDue(a *adviser) (at int64, ok bool) {
	switch told := b.happened <= a.seen; {
	case told && a.wake == 0:
		return 0, false
	case told:
		return a.wake, true
	case a.seen == 0:
		return 0, true
	case a.wake > 0:
		return min(a.wake, a.asked+a.interval), true
	}
	return a.asked + a.interval, true
}

func (b *book) guardianMayPost(a *adviser) bool {
	return b.open == 0 && b.happened > a.seen && slices.Contains(b.may, "post") && b.money["TOKEN account:guardian"] > 0
}

// attended reports whether somebody is still to be asked who could post a job.
func (b *book) attended() bool {
	return slices.ContainsFunc(b.advisers, func(a *adviser) bool {
		_, ok := b.dueFor(a)
		return ok && (a.name != guardian || b.guardianMayPost(a))
	})
}

// stewardsRest checks what must hold between entries.
func (b *book) stewardsRest() {
	b.law(len(b.wanted) == 0, "it was to follow, and did not: %q", b.wanted)
	b.law(len(b.returned) == 0, "nothing asks for the movements %q", b.returned)
	b.law(len(b.gone) == 0, "nobody asks any more for %q, and they wait on", b.gone)
	complete := b.status == "running" && b.open == 0 && b.expanded == b.declared && b.settings != nil && !b.attended()
	b.law(!complete || b.rec.Refused != nil || b.full(), "nothing is open and nobody can post, and the mission goes on")
	b.planned, b.rulings = "", nil
}

// pausedJob reports whether a skill of a job is paused.
func (b *book) pausedJob(j *life) bool {
	return slices.ContainsFunc(j.fact.Skills, func(s string) bool { return b.paused[s] > 0 })
}

// pauseOver checks, before an entry, that no skill was to go on before.
func (b *book) pauseOver(at int64) {
	for skill, until := range b.paused {
		b.law(at <= max(until, b.at), "%s was to go on at %d and is paused at %d", skill, until, at)
	}
}
