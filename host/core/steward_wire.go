package core

// stewardsField keeps what the stewards were told, said and asked for. A mission
// without any has none of these members.
func (s *State) stewardsField(c *Codec) {
	listOf(c, "stewards", &s.stewards)
	listOf(c, "proposals", &s.proposals)
	records(c, "paused_skills", &s.pauses)
	c.Seq("happened", &s.happened)
	integer(c, "idle", &s.idle)
}

// listOf is a member holding an array of records that are pointed at.
func listOf[T any, P interface {
	*T
	record
}](c *Codec, name string, v *[]*T) {
	list(c, name, v, func(c *Codec, item **T) {
		if c.reading {
			*item = new(T)
		}
		c.nested(P(*item))
	})
}

func (st *Steward) fields(c *Codec) {
	c.Text("name", &st.Name)
	c.Seq("seen", &st.Seen)
	integer(c, "asked", &st.Asked)
	integer(c, "wake", &st.Wake)
	c.JSON("memory", &st.Memory)
	object(c, "plan", &st.Plan)
}

func (p *Proposal) fields(c *Codec) {
	c.Text("steward", &p.Steward)
	integer(c, "since", &p.Since)
	c.Flag("denied", &p.denied)
	p.PlannedAction.fields(c)
}

func (p *SkillPause) fields(c *Codec) {
	c.Text("skill", &p.Skill)
	integer(c, "until", &p.Until)
	c.Text("by", &p.By)
}

func (b *boost) fields(c *Codec) {
	c.Text("account", &b.account)
	c.Amount("tokens", &b.tokens)
}
