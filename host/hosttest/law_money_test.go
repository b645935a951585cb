package hosttest

import (
	"fmt"
	"slices"
	"strings"
)

// steps is the table of docs/journal.md: from where to where a step moves.
var steps = map[string]struct{ unit, from, to string }{
	"escrow":              {"TOKEN", "employer", "escrow"},
	"stake":               {"TOKEN", "worker", "worker_stake"},
	"deposit":             {"TOKEN", "employer", "deposit"},
	"energy":              {"ENERGY", "capacity", "reserved"},
	"compute":             {"COMPUTE", "capacity", "reserved"},
	"usage":               {"TOKEN", "deposit", "resources"},
	"deposit_return":      {"TOKEN", "deposit", "employer"},
	"energy_return":       {"ENERGY", "reserved", "capacity"},
	"compute_return":      {"COMPUTE", "reserved", "capacity"},
	"energy_burn":         {"ENERGY", "reserved", "burned"},
	"compute_burn":        {"COMPUTE", "reserved", "burned"},
	"seat":                {"TOKEN", "validator", "validator_stake"},
	"seat_return":         {"TOKEN", "validator_stake", "validator"},
	"seat_slash_employer": {"TOKEN", "validator_stake", "employer"},
	"seat_slash_treasury": {"TOKEN", "validator_stake", "owner"},
	"seat_slash_burn":     {"TOKEN", "validator_stake", "burned"},
	"share":               {"TOKEN", "escrow", "validator"},
	"burn":                {"TOKEN", "escrow", "burned"},
	"pay":                 {"TOKEN", "escrow", "worker"},
	"fee":                 {"TOKEN", "escrow", "fees"},
	"stake_return":        {"TOKEN", "worker_stake", "worker"},
	"slash_share":         {"TOKEN", "worker_stake", "validator"},
	"slash_employer":      {"TOKEN", "worker_stake", "employer"},
	"slash_treasury":      {"TOKEN", "worker_stake", "owner"},
	"slash_burn":          {"TOKEN", "worker_stake", "burned"},
	"escrow_return":       {"TOKEN", "escrow", "employer"},
}

// transfer books what was recorded, and nothing else.
func (b *book) transfer(e *fact) {
	for _, leg := range e.Legs {
		amount := amountOf(leg.Amount)
		b.law(amount > 0, "a leg moves %s", amount)
		b.move(leg.Unit, leg.Debit, leg.Credit, amount)
		text := fmt.Sprint(leg.Unit, " ", leg.Debit, " ", leg.Credit, " ", amount)
		if strings.HasPrefix(leg.Debit, "job:") { // it comes before the end that asks for it
			b.returned = append(b.returned, text)
			continue
		}
		i := slices.Index(b.pending, text)
		b.law(i >= 0, "nothing asks for the movement %s, only for %q", text, b.pending)
		if i >= 0 {
			b.pending = slices.Delete(b.pending, i, i+1)
		}
		if leg.Unit == "TOKEN" && leg.Debit == "minted" {
			b.sums.Minted += amount
		}
	}
	if len(e.Steps) == 0 {
		return
	}
	b.idle(e)
	j := b.jobs[e.Job]
	b.law(j != nil && j.attempt == e.Attempt, "a transfer of %s/%d, which is not there", e.Job, e.Attempt)
	for _, step := range e.Steps {
		for _, one := range eachSeat(step[0]) {
			if b.broken == nil {
				b.step(j, one, amountOf(step[1]))
			}
		}
	}
}

// eachSeat writes "share/0-2" out: one movement a seat.
func eachSeat(step string) (all []string) {
	name, seats, _ := strings.Cut(step, "/")
	var from, to int
	if n, _ := fmt.Sscanf(seats, "%d-%d", &from, &to); n < 2 {
		return []string{step}
	}
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf("%s/%d", name, i))
	}
	return all
}

func (b *book) step(j *life, text string, amount micro) {
	name, seatText, seated := strings.Cut(text, "/")
	rule, known := steps[name]
	b.law(known && amount > 0, "step %s of %s moves %s", text, j.id, amount)
	validator := ""
	if seated {
		n := -1
		fmt.Sscan(seatText, &n)
		b.law(j.round != nil && n >= 0 && n < len(j.round.seats), "step %s of %s has no seat", text, j.id)
		if b.broken != nil {
			return
		}
		validator = j.round.seats[n].validator.id
	}
	if name == "escrow" {
		b.escrowed(j, amount)
	}
	id := j.key(text)
	b.law(!b.ids[id], "transfer %s is there twice", id)
	b.ids[id] = true
	b.move(rule.unit, b.account(rule.from, j, validator), b.account(rule.to, j, validator), amount)
	j.expect(id, -amount)
	b.sum(name, amount)
}

// key is the id of a movement. A round that is repeated has seats of its own, so
// its number goes with them.
func (j *life) key(step string) string {
	id := fmt.Sprintf("%s/%d/%s", j.id, j.attempt, step)
	if strings.Contains(step, "/") {
		id += fmt.Sprintf("#%d", j.round.number)
	}
	return id
}

// expect notes a movement that must be recorded in this entry, or (below zero)
// that it was.
func (j *life) expect(id string, amount micro) {
	if j.expected[id] += amount; j.expected[id] == 0 {
		delete(j.expected, id)
	}
}

// due notes a movement that the rules ask for now. A child's employer is its
// parent's escrow.
func (j *life) due(step string, amount micro) {
	j.expect(j.key(step), amount)
	if j.parent == nil {
		return
	}
	switch name, _, _ := strings.Cut(step, "/"); name {
	case "escrow", "deposit":
		j.parent.escrow -= amount
	case "deposit_return", "escrow_return", "slash_employer", "seat_slash_employer":
		j.parent.escrow += amount
		if strings.Contains(name, "slash") {
			j.parent.slashes += amount
		}
	}
}

func (b *book) account(place string, j *life, validator string) string {
	switch place {
	case "owner":
		return b.owner()
	case "employer":
		return b.employer(j)
	case "escrow", "deposit":
		return "job:" + j.id + ":" + place
	case "worker", "worker_stake":
		b.law(j.worker != nil, "%s has no worker to pay or slash", j.id)
		if j.worker == nil {
			return "nobody"
		}
		return "worker:" + j.worker.id + map[string]string{"worker_stake": ":stake"}[place]
	case "validator", "validator_stake":
		return "validator:" + validator + map[string]string{"validator_stake": ":stake"}[place]
	}
	return place
}

func (b *book) move(unit, from, to string, amount micro) {
	b.money[unit+" "+from] -= amount
	b.money[unit+" "+to] += amount
	left := b.money[unit+" "+from]
	b.law(left >= 0 || from == "minted", "%s %s falls to %s", unit, from, left)
}

func (b *book) sum(step string, amount micro) {
	switch step {
	case "pay", "share":
		b.sums.Paid += amount
	case "fee":
		b.sums.Fees += amount
	case "burn":
		b.sums.Burned += amount
	case "slash_share":
		b.sums.Paid += amount
		b.sums.Slashed += amount
	case "slash_burn", "seat_slash_burn":
		b.sums.Burned += amount
		b.sums.Slashed += amount
	case "slash_employer", "slash_treasury", "seat_slash_employer", "seat_slash_treasury":
		b.sums.Slashed += amount
	}
}

// escrowed checks that a job's turn has come: jobs of one employer are funded as
// they were posted, and a child when it is.
func (b *book) escrowed(j *life, amount micro) {
	if j.parent != nil {
		return
	}
	b.law(j.state == "posted" && b.status == "running", "escrow of %s, which is %s in a mission that is %s", j.id, j.state, b.status)
	for _, earlier := range b.order[:j.index] {
		waits := earlier.state == "posted" && !earlier.funded && earlier.reward > 0
		b.law(!waits || b.employer(earlier) != b.employer(j), "%s is funded before %s", j.id, earlier.id)
	}
	b.escrowDue(j)
}

func (b *book) escrowDue(j *life) {
	b.law(!j.funded, "%s is funded twice", j.id)
	j.fee = part(j.reward, b.setting("governance.fee_ratio"))
	j.funded, j.escrow = true, j.reward+j.fee
	j.due("escrow", j.escrow)
}

// locked says what an assignment has to move.
func (b *book) locked(j *life) {
	j.stake = part(j.pay(), b.setting("governance.worker_stake_ratio"))
	j.deposit = cost(j.budgets[0], j.prices[0]) + cost(j.budgets[1], j.prices[1])
	for step, amount := range map[string]micro{"stake": j.stake, "deposit": j.deposit, "energy": j.budgets[0], "compute": j.budgets[1]} {
		j.due(step, amount)
	}
}

// used says what the end of an attempt's work has to move.
func (b *book) used(j *life, energy, compute micro) {
	b.consumed[0] += energy
	b.consumed[1] += compute
	price := cost(energy, j.prices[0]) + cost(compute, j.prices[1])
	j.due("usage", price)
	j.due("deposit_return", j.deposit-price)
	for i, unit := range [...]string{"ENERGY", "COMPUTE"} {
		burned := min(b.owed[unit], j.budgets[i])
		b.owed[unit] -= burned
		j.due(strings.ToLower(unit)+"_burn", burned)
		j.due(strings.ToLower(unit)+"_return", j.budgets[i]-burned)
	}
	j.deposit = 0
}

// unstake gives the worker back what is left of its stake.
func (j *life) unstake(left micro) {
	j.due("stake_return", left)
	j.stake = 0
}

// approved says what an approval has to move.
func (b *book) approved(j *life) {
	left := j.escrow - j.fee
	if voters := j.voters("approve"); len(voters) > 0 && j.answered == nil {
		share := min(left, part(j.pay(), b.setting("governance.validator_reward_ratio"))) / micro(len(voters))
		for _, i := range voters {
			j.due(fmt.Sprintf("share/%d", i), share)
			left -= share
		}
	}
	burn := part(left, b.setting("governance.burn_ratio"))
	j.due("burn", burn)
	j.due("pay", left-burn)
	j.due("fee", j.fee)
	j.unstake(j.stake)
	j.escrow = 0
}

// slashed says what a rejection has to move.
func (b *book) slashed(j *life) {
	slash := part(j.stake, b.setting("governance.slash_ratio"))
	rest := slash
	if voters := j.voters("reject"); len(voters) > 0 {
		share := min(part(j.pay(), b.setting("governance.validator_reward_ratio")), slash) / micro(len(voters))
		for _, i := range voters {
			j.due(fmt.Sprintf("slash_share/%d", i), share)
			rest -= share
		}
	}
	b.shared(j, "slash_", "", rest)
	j.unstake(j.stake - slash)
}

// shared divides what was slashed.
func (b *book) shared(j *life, step, seat string, amount micro) {
	treasury := part(amount, b.setting("governance.slash_shares.treasury"))
	burned := part(amount, b.setting("governance.slash_shares.burn"))
	j.due(step+"treasury"+seat, treasury)
	j.due(step+"burn"+seat, burned)
	j.due(step+"employer"+seat, amount-treasury-burned)
}

// settledSeats says what the end of a round has to move: silence and votes
// against the outcome cost, everything else returns.
func (b *book) settledSeats(j *life) {
	against := map[string]string{"approved": "reject", "rejected": "approve"}[j.round.outcome]
	for i := range j.round.seats {
		s, loss, at := &j.round.seats[i], micro(0), fmt.Sprintf("/%d", i)
		switch {
		case j.round.outcome == "cancelled":
		case s.twice:
			loss = part(s.stake, b.setting("governance.equivocation_ratio"))
		case s.excused:
		case s.vote == "":
			loss = part(s.stake, b.setting("governance.no_reveal_ratio"))
		case s.vote == against:
			loss = part(s.stake, b.setting("governance.wrong_vote_ratio"))
		}
		b.shared(j, "seat_slash_", at, loss)
		j.due("seat_return"+at, s.stake-loss)
		s.stake = 0
	}
}

// voters are the seats that voted so in the round that was decided.
func (j *life) voters(vote string) (seats []int) {
	if j.round == nil {
		return nil
	}
	for i := range j.round.seats {
		if j.round.seats[i].vote == vote {
			seats = append(seats, i)
		}
	}
	return seats
}

// balanced holds the accounts against what the jobs say they should hold.
func (b *book) balanced() {
	sums, should := map[string]micro{}, map[string]micro{}
	for name, amount := range b.money {
		unit, account, _ := strings.Cut(name, " ")
		sums[unit] += amount
		b.law(amount >= 0 || account == "minted", "%s is %s", name, amount)
	}
	for unit, sum := range sums {
		b.law(sum == 0, "%s sums to %s", unit, sum)
	}
	for unit, limit := range b.limit {
		b.law(b.money[unit+" capacity"]+b.money[unit+" reserved"] == limit+b.owed[unit], "%s: %s free and %s reserved do not make %s and %s owed",
			unit, b.money[unit+" capacity"], b.money[unit+" reserved"], limit, b.owed[unit])
	}
	for _, j := range b.order {
		should["job:"+j.id+":escrow"] += j.escrow
		should["job:"+j.id+":deposit"] += j.deposit
		if j.worker != nil {
			should["worker:"+j.worker.id+":stake"] += j.stake
		}
		if j.round != nil {
			for _, s := range j.round.seats {
				should["validator:"+s.validator.id+":stake"] += s.stake
			}
		}
	}
	for name, amount := range b.money {
		account := strings.TrimPrefix(name, "TOKEN ")
		if strings.HasPrefix(account, "job:") || strings.HasSuffix(account, ":stake") {
			b.law(amount == should[account], "%s holds %s where %s is due", account, amount, should[account])
			delete(should, account)
		}
	}
	for account, amount := range should {
		b.law(amount == 0, "%s holds nothing where %s is due", account, amount)
	}
}
