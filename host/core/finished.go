package core

import (
	"slices"
	"strings"
)

// Finished is what the state keeps of a job that has ended and that nothing open
// depends on any more. All else is in the journal, in the entries it names.
type Finished struct {
	ID     string
	State  JobState
	Posted Seq // the entry that posted it
	Result Seq // the entry that fixed its result; 0: it has none
	Ended  Seq // the entry that ended it
}

// finished is a Finished without its id and its state, whose letter stands
// behind the id.
type finished struct{ posted, result, ended Seq }

const stateLetters = "FfCES"

var terminalStates = [...]JobState{JobFinalized, JobFailed, JobCancelled, JobExpired, JobSkipped}

func letterOf(state JobState) string {
	i := slices.Index(terminalStates[:], state)
	if i < 0 {
		panic("core: a job is put away as " + string(state))
	}
	return stateLetters[i : i+1]
}

func stateOf(letter []byte) JobState {
	return terminalStates[strings.IndexByte(stateLetters, letter[0])]
}

// Finished finds a job that has ended and has been put away.
func (s *State) Finished(id string) (f Finished, ok bool) {
	ok = s.done.find(id, func(r *finished, letter []byte) bool {
		f = Finished{id, stateOf(letter), r.posted, r.result, r.ended}
		return true
	})
	return f, ok
}

// ending is the terminal state of a job, "" for one that is open or unknown.
func (s *State) ending(id string) JobState {
	if j := s.jobs[id]; j != nil {
		if j.State.Terminal() {
			return j.State
		}
		return ""
	}
	f, _ := s.Finished(id)
	return f.State
}

// known reports whether there is or ever was a job of this id.
func (s *State) known(id string) bool { return s.jobs[id] != nil || s.ending(id) != "" }

// Ended are the jobs that the last entry ended, whole.
func (s *State) Ended() []*Job { return s.ended }

// beforeReady reports whether a job may still ask for what the jobs it needs
// have come to.
func (j *Job) beforeReady() bool {
	return j.State == JobPostedState || j.State == JobAwaiting && j.asked.in == JobPostedState
}

// idleEnd reports whether a job has ended and nothing open depends on it: no
// posted job needs it and its parent, if it has one, has ended too.
func (s *State) idleEnd(j *Job) bool {
	if j.group == nil || !j.State.Terminal() || j.wanted > 0 {
		return false
	}
	return j.Parent == nil || j.Parent.State.Terminal()
}

func (f *Finished) fields(c *Codec) {
	c.Text("job", &f.ID)
	c.Text("state", (*string)(&f.State))
	c.Seq("posted", &f.Posted)
	c.Seq("result", &f.Result)
	c.Seq("ended", &f.Ended)
}

// finishedPage is a page of finished jobs in the sealed state.
type finishedPage page[finished]

func (p *finishedPage) fields(c *Codec) {
	var all []Finished
	if !c.reading {
		for i := range p.rows {
			id, letter := (*page[finished])(p).text(i)
			r := &p.rows[i].record
			all = append(all, Finished{string(id), stateOf(letter), r.posted, r.result, r.ended})
		}
	}
	records(c, "finished", &all)
	if !c.reading {
		return
	}
	for i := range all {
		f := &all[i]
		if !f.State.Terminal() {
			c.fail("a finished job that has not ended")
			return
		}
		c.state.done.add(f.ID, letterOf(f.State), 0, finished{f.Posted, f.Result, f.Ended})
	}
}
