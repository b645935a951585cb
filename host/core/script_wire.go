package core

func (p *PolicySpec) fields(c *Codec) {
	c.Text("name", &p.Name)
	for _, setting := range PolicySettings() {
		setting.field(c, setting.Name, p)
	}
	p.Script.rest(c)
}

func (s *StrategistSpec) fields(c *Codec) {
	c.Text("name", &s.Name)
	for _, setting := range StrategistSettings() {
		setting.field(c, setting.Name, s)
	}
	s.Script.rest(c)
}

// rest is what the table of settings does not hold.
func (s *ScriptSpec) rest(c *Codec) {
	c.Hex("script_digest", s.Digest[:])
	c.JSON("params", &s.Params)
}

func (g *GuardianSpec) fields(c *Codec) {
	for _, setting := range GuardianSettings() {
		setting.field(c, setting.Name, g)
	}
	g.Script.rest(c)
	c.Hex("default_digest", g.Default[:])
}

func (r *Ruling) fields(c *Codec) {
	c.Text("hook", &r.Hook)
	c.Text("subject", &r.Subject)
	c.JSON("request", &r.Request)
	records(c, "verdicts", &r.Verdicts)
	c.Text("say", &r.Say)
	c.Text("reason", &r.Reason)
}

func (v *Verdict) fields(c *Codec) {
	c.Text("policy", &v.Policy)
	c.Text("say", &v.Say)
	c.Text("reason", &v.Reason)
	c.Flag("shadow", &v.Shadow)
	c.Hex("script", v.Script[:])
	integer(c, "generation", &v.Generation)
	c.Text("fault", &v.Fault)
}

func (a *Action) fields(c *Codec) {
	c.Text("do", &a.Do)
	c.Text("job", &a.Job)
	c.Text("skill", &a.Skill)
	integer(c, "for", &a.For)
	c.Amount("energy", &a.Energy)
	c.Amount("compute", &a.Compute)
	c.Amount("tokens", &a.Tokens)
	object(c, "post", &a.Post)
	c.Text("target", &a.Target)
	c.JSON("steer", &a.Steer)
	c.Text("why", &a.Why)
}

func (p *PlannedAction) fields(c *Codec) {
	c.Text("id", &p.ID)
	p.Action.fields(c)
	c.Text("outcome", &p.Outcome)
	c.Text("reason", &p.Reason)
}

func (a *Alert) fields(c *Codec) {
	c.Text("severity", &a.Severity)
	c.Text("text", &a.Text)
	c.Text("job", &a.Job)
}

func (e *EditHeld) fields(c *Codec) {
	c.Hex("digest", e.Digest[:])
	c.Texts("removes", &e.Removes)
	c.Texts("drains", &e.Drains)
}

func (e *EditApproved) fields(c *Codec) { c.Hex("digest", e.Digest[:]) }

func (e *ScriptSuspended) fields(c *Codec) {
	c.Text("script", &e.Script)
	integer(c, "faults", &e.Faults)
	c.Text("fallback", &e.Fallback)
	c.Text("fault", &e.Fault)
}

func (e *PlanRecorded) fields(c *Codec) {
	c.Text("steward", &e.Steward)
	c.Seq("seen", &e.Seen)
	c.Hex("script", e.Script[:])
	integer(c, "generation", &e.Generation)
	c.Flag("same", &e.Same)
	c.Text("headline", &e.Headline)
	records(c, "alerts", &e.Alerts)
	c.Texts("recommend", &e.Recommend)
	records(c, "actions", &e.Actions)
	c.JSON("memory", &e.Memory)
	integer(c, "wake", &e.Wake)
	c.Text("fault", &e.Fault)
}

func (e *ActionApproved) fields(c *Codec) { c.Text("action", &e.ID) }

func (e *ActionDropped) fields(c *Codec) {
	c.Text("action", &e.ID)
	c.Text("reason", &e.Reason)
}

func (e *JobExpedited) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Text("by", &e.By)
}

func (e *RewardBoosted) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Amount("tokens", &e.Tokens)
	c.Text("by", &e.By)
}

func (e *SkillPaused) fields(c *Codec) {
	c.Text("skill", &e.Skill)
	integer(c, "until", &e.Until)
	c.Text("by", &e.By)
}

func (e *SkillResumed) fields(c *Codec) { c.Text("skill", &e.Skill) }

func (e *Repriced) fields(c *Codec) {
	c.Amount("energy", &e.Energy)
	c.Amount("compute", &e.Compute)
	c.Text("by", &e.By)
}
