package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// maxAmountBytes is the longest decimal: no 64-bit amount in any scale needs more.
const maxAmountBytes = 40

// source is where an answer stood: the words for what is wrong with it, and for the remedy.
type source struct{ name, must, only, large string }

// printed is standard output.
func printed() source {
	return source{"Standard output ", "the program must print", "print only %s there, and messages on standard error.", "leave large data as files in $OMEGA_OUT."}
}

// sent is the body of a server's answer.
func sent() source {
	return source{"The answer ", "the server must send", "send %s and nothing else.", "keep large data where the result can name it."}
}

// parse reads what an attempt answered: {"result": …, "energy_used": "…", "compute_used": "…"}, or the same
// with "children": […] instead of the result. The amounts may be left out.
func (r *Reply) parse(text []byte, from source) {
	members, err := from.object(text, `{"result": …}`)
	if err != nil {
		r.Fault, r.Detail = FaultBadJSON, from.name+err.Error()
		return
	}
	if r.EnergyUsed, err = usage(members, "energy_used"); err == nil {
		r.ComputeUsed, err = usage(members, "compute_used")
	}
	if err == nil {
		r.Result, r.Children, err = answer(members)
	}
	if err != nil {
		r.Fault, r.Detail = FaultBadJSON, from.name+err.Error()
		return
	}
	if n := len(r.Result) + len(r.Children); n > MaxResultBytes {
		r.Fault, r.Detail = FaultTooLarge, fmt.Sprintf("The result is %d bytes as compact JSON, the limit is %d; %s", n, MaxResultBytes, from.large)
		r.Result, r.Children = nil, nil
	}
}

// Answered is the reply of an attempt that is no program but gives the same answer as a value: text is its
// compact JSON.
func Answered(text []byte, secrets []Secret) (r Reply) {
	if hide(secrets).inOutput(text) {
		return leaked(r)
	}
	var members map[string]json.RawMessage
	err := errors.New(`is not an object; answer {result: …}.`)
	if len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &members) == nil {
		if r.EnergyUsed, err = usage(members, "energy_used"); err == nil {
			r.ComputeUsed, err = usage(members, "compute_used")
		}
	}
	if err == nil {
		r.Result, r.Children, err = answer(members)
	}
	if err != nil {
		return Reply{Fault: FaultBadJSON, Detail: "The answer " + err.Error()}
	}
	return r
}

// Redacted is lines as they may be kept: without secrets, and the last StderrBytes of them.
func Redacted(lines []string, secrets []Secret) []byte {
	if len(lines) == 0 {
		return nil
	}
	text := hide(secrets).redact([]byte(strings.Join(lines, "\n")+"\n"), 0)
	return text[max(0, len(text)-StderrBytes):]
}

// answer is the result or, instead of it, the children.
func answer(members map[string]json.RawMessage) (result, children []byte, err error) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != "result" && name != "children" && name != "energy_used" && name != "compute_used" {
			return nil, nil, fmt.Errorf(`has an unknown member %.80q;%s data belongs inside "result"; beside it, or beside "children" instead of it, only "energy_used" and "compute_used" may stand.`, name, meant(name))
		}
	}
	result, done := members["result"]
	children, more := members["children"]
	switch {
	case done && more:
		return nil, nil, errors.New(`has both "result" and "children"; an attempt ends with one of them, and is run again when its children have ended.`)
	case more && children[0] != '[':
		return nil, nil, errors.New(`has "children" that are not a list of jobs.`)
	case !done && !more:
		return nil, nil, errors.New(`has no member "result".`)
	}
	return result, children, nil
}

// meant is a hint for the words an attempt that hands work on would be likely to use.
func meant(name string) string {
	switch strings.ToLower(name) {
	case "delegate", "delegates", "jobs", "child", "children":
		return ` child jobs are given as "children": […];`
	}
	return ""
}

// object reads the one JSON object that is answered.
func (from source) object(answer []byte, form string) (map[string]json.RawMessage, error) {
	if strings.TrimSpace(string(answer)) == "" {
		return nil, fmt.Errorf("is empty; %s one object %s.", from.must, form)
	}
	text, err := core.CanonicalMax(answer, len(answer)) // its limit was applied while it was read
	if err != nil {
		return nil, fmt.Errorf("is not one JSON value: %s; "+from.only, jsonReason(err), form)
	}
	var members map[string]json.RawMessage
	if text[0] != '{' || json.Unmarshal(text, &members) != nil {
		return nil, fmt.Errorf("is not an object; %s %s.", from.must, form)
	}
	return members, nil
}

// Verdict reads what a validator's program printed: {"vote": "approve", "reason": "…"}; the reason may be left
// out.
func Verdict(stdout []byte) (vote, reason string, err error) {
	members, err := printed().object(stdout, `{"vote": "approve"}`)
	if err != nil {
		return "", "", fmt.Errorf("standard output %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch to := map[string]*string{"vote": &vote, "reason": &reason}[name]; {
		case to == nil:
			return "", "", fmt.Errorf("standard output has an unknown member %.80q", name)
		case json.Unmarshal(members[name], to) != nil:
			return "", "", fmt.Errorf("standard output has a %s that is not text", name)
		}
	}
	if vote != "approve" && vote != "reject" && vote != "abstain" {
		return "", "", fmt.Errorf("standard output has the vote %.80q; it must be approve, reject or abstain", vote)
	}
	return vote, reason, nil
}

func jsonReason(err error) string {
	var reason *core.JSONError
	if errors.As(err, &reason) {
		return fmt.Sprintf("at byte %d, %s", reason.Offset, reason.Reason)
	}
	return err.Error()
}

// usage is the amount of that name, "" when it was not reported.
func usage(members map[string]json.RawMessage, name string) (string, error) {
	raw, ok := members[name]
	if !ok {
		return "", nil
	}
	var amount string
	if raw[0] != '"' || json.Unmarshal(raw, &amount) != nil || !isAmount(amount) {
		return "", fmt.Errorf(`has %q = %.80s; it must be a string holding a decimal number not below 0, without exponent or superfluous zeros, such as "12.5".`, name, raw)
	}
	return amount, nil
}

// isAmount reports whether s is a non-negative decimal in its only form: "0", "12", "0.5", never "-1", "01", "1.0", ".5".
func isAmount(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	if len(s) > maxAmountBytes || !allDigits(whole) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !point || allDigits(fraction) && fraction[len(fraction)-1] != '0'
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
