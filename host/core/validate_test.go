package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func validSpec() *Spec {
	s := &Spec{Validators: []ValidatorSpec{{Name: "v", Instances: []string{"v_0", "v_1", "v_2", "v_3"}}}}
	for _, set := range Settings() {
		if set.Default != "" {
			if err := set.Parse(s, set.Default); err != nil {
				panic(err)
			}
		}
	}
	s.Governance.Committee, s.Governance.ApprovalsRequired = 4, 3
	return s
}

func TestProblems(t *testing.T) {
	require.Empty(t, validSpec().Problems())
	for _, c := range []struct {
		change func(*Spec)
		paths  []string
	}{
		{func(s *Spec) { s.Governance.SlashBurn = 1 }, []string{"governance.slash_shares"}},
		{func(s *Spec) { s.Governance.NoRevealRatio = s.Governance.WrongVoteRatio - 1 }, []string{"governance.no_reveal_ratio"}},
		{func(s *Spec) { s.Governance.NoRevealRatio = s.Governance.WrongVoteRatio }, nil},
		{func(s *Spec) { s.Governance.ApprovalsRequired = 2 }, []string{"governance.approvals_required"}},
		{func(s *Spec) { s.Governance.ApprovalsRequired = 5 }, []string{"governance.approvals_required"}},
		{func(s *Spec) { s.Governance.ApprovalsRequired = 4 }, nil},
		{func(s *Spec) { s.Governance.Committee, s.Governance.ApprovalsRequired = 3, 2 }, nil},
		{func(s *Spec) { s.Governance.Committee = 5 }, []string{"governance.committee"}},
		{func(s *Spec) { s.Validators[0].Instances = s.Validators[0].Instances[:2] }, []string{"governance.committee"}},
		{func(s *Spec) { s.Validators, s.Governance.Committee = nil, 0 }, nil},
		{func(s *Spec) { s.Autonomy.PriceFloor = s.Autonomy.PriceCeiling + 1 }, []string{"autonomy.price_floor"}},
		{func(s *Spec) { s.Mission.Owner = "Operator" }, []string{"mission.owner"}},
		{func(s *Spec) { s.Mission.Owner, s.Governance.SlashBurn = "", 1 }, []string{"mission.owner", "governance.slash_shares"}},
	} {
		s := validSpec()
		c.change(s)
		var paths []string
		for _, p := range s.Problems() {
			paths = append(paths, p.Path)
			require.NotEmpty(t, p.Summary)
			require.NotEmpty(t, p.Detail)
		}
		require.Equal(t, c.paths, paths)
	}
}

func TestMajority(t *testing.T) {
	for committee, want := range map[int64]int64{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		require.Equal(t, want, Majority(committee))
	}
}

func TestValidName(t *testing.T) {
	long := "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
	for name, want := range map[string]bool{
		"a": true, "a-1": true, "energy-architect": true, long: true,
		"": false, "-a": false, "1a": false, "A": false, "a_b": false, "a b": false, "é": false, long + "l": false,
	} {
		require.Equal(t, want, ValidName(name), name)
	}
}
