package worker

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestHiddenForms(t *testing.T) {
	for value, printed := range map[string]string{
		"plain-value":   "it is plain-value, indeed",
		"with\"quote\\": `{"a":"with\"quote\\"}`,
		"grüße-an-😀-x":  `"gr\u00fc\u00dfe-an-\ud83d\ude00-x"`,
		"two\nlines":    `two\nlines`,
		" spaced-out\n": "<spaced-out>",
	} {
		h := hide([]Secret{{"A", "other-secret"}, {"B", value}})
		require.True(t, h.in([]byte(printed)), value)
		require.True(t, h.in([]byte(value)), value)
		require.NotContains(t, string(h.redact([]byte(printed), 0)), strings.TrimSpace(value))
		require.False(t, h.in([]byte("nothing of it")))
	}
	require.False(t, hide([]Secret{{"A", "short"}, {"B", ""}, {"C", "     a     "}}).in([]byte("short a")), "what is too short would be found by chance")
	require.False(t, hidden{}.in([]byte("x")))
	h := hide([]Secret{{"A", "canary"}})
	require.True(t, h.inOutput([]byte(`{"result": "\u0063an\u0061ry"}`)), "whatever the escapes")
	require.True(t, h.inOutput([]byte(`{"result": canary`)), "also where it is no JSON")
	require.False(t, h.inOutput([]byte(`{"result": "cana", "b": "ry"}`)))
	require.False(t, hidden{}.inOutput(nil))
}

// TestStreams: a secret is found wherever the pieces of a file are cut.
func TestStreams(t *testing.T) {
	h := hide([]Secret{{"A", "a-secret-value"}})
	const step = 1 << 20
	for _, before := range []int{0, 1, step - 14, step - 13, step - 1, step, step + 13, 3*step - 7} {
		text := append(bytes.Repeat([]byte("x"), before), "a-secret-value and more"...)
		found, err := h.inStream(bytes.NewReader(text))
		require.NoError(t, err)
		require.True(t, found, before)
		found, err = h.inStream(bytes.NewReader(text[:before+13]))
		require.NoError(t, err)
		require.False(t, found, before)
	}
	_, err := h.inStream(iotest.ErrReader(errSecret))
	require.ErrorIs(t, err, errSecret)
}

// TestTailHoldsNoSecret: not even the end of one that begins before what is kept.
func TestTailHoldsNoSecret(t *testing.T) {
	const secret = "0123456789abcdef"
	h := hide([]Secret{{"A", secret}, {"B", "abcdefgh"}})
	for shift := range 3 * len(secret) {
		for _, piece := range []int{1 << 20, 4096, 7} {
			if piece == 7 && shift%11 != 0 {
				continue // slow
			}
			text := strings.Repeat(secret, 3) + strings.Repeat("y", StderrBytes-shift)
			w := &tail{hidden: h}
			for rest := text; rest != ""; {
				n := min(piece, len(rest))
				_, err := w.Write([]byte(rest[:n]))
				require.NoError(t, err)
				rest = rest[n:]
			}
			got := string(w.bytes())
			require.Empty(t, strings.Trim(got, "*y"), "shift %d: %.40q", shift, got)
			require.Equal(t, (shift+len(secret)-1)/len(secret), strings.Count(got, redacted), "shift %d", shift)
		}
	}
	require.Equal(t, "say *** and *** twice, *** end", string(h.redact([]byte("say "+secret+" and abcdefgh twice, "+secret+" end"), 0)))
	require.Equal(t, "*** end", string(h.redact([]byte("say "+secret+" end"), 9)))
	require.Equal(t, " end", string(h.redact([]byte("say "+secret+" end"), 20)))
}
