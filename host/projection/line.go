package projection

import (
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// line is a line of a history while it is written. A member's key comes with
// the punctuation before it: `,"at":`.
type line struct{ b []byte }

func (l *line) raw(text string) { l.b = append(l.b, text...) }

func (l *line) int(key string, n int64) {
	l.b = append(l.b, key...)
	l.b = strconv.AppendInt(l.b, n, 10)
}

func (l *line) amount(key string, a ledger.Amount) {
	l.b = append(append(l.b, key...), '"')
	l.b = append(a.AppendText(l.b), '"')
}

// ratio is written as an amount is: both have six decimals.
func (l *line) ratio(key string, r ledger.Ratio) { l.amount(key, ledger.Amount(r)) }

func (l *line) text(key, text string) {
	l.b = append(l.b, key...)
	l.b = core.AppendString(l.b, text)
}

// word is a text without anything to escape.
func (l *line) word(key, text string) {
	l.b = append(append(l.b, key...), '"')
	l.b = append(append(l.b, text...), '"')
}

// within appends what stands between the quotes of a text.
func (l *line) within(text string) {
	at := len(l.b)
	l.b = core.AppendString(l.b, text)
	l.b = l.b[:at+copy(l.b[at:], l.b[at+1:len(l.b)-1])]
}

func (l *line) digest(key string, d *core.Digest) {
	const digits = "0123456789abcdef"
	l.b = append(append(l.b, key...), '"')
	for _, c := range d {
		l.b = append(l.b, digits[c>>4], digits[c&15])
	}
	l.b = append(l.b, '"')
}
