package hosttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
)

// plan is a mission before it is a file.
type plan struct {
	seed       int64
	duration   string
	exhausted  string
	spare      int64  // tokens beyond what the file promises
	treasury   string // TOKEN minted; an edit cannot change it
	energy     int64
	compute    int64
	most       [2]int64 // of both, that a job asks for; rounded up
	price      string
	committee  int
	fee        string
	validators int
	endowments [2]int64 // of a worker, of a validator
	governance []string // the rest of the block
	delegation []string
	interval   string
	removals   bool
	autonomy   []string
	accounts   []accountPlan
	kinds      map[core.ValidatorKind]int // how many validators judge otherwise than by rule
	models     [2]int64                   // of simulated validators: absent, wrong
	families   bool                       // attempts like to hand work on
	broken     bool                       // nobody can read the file
	jury       juryPlan
	policies   []policyPlan
	stewards   []stewardPlan
	workers    []workerPlan
	jobs       []jobPlan
}

type accountPlan struct {
	name   string
	tokens int64
}

type workerPlan struct {
	name, kind    string
	count, slots  int
	skills        string
	speed         string
	fails, wrongs string
	hands         bool
	version       int // of its script
}

type jobPlan struct {
	name    string
	count   int
	skills  string
	reward  string
	lines   []string
	accept  bool
	removed bool
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// drawPlan makes a mission small enough that a run is short, and tight enough
// that things run out.
func drawPlan(r *rand.Rand) *plan {
	p := &plan{
		seed: r.Int64N(1 << 40), duration: pick(r, "0", "0", "0", "40m", "3h"), exhausted: pick(r, "wait", "wait", "fail", "ask", "ask"),
		spare: pick[int64](r, 0, 0, 2, 30, 500, 10_000), energy: pick[int64](r, 0, 1501, 4000, 9999), compute: pick[int64](r, 0, 2000, 6000),
		price: pick(r, "1", "0.000001", "7.333333", "14"), committee: pick(r, 0, 0, 3, 3, 4, 5, 7), interval: pick(r, "1s", "5s", "40s", "10m"),
		endowments: [2]int64{pick[int64](r, 0, 30, 200, 1000), pick[int64](r, 10, 25, 90, 400)}, removals: chance(r, 50),
	}
	p.validators = max(1, p.committee)
	if p.committee > 0 {
		p.validators += pick(r, 0, 0, 1, 3)
	}
	p.drawCouncil(r)
	p.drawJury(r)
	p.drawGovernance(r)
	p.drawAutonomy(r)
	p.families = chance(r, 45)
	p.drawPolicies(r)
	p.drawStewards(r)
	p.drawWorkers(r)
	p.drawJobs(r)
	return p
}

// drawCouncil says how validators judge, and who holds their keys.
func (p *plan) drawCouncil(r *rand.Rand) {
	p.kinds = map[core.ValidatorKind]int{}
	if p.committee == 0 {
		return
	}
	for left := p.validators; left > 0; left-- {
		p.kinds[pick(r, core.RuleValidator, core.RuleValidator, core.OutsideValidator, core.OutsideValidator, core.OutsideValidator, core.SimulatedValidator, core.ExecValidator, core.ScriptValidator, core.ScriptValidator)]++
	}
	p.models = [2]int64{pick[int64](r, 0, 300_000), pick[int64](r, 0, 200_000)}
}

func (p *plan) drawAutonomy(r *rand.Rand) {
	floor, ceiling := "0.35", pick(r, "14", "2.5")
	p.autonomy = []string{
		fmt.Sprintf("guardian_interval = %q", pick(r, "10s", "10s", "7s", "3m", "0")), fmt.Sprintf("price_floor = %s", floor), fmt.Sprintf("price_ceiling = %s", ceiling),
		fmt.Sprintf("price_smoothing = %s", pick(r, "0.28", "0", "1", "0.333333")), fmt.Sprintf("resource_target = %s", pick(r, "0.8", "0.5", "0.1")),
	}
	for i := range pick(r, 0, 0, 1, 2) {
		p.accounts = append(p.accounts, accountPlan{fmt.Sprintf("acme%d", i), pick[int64](r, 0, 20, 150, 2000)})
	}
}

func (p *plan) drawGovernance(r *rand.Rand) {
	add := func(format string, args ...any) { p.governance = append(p.governance, fmt.Sprintf(format, args...)) }
	ratios := func() string { return pick(r, "0", "0.05", "0.2", "0.333333", "0.5", "0.999999", "1") }
	add("worker_stake_ratio = %s", pick(r, "0", "0.05", "0.2", "0.333333", "1"))
	add("slash_ratio = %s", ratios())
	p.fee = pick(r, "0", "0.05", "0.033333", "0.5")
	add("fee_ratio = %s", p.fee)
	add("burn_ratio = %s", pick(r, "0", "0.01", "0.333333"))
	add("validator_reward_ratio = %s", pick(r, "0", "0.08", "0.111111", "1"))
	shares := pick(r, [3]string{"0.5", "0.5", "0"}, [3]string{"0", "0", "1"}, [3]string{"0.333333", "0.333333", "0.333334"}, [3]string{"1", "0", "0"})
	add("slash_shares = { employer = %s, treasury = %s, burn = %s }", shares[0], shares[1], shares[2])
	if p.committee > 0 {
		wrong := pick(r, [2]string{"0", "0"}, [2]string{"0.5", "0.5"}, [2]string{"0.1", "1"}, [2]string{"0.333333", "0.777777"})
		add("wrong_vote_ratio = %s", wrong[0])
		add("no_reveal_ratio = %s", wrong[1])
		add("equivocation_ratio = %s", pick(r, "1", "1", "0.777777"))
		add("validator_stake = %s", pick(r, "10", "3.000001", "0.7"))
		if chance(r, 40) {
			add("approvals_required = %d", p.committee/2+1+r.IntN(p.committee-p.committee/2))
		}
		add(`commit_window = "%s"`, pick(r, "1s", "2m", "15m"))
		add(`reveal_window = "%s"`, pick(r, "1s", "2m", "25m"))
		add(`validator_timeout = "%s"`, pick(r, "0", "1m", "30m"))
	}
	p.delegation = []string{
		fmt.Sprintf("max_attempts = %d", pick(r, 1, 2, 3, 3, 5)), fmt.Sprintf("background_limit = %d", pick(r, 0, 1, 2, 5, 128)),
		fmt.Sprintf("retry_backoff = %q", pick(r, "0", "1s", "10s", "4m")),
		fmt.Sprintf("max_depth = %d", pick(r, 1, 2, 3, 9)), fmt.Sprintf("retry = %q", pick(r, "120s", "30s", "7m", "0")),
	}
}

func (p *plan) drawWorkers(r *rand.Rand) {
	for i := range 1 + r.IntN(3) {
		w := workerPlan{name: fmt.Sprintf("w%d", i), kind: pick(r, "simulated", "exec", "exec", "script"), count: 1 + r.IntN(3), slots: pick(r, 1, 1, 2, 4)}
		w.hands = chance(r, 30)
		w.skills = pick(r, `["a"]`, `["a", "b"]`, `["b", "a", "c"]`)
		w.speed, w.fails, w.wrongs = pick(r, "1", "1", "2.5", "0.3"), pick(r, "0", "0.1", "0.5"), pick(r, "0", "0.2", "0.5")
		p.workers = append(p.workers, w)
	}
	p.workers[0].skills = `["a", "b", "c"]`
}

func (p *plan) drawJobs(r *rand.Rand) {
	n := 1 + r.IntN(9)
	rank := r.Perm(n) // a job needs only those of lower rank, wherever they stand in the file
	for i := range n {
		j := jobPlan{name: fmt.Sprintf("j%d", i), count: pick(r, 0, 0, 0, 2, 4), skills: pick(r, `["a"]`, `["a"]`, `["b"]`, `["a", "c"]`)}
		j.reward = pick(r, "100", "10", "33.333333", "0.000001", "0", "7")
		p.jobs = append(p.jobs, j)
	}
	for i := range p.jobs {
		p.drawTerms(r, i, rank)
	}
}

func (p *plan) drawTerms(r *rand.Rand, i int, rank []int) {
	j := &p.jobs[i]
	add := func(format string, args ...any) { j.lines = append(j.lines, fmt.Sprintf(format, args...)) }
	add("work = %q", pick(r, "1s", "1m", "1m", "7m", "0"))
	if len(p.accounts) > 0 && chance(r, 50) {
		add("employer = %q", pick(r, p.accounts...).name)
	}
	if p.energy > 0 && chance(r, 60) {
		budget := pick(r, "1000", "333.333333", "1500", "0.000001")
		add("energy_budget = %s", budget)
		p.most[0] = max(p.most[0], int64(amountOf(budget)/1e6)+1)
	}
	if p.compute > 0 && chance(r, 50) {
		budget := pick(r, "1999.999999", "500", "7")
		add("compute_budget = %s", budget)
		p.most[1] = max(p.most[1], int64(amountOf(budget)/1e6)+1)
	}
	if chance(r, 30) {
		add("deadline = %q", pick(r, "30s", "3m", "20m", "2h"))
	}
	if chance(r, 20) {
		add("validation_window = %q", pick(r, "500ms", "1m", "20m"))
	}
	if chance(r, 40) {
		add("priority = %q", pick(r, "low", "normal", "high", "critical"))
	}
	if chance(r, 20) {
		add("required = false")
	}
	if chance(r, 25) {
		add(`run_if = "any_end"`)
	}
	var needs, inputs []string
	for k := range p.jobs {
		if rank[k] >= rank[i] || !chance(r, 25) {
			continue
		}
		ref := "job." + p.jobs[k].name
		if p.jobs[k].count > 0 {
			ref += fmt.Sprintf("[%d]", r.IntN(p.jobs[k].count))
		}
		needs = append(needs, ref)
		inputs = append(inputs, fmt.Sprintf("n%d = try(%s.result.x, null)", k, ref))
		if chance(r, 10) {
			inputs[len(inputs)-1] = fmt.Sprintf("n%d = %s.result.x + 1", k, ref) // fails where the result has none
		}
	}
	switch {
	case len(needs) > 0 && chance(r, 50):
		add("input = { %s }", strings.Join(inputs, ", "))
	case len(needs) > 0:
		add("needs = [%s]", strings.Join(needs, ", "))
	case chance(r, 30):
		add("input = { fixed = %d }", r.IntN(10))
	}
	if chance(r, 25) {
		kids := p.kids(r, ledger.Amount(amountOf(j.reward))/5, 2, false)
		add("simulated = { result = { x = %d }, delegate = %s }", r.IntN(10), kids)
	} else if chance(r, 60) {
		add("simulated = { result = { x = %d } }", r.IntN(10))
	}
	j.accept = chance(r, 40)
}

// flip lowers a capacity as far as the jobs allow, and raises it again.
func flip(capacity, least int64) int64 {
	if capacity > least {
		return least
	}
	return 9999
}

// edited is the plan as somebody changes the file while no host runs.
func (p *plan) edited(r *rand.Rand) *plan {
	next := *p
	next.workers, next.jobs = append([]workerPlan{}, p.workers...), append([]jobPlan{}, p.jobs...)
	if chance(r, 50) {
		next.energy, next.compute = flip(p.energy, p.most[0]), flip(p.compute, p.most[1])
	}
	next.accounts, next.governance, next.autonomy = slices.Clone(p.accounts), slices.Clone(p.governance), slices.Clone(p.autonomy)
	next.broken = chance(r, 4)
	if p.families && chance(r, 50) { // children may have been paid out of what validators now ask for
		set(next.governance, "validator_reward_ratio", pick(r, "0.5", "0.9", "1"))
	}
	for range pick(r, 0, 1, 1, 2, 3) {
		switch r.IntN(26) {
		case 18:
			next.stewards = otherStewards(r, p.stewards)
		case 19:
			set(next.autonomy, "may", pick(r, `[]`, `["post", "boost"]`, `["expedite", "pause_skill", "reprice"]`))
		case 20, 21, 22:
			next.otherScripts(r)
		case 23:
			if n := len(next.workers); n > 1 {
				next.workers = next.workers[:n-1]
			}
		case 14, 15, 24, 25:
			next.policies = otherPolicies(r, p.policies)
		case 16:
			next.removals = !p.removals
		case 17:
			if j := &next.jobs[r.IntN(len(next.jobs))]; j.count > 1 {
				j.count--
			}
		case 9:
			set(next.governance, "validator_reward_ratio", pick(r, "0", "0.08", "0.9", "1"))
		case 10:
			set(next.governance, pick(r, "slash_ratio", "burn_ratio", "worker_stake_ratio", "fee_ratio"), pick(r, "0", "0.05", "0.333333"))
		case 11:
			set(next.autonomy, "guardian_interval", pick(r, `"10s"`, `"13s"`, `"0"`))
		case 12:
			if len(next.accounts) > 0 {
				next.accounts[r.IntN(len(next.accounts))].tokens = pick[int64](r, 0, 10, 150, 300)
			} else {
				next.accounts = append(next.accounts, accountPlan{"late", pick[int64](r, 1, 50)})
			}
		case 13:
			next.committee = max(3, p.committee-1)
			if p.committee == 0 || p.committee == next.committee {
				next.committee = p.committee
				break
			}
			next.governance = slices.DeleteFunc(next.governance, func(line string) bool { return strings.HasPrefix(line, "approvals_required") })
		case 0, 7:
			next.energy = pick(r, p.most[0], p.most[0], p.most[0]+300, 4000, 9999)
		case 1, 8:
			next.compute = pick(r, p.most[1], p.most[1], p.most[1]+300, 2700, 6000)
		case 2:
			next.price = pick(r, "1", "0.5", "3.000003")
		case 3:
			next.workers[r.IntN(len(next.workers))].count = 1 + r.IntN(4)
		case 4:
			next.jobs = append(next.jobs, jobPlan{name: fmt.Sprintf("e%d", r.IntN(1000)), skills: `["a"]`, reward: "1", lines: []string{`work = "1m"`}})
		case 5:
			next.exhausted, next.interval = pick(r, "wait", "fail", "ask", "ask"), pick(r, "1s", "5s", "40s")
		case 6:
			next.jobs[r.IntN(len(next.jobs))].reward = "5"
		}
	}
	return &next
}

// holds is what an account is given: what the jobs it pays for promise, and
// something to spare for deposits.
func (p *plan) holds(a accountPlan) micro {
	sum := micro(a.tokens) * 1e6
	for _, j := range p.jobs {
		if slices.Contains(j.lines, fmt.Sprintf("employer = %q", a.name)) {
			reward := amountOf(j.reward)
			sum += micro(max(1, j.count)) * (reward + part(reward, amountOf(p.fee)) + 1)
		}
	}
	return sum
}

// set changes a setting among lines that have it.
func set(lines []string, name, value string) {
	for i, line := range lines {
		if strings.HasPrefix(line, name+" =") {
			lines[i] = name + " = " + value
		}
	}
}

func (p *plan) file() string {
	var b strings.Builder
	if p.broken {
		b.WriteString("nothing {\n")
	}
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("# stewards %v", p.stewards) // the file has no words for them here
	say("mission \"sim\" {\n seed = %d\n duration = %q\n on_exhausted = %q\n}", p.seed, p.duration, p.exhausted)
	say("treasury {\n tokens = %s\n worker_endowment = %d\n validator_endowment = %d\n}", p.tokens(), p.endowments[0], p.endowments[1])
	say("resources {\n energy {\n capacity = %d\n price = %s\n}\n compute {\n capacity = %d\n price = %s\n}\n}", p.energy, p.price, p.compute, p.price)
	say("governance {\n committee = %d\n %s\n}", p.committee, strings.Join(p.governance, "\n "))
	if len(p.autonomy) > 0 {
		say("autonomy {\n %s\n}", strings.Join(p.autonomy, "\n "))
	}
	for _, a := range p.accounts {
		say("account %q {\n tokens = %s\n}", a.name, p.holds(a))
	}
	say("delegation {\n %s\n}\ncheckpoint {\n interval = %q\n}", strings.Join(p.delegation, "\n "), p.interval)
	say("reload {\n allow_removals = %v\n}", p.removals)
	for _, w := range p.workers {
		say("worker %q {\n count = %d\n slots = %d\n skills = %s", w.name, w.count, w.slots, w.skills)
		if w.hands {
			say(" delegates = true")
		}
		if w.kind == "script" {
			say(" script = %q\n}", w.name+".js")
		} else if w.kind == "simulated" {
			say(" simulated {\n speed = %s\n failure_ratio = %s\n wrong_ratio = %s\n }\n}", w.speed, w.fails, w.wrongs)
		} else {
			say(" exec {\n command = [\"true\"]\n }\n}")
		}
	}
	held := p.validators
	for _, kind := range otherKinds {
		if n := p.kinds[kind]; n > 0 {
			say("validator %q {\n count = %d", string(kind), n)
			if kind == core.ScriptValidator {
				say(" script = %q\n fallback = %q", juryScript, p.jury.fallback)
			}
			say("}")
			held -= n
		}
	}
	if held > 0 {
		say("validator \"v\" {\n count = %d\n}", held)
	}
	for i := range p.policies {
		say("%s", p.policies[i].block())
	}
	for _, j := range p.jobs {
		say("job %q {\n skills = %s\n reward = %s", j.name, j.skills, j.reward)
		if j.count > 0 {
			say(" count = %d", j.count)
		}
		for _, line := range j.lines {
			say(" %s", line)
		}
		if j.accept {
			say(" accept {\n condition = try(result.x, 5) < 8\n }")
		}
		say("}")
	}
	return b.String()
}

// tokens is what the loader asks for and a little more: it never changes.
func (p *plan) tokens() string {
	if p.treasury == "" {
		sum := micro(0)
		for _, j := range p.jobs {
			reward := amountOf(j.reward)
			sum += micro(max(1, j.count)) * (reward + part(reward, amountOf(p.fee)) + 1)
		}
		members := 0
		for _, w := range p.workers {
			members += w.count
		}
		sum += micro(members)*micro(p.endowments[0])*1e6 + micro(p.validators)*micro(p.endowments[1])*1e6
		for _, a := range p.accounts {
			sum += p.holds(a)
		}
		p.treasury = (sum + micro(p.spare)*1e6).String()
	}
	return p.treasury
}

// otherKinds are the kinds of validators that have a block of their own.
var otherKinds = []core.ValidatorKind{core.OutsideValidator, core.SimulatedValidator, core.ExecValidator, core.ScriptValidator}

func (p *plan) compile() (*missionfile.Mission, missionfile.Diagnostics) {
	text := []byte(p.file())
	sources := []missionfile.Source{{Path: "mission.hcl", Bytes: text, Digest: sha256.Sum256(text)}}
	mission, problems := missionfile.CompileWith(author{}, "mission.hcl", append(sources, p.scripts()...))
	if mission != nil {
		p.complete(mission.Spec())
	}
	return mission, problems
}

// complete says what the mission file has no words for: who holds a validator's
// key outside the host, how the others judge,
// and who advises.
func (p *plan) complete(spec *core.Spec) {
	p.advised(spec)
	for i := range spec.Validators {
		v := &spec.Validators[i]
		switch kind := core.ValidatorKind(v.Name); kind {
		case core.OutsideValidator:
			v.Kind, v.Keys = kind, nil
			for _, id := range v.Instances {
				v.Keys = append(v.Keys, [32]byte(p.keyOf(id).Public().(ed25519.PublicKey)))
			}
		case core.SimulatedValidator:
			v.Kind, v.Simulated = kind, core.ValidatorModel{AbsentRatio: ledger.Ratio(p.models[0]), WrongRatio: ledger.Ratio(p.models[1])}
		case core.ExecValidator:
			v.Kind, v.Exec = kind, core.ExecSpec{Command: []string{"judge"}, Timeout: core.Minute, Memory: 1 << 30, Output: 1 << 20}
		case core.ScriptValidator: // the file says all of it
		default:
			v.Kind = core.RuleValidator
		}
	}
}

// keyOf is the key an outside validator holds.
func (p *plan) keyOf(id string) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "outside %d %s", p.seed, id))
	return ed25519.NewKeyFromSeed(seed[:])
}
