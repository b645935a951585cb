package projection

import (
	"strings"
	"unicode/utf8"
)

// Longest texts from outside that artifacts hold, in bytes, so that one long
// title cannot fill an artifact.
const (
	maxName   = 96
	maxTitle  = 160
	maxDetail = 240
)

// plain makes text from outside fit to be shown on one line of a terminal or a
// page: control characters and marks that turn the direction of writing become
// spaces, and what is longer than most bytes is cut.
func plain(text string, most int) string {
	if len(text) <= most && isPlain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unsafeRune(r) {
			r = ' '
		}
		if b.Len()+utf8.RuneLen(r) > most-len("…") {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// unsafeRune lists what no line should hold. It is written out, not asked of
// package unicode, whose tables change from one version of Go to the next.
func unsafeRune(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, // control characters
		r == 0x2028, r == 0x2029, // line and paragraph separators
		r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, // direction marks
		r == 0xfeff:
		return true
	}
	return false
}
