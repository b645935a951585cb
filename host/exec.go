package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// execTask is what an attempt asks of the machine.
func execTask(w core.Work, missionDir, data string) worker.Task {
	j := w.Job
	spec := j.Worker.Spec().Exec
	timeout := spec.Timeout
	if j.Spec.Timeout > 0 {
		timeout = j.Spec.Timeout
	}
	return worker.Task{
		Job: j.Spec.ID, Attempt: int(w.Attempt), Command: spec.Command, Env: spec.Env, Input: execInput(j),
		MissionDir: missionDir, AttemptDir: filepath.Join(data, "work", j.Spec.ID, strconv.FormatInt(w.Attempt, 10)),
		BlobDir: filepath.Join(data, "blobs"), Timeout: time.Duration(timeout) * time.Millisecond,
		MemoryBytes: spec.Memory, OutputBytes: spec.Output,
	}
}

// folders are where a mission's files and its data lie.
type folders struct{ mission, data string }

// judgeTask has a validator's program judge a result.
func (d *desk) judgeTask(j *core.Job, block *core.ValidatorSpec, round, seat int64) worker.Task {
	spec := &block.Exec
	name := fmt.Sprintf("vote-%d-%d", round, seat)
	return worker.Task{
		Job: j.Spec.ID, Attempt: int(j.Attempt), Command: spec.Command, Env: spec.Env, Input: judgeInput(j), Raw: true, Secrets: d.missions.secretsOf(spec.Secrets),
		MissionDir: d.where.mission, AttemptDir: filepath.Join(d.where.data, "work", j.Spec.ID, name),
		BlobDir: filepath.Join(d.where.data, "blobs"), Timeout: time.Duration(spec.Timeout) * time.Millisecond,
		MemoryBytes: spec.Memory, OutputBytes: spec.Output,
	}
}

// judgeInput is what a validator's program reads.
func judgeInput(j *core.Job) []byte {
	in := struct {
		Job    string          `json:"job"`
		Title  string          `json:"title,omitempty"`
		Input  json.RawMessage `json:"input"`
		Result json.RawMessage `json:"result"`
		Files  []judgedFile    `json:"files,omitempty"`
	}{Job: j.Spec.ID, Title: j.Spec.Title, Input: execInput(j), Result: j.Answer.Result}
	for _, f := range j.Answer.Files {
		in.Files = append(in.Files, judgedFile{f.Name, hex.EncodeToString(f.Digest[:]), f.Size})
	}
	b, err := json.Marshal(in)
	if err != nil {
		panic("host: a recorded result is not JSON: " + err.Error())
	}
	return b
}

// judgedFile names a blob: $OMEGA_BLOBS/<digest>.
type judgedFile struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

func execInput(j *core.Job) []byte {
	if j.Spec.Input == nil {
		return []byte("null")
	}
	return j.Spec.Input
}

// attempt is what the world needs to know of a work once the loop has gone on:
// a copy, because a job belongs to the loop.
type attempt struct {
	job    string
	number int64
	lease  core.Seq
	worker string
	kids   int // that earlier attempts have posted
	task   worker.Task
	call   *script.Call    // of a worker that is a script
	asked  *worker.Request // of a worker that asks a server
}

// asker has a server asked; it is a worker's.
type asker func(context.Context, worker.Request) worker.Reply

// run has the attempt run, and gives its reply as a program gives it.
func (a attempt) run(ctx context.Context, exec runner, ask asker, scripts *scripts) worker.Reply {
	switch {
	case a.asked != nil:
		return ask(ctx, *a.asked)
	case a.call == nil:
		return exec(ctx, a.task)
	}
	return scriptReply(a.call.Program, scripts.call(ctx, forWork, a.call), a.task.Secrets)
}

// scriptReply reads what a script answered as what a program printed is read.
func scriptReply(p *script.Program, answer script.Answer, secrets []worker.Secret) worker.Reply {
	reply := worker.Reply{Fault: worker.FaultScript}
	if answer.Fault == nil {
		reply = worker.Answered(answer.Value, secrets)
	} else {
		reply.Detail, reply.MachineLimit = faultText(p, answer.Fault), answer.Fault.Machine()
	}
	reply.Stderr = worker.Redacted(answer.Log, secrets)
	return reply
}

func (l *loop) attemptOf(w core.Work, missionDir, data string) attempt {
	a := attempt{
		job: w.Job.Spec.ID, number: w.Attempt, lease: w.Lease, worker: "worker:" + w.Job.Worker.ID,
		kids: len(w.Job.Children), task: execTask(w, missionDir, data),
	}
	a.task.Children = familyOf(l.state, w.Job)
	spec := w.Job.Worker.Spec()
	a.task.Secrets = l.desk.missions.secretsOf(*spec.Secrets())
	switch spec.Kind {
	case core.ScriptWorker:
		call := l.desk.workCall(l.state, w.Job, &spec.Script)
		a.call, a.task.Secrets = &call, l.desk.missions.allSecrets()
	case core.HTTP:
		a.asked = requestOf(l.state.Mission().Mission, w, &spec.HTTP, a)
	}
	return a
}

// requestOf is what an attempt asks of a server.
func requestOf(mission string, w core.Work, spec *core.HTTPSpec, a attempt) *worker.Request {
	timeout := spec.Timeout
	if w.Job.Spec.Timeout > 0 {
		timeout = w.Job.Spec.Timeout
	}
	return &worker.Request{
		Mission: mission, Job: a.job, Attempt: int(a.number), URL: spec.URL, Headers: spec.Headers, Secrets: a.task.Secrets,
		Input: execInput(w.Job), Kids: a.kids, Children: a.task.Children,
		Timeout: time.Duration(timeout) * time.Millisecond, OutputBytes: spec.Output,
	}
}

// command is what the core is told of a reply. Judge is the host's own
// judgement of a result; nil where there is a council.
func (a attempt) command(r worker.Reply, judge func([]byte) core.Judgement) core.Command {
	fail := func(reason worker.Fault, detail string) core.Command {
		return &core.Failure{Job: a.job, Attempt: a.number, Lease: a.lease, Reason: string(reason), Detail: detail}
	}
	if r.Fault != "" {
		return fail(r.Fault, r.Detail)
	}
	energy, err := usage(r.EnergyUsed)
	if err != nil {
		return fail(worker.FaultBadJSON, fmt.Sprintf("energy_used: %v.", err))
	}
	compute, err := usage(r.ComputeUsed)
	if err != nil {
		return fail(worker.FaultBadJSON, fmt.Sprintf("compute_used: %v.", err))
	}
	if r.Children != nil {
		asked := r.Children
		if a.call != nil {
			asked = childrenInMillis(asked)
		}
		children, err := childrenOf(a.job, a.kids, asked)
		if err != nil {
			return fail(worker.FaultBadJSON, err.Error()+".")
		}
		return &core.Delegate{Job: a.job, Attempt: a.number, Lease: a.lease, EnergyUsed: energy, ComputeUsed: compute, Children: children}
	}
	result := &core.Result{
		Job: a.job, Attempt: a.number, Lease: a.lease, Result: r.Result, EnergyUsed: energy, ComputeUsed: compute, Files: blobs(r.Files),
	}
	if judge != nil {
		verdict := judge(r.Result)
		result.Judged = &verdict
	}
	return result
}

// usage reads what an attempt says it used.
func usage(text string) (ledger.Amount, error) {
	if text == "" {
		return core.Unreported, nil
	}
	amount, err := ledger.ParseAmount(text)
	if err == nil && amount < 0 {
		err = fmt.Errorf("%s is negative", text)
	}
	return amount, err
}

func blobs(files []worker.File) (out []core.File) {
	for _, f := range files {
		file := core.File{Name: f.Name, Size: f.Size}
		if n, err := hex.Decode(file.Digest[:], []byte(f.Digest)); err != nil || n != len(file.Digest) {
			panic("host: a blob without a digest")
		}
		out = append(out, file)
	}
	return out
}

// tidy removes the folder of a job's attempts once the last of them is wiped.
func (a attempt) tidy() { _ = os.Remove(filepath.Dir(a.task.AttemptDir)) }

// LogPath is where the last of an attempt's standard error is kept. It is not
// part of the record: it may name paths of the machine.
func LogPath(data, job string, number int64) string {
	return filepath.Join(data, "logs", job, strconv.FormatInt(number, 10)+".stderr")
}

// keepLog keeps what an attempt wrote to standard error. A log that cannot be
// written is not worth an attempt.
func keepLog(data string, a attempt, r worker.Reply) error {
	if len(r.Stderr) == 0 {
		return nil
	}
	path := LogPath(data, a.job, a.number)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keeping the log of %s/%d: %w", a.job, a.number, err)
	}
	if err := os.WriteFile(path, r.Stderr, 0o600); err != nil {
		return fmt.Errorf("keeping the log of %s/%d: %w", a.job, a.number, err)
	}
	return nil
}

// workCall is the call of a worker that is a script: a function of the job, its
// input and the attempt, so that an attempt that runs again says the same again.
func (d *desk) workCall(s *core.State, j *core.Job, spec *core.ScriptSpec) script.Call {
	limited := *spec
	if j.Spec.Timeout > 0 {
		limited.Timeout = j.Spec.Timeout
	}
	seed := seedOf(s, "worker."+j.Worker.Spec().Name, "work", j.Spec.ID, j.Attempt)
	return d.callOf(&limited, workInput(s, j), scriptView(s, j, spec.Params), j.StartedAt, seed)
}

// workInput is what a script is given to work on.
func workInput(s *core.State, j *core.Job) []byte {
	var p pen
	p.raw(`{"children":[`)
	for i, child := range j.Children {
		p.comma(i)
		p.text(`{"job":`, child.Spec.ID)
		p.text(`,"reason":`, child.Reason)
		p.raw(`,"result":`)
		if child.State == core.JobFinalized {
			p.b = append(p.b, child.Answer.Result...)
		} else {
			p.raw("null")
		}
		p.text(`,"state":`, string(child.State))
		p.text(`,"title":`, child.Spec.Title)
		p.raw("}")
	}
	p.raw(`],"input":` + string(execInput(j)))
	p.text(`,"job":`, j.Spec.ID)
	p.amount(`,"left":`, s.Grantable(j))
	p.texts(`,"skills":`, j.Spec.Skills)
	p.text(`,"title":`, j.Spec.Title)
	p.raw("}")
	return p.b
}

// childrenInMillis reads the bare numbers of durations as scripts mean them.
func childrenInMillis(raw []byte) []byte {
	var all []map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return raw // decoding says what is wrong
	}
	for _, attributes := range all {
		inMillis(attributes)
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic("host: members of JSON are not JSON: " + err.Error())
	}
	return text
}
