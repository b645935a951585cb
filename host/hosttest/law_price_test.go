package hosttest

import "slices"

// moved is where the prices go, in the arithmetic of docs/journal.md.
func (b *book) moved() (next [2]micro) {
	smoothing, target := b.setting("autonomy.price_smoothing"), b.setting("autonomy.resource_target")
	for i, unit := range [...]string{"ENERGY", "COMPUTE"} {
		next[i] = b.prices[i]
		if b.money[unit+" minted"] == 0 || smoothing == 0 {
			continue
		}
		use := micro(1e6)
		if limit := b.limit[unit]; limit > 0 {
			use = min(1e6, product(max(0, limit-b.money[unit+" capacity"]), 1e6, limit))
		}
		price := product(b.prices[i], 1e12+smoothing*(use-target), 1e12)
		next[i] = min(max(price, b.setting("autonomy.price_floor")), b.setting("autonomy.price_ceiling"))
	}
	return next
}

// priceDue checks, before an entry, that no instant has gone by at which prices
// had to move.
func (b *book) priceDue(at int64) {
	interval := durationOf(b.settings["autonomy.guardian_interval"])
	if b.settings == nil || interval == 0 || b.status != "running" && b.status != "stopping" || b.moved() == b.prices {
		return
	}
	next := (b.at + interval - 1) / interval * interval
	if next <= b.priced {
		next = b.priced/interval*interval + interval
	}
	b.law(at <= next, "the prices had to move at %d and did not before %d", next, at)
}

func (b *book) pricesSet(e *fact) {
	set, interval := [2]micro{amountOf(e.EnergySet), amountOf(e.ComputeSet)}, durationOf(b.settings["autonomy.guardian_interval"])
	b.law(b.rec.Input.Command == "tick" && interval > 0 && b.at%interval == 0, "prices move at %d by %s", b.at, b.rec.Input.Command)
	b.law(b.at > b.priced || b.priced == 0, "prices move twice at %d", b.at)
	b.law(set == b.moved() && set != b.prices, "prices become %v after %v; the rule says %v", set, b.prices, b.moved())
	b.prices, b.priced = set, b.at
}

// unattended checks what is told of jobs that wait for a worker.
func (b *book) unattended(e *fact) {
	every := durationOf(b.settings["delegation.retry"])
	first := map[string]*life{}
	count := map[string]int64{}
	for _, j := range b.order {
		if !j.is("ready", "rejected") || j.retryAt > b.ripe || b.pausedJob(j) || b.unmended(j) {
			continue
		}
		class := j.class()
		count[class]++
		if first[class] == nil || j.before(first[class]) {
			first[class] = j
		}
	}
	total, since := int64(0), b.at
	for class, j := range first {
		if j.waitsSince()+every <= b.at {
			total += count[class]
			since = min(since, j.waitsSince())
			b.law(total > 16 || slices.Contains(e.Jobs, j.id) || len(e.Jobs) >= 16, "%s waits since %d and is not named", j.id, j.waitsSince())
		}
	}
	b.law(every > 0 && b.rec.Input.Command == "tick" && b.at >= b.reminded+every, "a reminder of waiting jobs at %d after %d", b.at, b.reminded)
	b.law(total > 0 && e.Count == total && e.Since == since, "%d jobs wait since %d, where %d do since %d", e.Count, e.Since, total, since)
	b.reminded = b.at
}

func (j *life) waitsSince() int64 { return max(j.readyAt, j.retryAt) }
