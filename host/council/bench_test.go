package council

import "testing"

// BenchmarkSealedVote is one host-held vote: salt, commitment, layout and box.
func BenchmarkSealedVote(b *testing.B) {
	secret := Secret([32]byte{1}, "v-0")
	sealer := NewSealer(secret)
	public := Derive(secret)[32:]
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		const mission, job = "01J8ZQ4T6M3X9V2K7N5B1C0D8E", "swarm_0123456789ab"
		ballot := Ballot{Mission: mission, Job: job, Round: i, Validator: public, Vote: Approve,
			Reason: ReasonDigest(""), Salt: sealer.Salt(mission, job, i)}
		Commitment(ballot)
		p, err := Plaintext(Approve, "")
		if err != nil {
			b.Fatal(err)
		}
		sealer.Seal(mission, job, i, p[:])
	}
}

func BenchmarkDraw(b *testing.B) {
	candidates := make([]Candidate, 20)
	for i := range candidates {
		candidates[i].Weight = 1_000_000_000
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Draw(Seed(42, [32]byte{1}, "swarm", i), candidates, 5)
	}
}

func BenchmarkTally(b *testing.B) {
	seats := make([]Seat, 5)
	for i := range seats {
		seats[i] = Seat{Stake: 250_000_000, State: Approved}
	}
	b.ReportAllocs()
	for b.Loop() {
		Tally(Rules{Seats: 5, ApprovalsRequired: 3}, seats)
	}
}
