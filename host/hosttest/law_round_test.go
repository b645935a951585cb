package hosttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
)

// judged takes an event of a round.
func (b *book) judged(j *life, e *fact) {
	if e.Type != "round_opened" {
		b.law(j.round != nil && j.round.number == e.Round && j.round.outcome == "", "%s of round %d of %s, which is not open", e.Type, e.Round, j.id)
		if b.broken != nil {
			return
		}
	}
	switch e.Type {
	case "round_opened":
		b.opened(j, e)
		b.drawn(j, e)
	case "votes_committed":
		b.committed(j, e)
	case "reveal_opened":
		b.revealOpened(j, e)
	case "seats_reminded":
		b.remindedSeats(j, e)
	case "seat_equivocated":
		b.equivocated(j, e)
	case "votes_revealed":
		b.revealed(j, e)
	case "votes_abstained":
		for _, i := range e.Silent {
			b.law(j.is("committing", "revealing") && i >= 0 && i < len(j.round.seats) && j.round.seats[i].commitment != "" && j.round.seats[i].vote == "" && j.round.seats[i].validator.kind != "outside", "seat %d of %s abstains in state %s", i, j.id, j.state)
			if b.broken == nil {
				j.round.seats[i].vote = "abstain"
			}
		}
	case "round_closed":
		b.closed(j, e)
	default:
		b.law(false, "an event of no known type: %s", e.Type)
	}
}

func (b *book) opened(j *life, e *fact) {
	b.law(j.state == "submitted" && b.status == "running" && e.Round == j.rounds+1, "round %d of %s opens in state %s after %d", e.Round, j.id, j.state, j.rounds)
	b.law(int64(len(e.seated())) == b.count("governance.committee"), "round %d of %s has %d seats", e.Round, j.id, len(e.seated()))
	b.law(e.Due == b.at+durationOf(b.settings["governance.commit_window"]), "round %d of %s commits until %d", e.Round, j.id, e.Due)
	stake, sat := b.setting("governance.validator_stake"), map[string]bool{}
	j.rounds, j.state, j.last2 = e.Round, "committing", j.round
	j.round = &round{number: e.Round, begun: b.seq, opened: b.at, from: b.at, until: e.Due, due: e.Due}
	for i, id := range e.seated() {
		v := b.validators[id]
		b.law(v != nil && !v.draining && !sat[id], "seat %d of %s is %s", i, j.id, id)
		sat[id] = true
		j.round.seats = append(j.round.seats, seat{validator: v, stake: stake})
		j.due(fmt.Sprintf("seat/%d", i), stake)
	}
}

// done reports whether every seat has done what its phase asks for, and whether
// any has committed.
func (r *round) done() (all, committed bool) {
	all = true
	for i := range r.seats {
		all = all && r.seats[i].commitment != ""
		committed = committed || r.seats[i].commitment != "" && r.seats[i].vote == "" && !r.seats[i].twice
	}
	return all, committed
}

func (b *book) committed(j *life, e *fact) {
	b.law(j.state == "committing" && b.status != "paused", "votes on %s in state %s", j.id, j.state)
	for _, v := range e.Votes {
		b.law(v.Seat < len(j.round.seats) && j.round.seats[v.Seat].commitment == "" && v.Commitment != "", "seat %d of %s commits again", v.Seat, j.id)
		if b.broken == nil {
			b.signed(j, &j.round.seats[v.Seat], v.Commitment, v.Signature, v.Box)
		}
		for i := range j.round.seats {
			b.law(j.round.seats[i].commitment != v.Commitment, "seat %d of %s copies a commitment", v.Seat, j.id)
		}
		if b.broken == nil {
			j.round.seats[v.Seat].commitment = v.Commitment
		}
	}
}

func (b *book) revealed(j *life, e *fact) {
	b.law(j.state == "revealing" && b.status != "paused", "reveals of %s in state %s", j.id, j.state)
	for _, v := range e.Votes {
		b.law(v.Seat < len(j.round.seats) && j.round.seats[v.Seat].vote == "" && !j.round.seats[v.Seat].twice, "seat %d of %s reveals again", v.Seat, j.id)
		if b.broken != nil {
			return
		}
		s := &j.round.seats[v.Seat]
		b.law(b.commitment(j, s, v.Vote, v.Reason, v.Salt) == s.commitment, "seat %d of %s reveals what it did not commit to", v.Seat, j.id)
		s.vote = v.Vote
	}
	b.heardJuries(j, e)
}

// commitment is the layout of docs/journal.md, written out once more.
func (b *book) commitment(j *life, s *seat, vote, reason, salt string) string {
	h := sha256.New()
	field := func(bytes []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(bytes)))
		h.Write(n[:])
		h.Write(bytes)
	}
	unhex := func(text string) []byte {
		raw, err := hex.DecodeString(text)
		b.law(err == nil && len(raw) == 32, "%q is no hex", text)
		return raw
	}
	grain, err := base64.StdEncoding.DecodeString(salt)
	b.law(err == nil && (len(grain) == 32 || salt == ""), "%q is no salt", salt)
	grain = append(grain, make([]byte, 32-len(grain))...) // zeros are left out
	said := sha256.Sum256([]byte(reason))
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(j.round.number))
	for _, bytes := range [][]byte{
		[]byte("omega.commit/v1"), []byte(b.mission), []byte(j.id), number[:], unhex(s.validator.key), unhex(j.digest), []byte(vote), said[:], grain,
	} {
		field(bytes)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (b *book) closed(j *life, e *fact) {
	var absent []int
	waiting := false
	for i := range j.round.seats {
		s := &j.round.seats[i]
		if s.vote == "" {
			s.excused = j.state == "committing" && s.commitment != "" && !s.twice // it could not reveal
			if !s.twice && !s.excused {
				absent = append(absent, i)
				waiting = waiting || s.commitment != ""
			}
		}
	}
	b.remindedInTime(j, e.Outcome == "cancelled")
	late := j.fact.Window > 0 && b.at >= j.round.opened+j.fact.Window
	all, some := j.round.done()
	switch {
	case e.Outcome == "cancelled":
	case e.Outcome == "undecided" && late:
	default:
		b.law(e.Outcome == b.tally(j), "round %d of %s is %s; the votes say %s", e.Round, j.id, e.Outcome, b.tally(j))
		b.law(!waiting && j.state == "revealing" || !some && (all || b.at >= j.round.due) || j.state == "revealing" && b.at >= j.round.due, "round %d of %s closes early", e.Round, j.id)
	}
	if e.Outcome != "cancelled" {
		b.law(slices.Equal(absent, e.Absent), "round %d of %s lacks %v, it says %v", e.Round, j.id, absent, e.Absent)
		for i := range j.round.seats {
			v := j.round.seats[i].validator
			if v.missed++; !slices.Contains(absent, i) {
				v.missed = 0
			}
		}
	}
	j.round.outcome = e.Outcome
	b.settledSeats(j)
	if e.Outcome == "undecided" {
		j.state, j.undecided = "submitted", j.undecided+1
	}
}

// tally counts a round by the rules of quorum.
func (b *book) tally(j *life) string {
	count, stake := map[string]int{}, map[string]micro{}
	revealed, weight := 0, micro(0)
	for _, s := range j.round.seats {
		if s.vote != "" {
			revealed++
			count[s.vote]++
			stake[s.vote] += s.stake
			weight += s.stake
		}
	}
	seats := len(j.round.seats)
	switch {
	case revealed*3 < seats*2:
	case int64(count["approve"]) >= b.count("governance.approvals_required") && stake["approve"]*3 >= weight*2:
		return "approved"
	case count["reject"] >= seats/2+1 && stake["reject"]*3 >= weight*2:
		return "rejected"
	}
	return "undecided"
}

func (b *book) revealOpened(j *life, e *fact) {
	b.remindedInTime(j, false)
	done, some := j.round.done()
	b.law(j.state == "committing" && some && (done || b.at >= j.round.due), "%s reveals in state %s before %d", j.id, j.state, j.round.due)
	j.state, j.round.from, j.round.due, j.round.reminded = "revealing", b.at, e.Due, false
	j.round.until = e.Due - durationOf(b.settings["governance.validator_timeout"])
	b.law(e.Due == b.at+durationOf(b.settings["governance.reveal_window"])+durationOf(b.settings["governance.validator_timeout"]), "round %d of %s reveals until %d", e.Round, j.id, e.Due)
}

// waits lists the seats that have not answered in this phase.
func (j *life) waits() (seats []int) {
	for i := range j.round.seats {
		s := &j.round.seats[i]
		if !s.twice && (j.state == "committing" && s.commitment == "" || j.state == "revealing" && s.commitment != "" && s.vote == "") {
			seats = append(seats, i)
		}
	}
	return seats
}

// remindedSeats checks a reminder: once a phase, to those who are silent, when a
// quarter of it is left.
func (b *book) remindedSeats(j *life, e *fact) {
	at := j.round.until - (j.round.until-j.round.from)/4
	b.law(!j.round.reminded && b.at >= at && b.at < j.round.due, "seats of %s are reminded at %d, where %d is due until %d", j.id, b.at, at, j.round.due)
	b.law(e.Phase == map[string]string{"committing": "commit", "revealing": "reveal"}[j.state], "seats of %s are reminded to %s in state %s", j.id, e.Phase, j.state)
	b.law(slices.Equal(e.silent(), j.waits()) && len(j.waits()) > 0, "the seats %v of %s are reminded, %v are silent", e.silent(), j.id, j.waits())
	j.round.reminded = true
}

// remindedInTime checks that no phase has run to its end in silence.
func (b *book) remindedInTime(j *life, cut bool) {
	if cut || !j.is("committing", "revealing") || b.at < j.round.due || len(j.waits()) == 0 || (j.round.until-j.round.from)/4 == 0 && j.round.until == j.round.due {
		return
	}
	b.law(j.round.reminded, "seats %v of %s were not reminded before %d", j.waits(), j.id, j.round.due)
}

// signed checks who vouches for a commitment: an outside seat signs it and seals
// nothing, the host seals it and signs nothing.
func (b *book) signed(j *life, s *seat, commitment, signature, box string) {
	if s.validator.kind != "outside" {
		b.law(signature == "" && box != "", "%s votes on %s as if it held its own key", s.validator.id, j.id)
		return
	}
	b.law(box == "" && vouched(s.validator.key, placed(b.mission, j.id, j.round.number, unbase64(commitment)), signature), "the commitment of %s on %s is not signed by it", s.validator.id, j.id)
}

// vouched verifies a signature.
func vouched(key string, said []byte, signature string) bool {
	public, err1 := hex.DecodeString(key)
	sig, err2 := base64.StdEncoding.DecodeString(signature)
	return err1 == nil && err2 == nil && len(public) == ed25519.PublicKeySize && ed25519.Verify(public, said, sig)
}

// placed is what is signed of a commitment, as docs/journal.md says.
func placed(mission, job string, round int64, commitment []byte) (said []byte) {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(round))
	for _, field := range [][]byte{[]byte("omega.vote/v1"), []byte(mission), []byte(job), number[:], commitment} {
		said = append(binary.BigEndian.AppendUint64(said, uint64(len(field))), field...)
	}
	return said
}

// equivocated checks the proof against a seat.
func (b *book) equivocated(j *life, e *fact) {
	b.law(j.is("committing", "revealing") && b.status != "paused" && e.Seat >= 0 && e.Seat < len(j.round.seats), "seat %d of %s is accused in state %s", e.Seat, j.id, j.state)
	if b.broken != nil {
		return
	}
	s := &j.round.seats[e.Seat]
	b.law(s.validator.kind == "outside" && s.commitment != "" && s.commitment != e.Commitment && !s.twice && s.vote == "", "seat %d of %s has not committed twice", e.Seat, j.id)
	b.law(vouched(s.validator.key, placed(b.mission, j.id, j.round.number, unbase64(e.Commitment)), e.Signature), "the second commitment of seat %d of %s is not signed by it", e.Seat, j.id)
	for i := range j.round.seats {
		b.law(j.round.seats[i].commitment != e.Commitment, "the second commitment of seat %d of %s is another's", e.Seat, j.id)
	}
	s.twice = true
}

// drawn draws the committee once more, by big numbers.
func (b *book) drawn(j *life, e *fact) {
	stake := b.setting("governance.validator_stake")
	var pool [2][]*member // those of the last round and the habitually absent come last
	for _, v := range b.council {
		if v.draining || b.money["TOKEN validator:"+v.id] < stake {
			continue
		}
		last := v.missed >= 2
		if j.last2 != nil {
			last = last || slices.ContainsFunc(j.last2.seats, func(s seat) bool { return s.validator == v })
		}
		pool[map[bool]int{true: 1}[last]] = append(pool[map[bool]int{true: 1}[last]], v)
	}
	words := b.words(j, e.Round)
	var seats []string
	for _, rest := range pool {
		for len(rest) > 0 && len(seats) < int(b.count("governance.committee")) {
			i := b.share(rest, words, stake)
			seats = append(seats, rest[i].id)
			rest = slices.Delete(slices.Clone(rest), i, i+1)
		}
	}
	b.law(slices.Equal(seats, e.seated()), "round %d of %s seats %q, the draw says %q", e.Round, j.id, e.seated(), seats)
}

// words is the stream of a draw.
func (b *book) words(j *life, number int64) func() *big.Int {
	var p []byte
	field := func(f []byte) { p = append(binary.BigEndian.AppendUint64(p, uint64(len(f))), f...) }
	eight := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	seed, _ := strconv.ParseInt(b.settings["mission.seed"], 10, 64)
	prev, _ := hex.DecodeString(j.drawnBy)
	for _, f := range [][]byte{[]byte("omega.draw/v1"), eight(uint64(seed)), prev, []byte(j.id), eight(uint64(number))} {
		field(f)
	}
	start, n := sha256.Sum256(p), 0
	return func() *big.Int {
		block := sha256.Sum256(append(start[:], eight(uint64(n/4))...))
		n++
		return new(big.Int).SetBytes(block[(n-1)%4*8:][:8])
	}
}

// share is whose share of the weights the next word falls into.
func (b *book) share(rest []*member, words func() *big.Int, stake micro) int {
	total := new(big.Int)
	weight := func(v *member) *big.Int {
		return big.NewInt(int64(max(1, min(b.money["TOKEN validator:"+v.id], 4*stake))))
	}
	for _, v := range rest {
		total.Add(total, weight(v))
	}
	all := new(big.Int).Lsh(big.NewInt(1), 64)
	limit := new(big.Int).Sub(all, new(big.Int).Mod(all, total))
	x := words()
	for x.Cmp(limit) >= 0 {
		x = words()
	}
	x.Mod(x, total)
	for i, v := range rest {
		if x.Cmp(weight(v)) < 0 {
			return i
		}
		x.Sub(x, weight(v))
	}
	return -1
}
