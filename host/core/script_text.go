package core

import "strings"

// Text says in plain words what an action is.
func (a *Action) Text() string {
	switch a.Do {
	case ActExpedite:
		return "put " + a.Job + " before all others of its skills"
	case ActReprice:
		var prices []string
		if a.Energy > 0 {
			prices = append(prices, "1,000 energy "+a.Energy.String())
		}
		if a.Compute > 0 {
			prices = append(prices, "1,000 compute "+a.Compute.String())
		}
		return "price " + strings.Join(prices, " and ")
	case ActBoost:
		return "raise the reward of " + a.Job + " by " + a.Tokens.String()
	case ActPauseSkill:
		return "start no job that needs " + a.Skill + " for " + a.For.String()
	case ActPost:
		if a.Post == nil {
			return "post a job"
		}
		text := "post " + a.Post.ID
		if a.Post.ID == "" {
			text = "post a job"
		}
		if a.Post.Title != "" {
			text += " (" + a.Post.Title + ")"
		}
		return text + " for " + a.Post.Reward.String()
	case ActSteer:
		return "steer " + a.Target
	}
	return a.Do
}

// About is what an action is done to: a job, a skill, a simulation; "" for
// prices.
func (a *Action) About() string {
	switch {
	case a.Job != "":
		return a.Job
	case a.Skill != "":
		return a.Skill
	case a.Post != nil:
		return a.Post.ID
	}
	return a.Target
}

// Script is what a name stands for in records of faults, "policy.spending",
// "guardian", "strategist.macro" or "validator.clerk"; nil where there is none.
func (s *Spec) Script(name string) *ScriptSpec {
	block, label, _ := strings.Cut(name, ".")
	switch block {
	case "guardian":
		if s.Guardian != nil && label == "" {
			return &s.Guardian.Script
		}
	case "policy":
		for i := range s.Policies {
			if s.Policies[i].Name == label {
				return &s.Policies[i].Script
			}
		}
	case "strategist":
		for i := range s.Strategists {
			if s.Strategists[i].Name == label {
				return &s.Strategists[i].Script
			}
		}
	case "validator":
		for i := range s.Validators {
			if s.Validators[i].Name == label {
				return &s.Validators[i].Script
			}
		}
	}
	return nil
}
