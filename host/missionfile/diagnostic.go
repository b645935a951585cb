package missionfile

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Severity tells a diagnostic that refuses the mission from one that does not.
type Severity string

// Severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one thing to tell the author of a mission: what is wrong in a
// few words, one sentence with the remedy, and where. Lines and columns count
// from 1; 1:1 also stands for a whole file. File is relative to the mission folder,
// "" for what stands in no file: a flag.
type Diagnostic struct {
	Severity  Severity `json:"severity"`
	Summary   string   `json:"summary"`
	Detail    string   `json:"detail"`
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Column    int      `json:"column"`
	EndLine   int      `json:"-"`
	EndColumn int      `json:"-"`
	Snippet   string   `json:"-"` // the source line, without its newline
}

// Diagnostics is a list of them, in the order of the file.
type Diagnostics []Diagnostic

// HasErrors says whether the mission is refused.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// String is one line without the snippet.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s%s: %s: %s", d.place(), d.Severity, d.Summary, d.Detail)
}

// place is where it is, as the beginning of a line.
func (d Diagnostic) place() string {
	if d.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", d.File, d.Line, d.Column)
}

// maxPrinted is how many diagnostics people are shown at once.
const maxPrinted = 20

// Print writes the diagnostics for people: place, snippet with a caret, remedy;
// the first of them, and how many more there are.
// Color adds terminal colours; whether to is the caller's decision.
func (ds Diagnostics) Print(w io.Writer, color bool) error {
	paint := func(code, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	for i, d := range ds {
		if i == maxPrinted {
			_, err := fmt.Fprintf(w, "and %d more; `omega check --json` lists them\n", len(ds)-i)
			return err
		}
		code := "1;31"
		if d.Severity == Warning {
			code = "1;33"
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s\n", d.place(), paint(code, string(d.Severity)), paint("1", d.Summary)); err != nil {
			return err
		}
		if d.Snippet != "" {
			text, caret := d.caret()
			fmt.Fprintf(w, "  %4d | %s\n       | %s\n", d.Line, text, paint(code, caret))
		}
		if d.Detail != "" {
			fmt.Fprintf(w, "  %s\n", d.Detail)
		}
	}
	return nil
}

// Widths of a printed snippet: a window of the line around the caret, so that
// a line of a megabyte does not flood the terminal.
const (
	snippetWidth = 120
	snippetLead  = 60
)

// caret is the printed part of the line, control bytes blanked so that a
// mission cannot steer the terminal, and the marks below it.
func (d Diagnostic) caret() (text, marks string) {
	line := []rune(d.Snippet)
	at := min(max(d.Column-1, 0), len(line))
	from := 0
	if at > snippetLead {
		from = at - snippetLead
	}
	to := min(from+snippetWidth, len(line))
	end := at + 1
	if d.EndLine == d.Line && d.EndColumn > d.Column {
		end = d.EndColumn - 1
	} else if d.EndLine > d.Line {
		end = to
	}
	end = min(max(end, at+1), max(to, at+1))
	var shown strings.Builder
	for _, r := range line[from:to] {
		shown.WriteRune(printable(r))
	}
	return shown.String(), strings.Repeat(" ", at-from) + strings.Repeat("^", end-at)
}

func printable(r rune) rune {
	if r < ' ' || (r >= 0x7f && r < 0xa0) {
		return ' '
	}
	return r
}

// report collects diagnostics, the first per place and at most maxDiagnostics.
type report struct {
	list Diagnostics
	seen map[string]bool
	src  *sourceSet
}

func (r *report) errors() bool { return r.list.HasErrors() }

// full says that more diagnostics would not help anybody.
func (r *report) full() bool { return len(r.list) >= maxDiagnostics }

func (r *report) fail(at hcl.Range, summary, detail string, args ...any) {
	r.add(Error, at, summary, fmt.Sprintf(detail, args...))
}

func (r *report) warn(at hcl.Range, summary, detail string, args ...any) {
	r.add(Warning, at, summary, fmt.Sprintf(detail, args...))
}

func (r *report) add(s Severity, at hcl.Range, summary, detail string) {
	key := fmt.Sprintf("%s %s:%d:%d", s, at.Filename, at.Start.Line, at.Start.Column)
	if at.Empty() && at.Start.Byte == 0 { // the file as a whole: several things may be said of it
		key += summary + detail
	}
	if r.seen[key] || r.full() {
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[key] = true
	r.list = append(r.list, Diagnostic{
		Severity: s, Summary: summary, Detail: detail,
		File: at.Filename, Line: at.Start.Line, Column: at.Start.Column,
		EndLine: at.End.Line, EndColumn: at.End.Column,
		Snippet: r.src.line(at),
	})
}

// addHCL takes over diagnostics of the hcl library. It reports one mistake
// twice at times, the second message misleading: the first per place stays. Its
// order is that of a Go map where attributes are concerned.
func (r *report) addHCL(diags hcl.Diagnostics) {
	for _, d := range slices.SortedStableFunc(slices.Values(diags), bySubject) {
		s, at := Error, wholeFile(r.src.entry)
		if d.Severity == hcl.DiagWarning {
			s = Warning
		}
		if d.Subject != nil {
			at = *d.Subject
		}
		r.add(s, at, strings.TrimSuffix(d.Summary, "."), oneLine(d.Detail))
	}
}

func bySubject(a, b *hcl.Diagnostic) int {
	if a.Subject == nil || b.Subject == nil {
		return 0
	}
	return a.Subject.Start.Byte - b.Subject.Start.Byte
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
