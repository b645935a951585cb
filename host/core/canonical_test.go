package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// acceptedJSON: text → canonical form ("" = the text itself).
var acceptedJSON = []struct{ in, want string }{
	// scalars
	{`null`, ``}, {`true`, ``}, {`false`, ``}, {`""`, ``}, {`"a"`, ``}, {`0`, ``}, {`-0`, ``}, {`1`, ``}, {`-1`, ``},
	{`10`, ``}, {`1234567890123456789012345678901234567890`, ``}, {`0.0`, ``}, {`1.50`, ``}, {`-0.1`, ``},
	{`0e0`, ``}, {`0E+1`, ``}, {`1e5`, ``}, {`1E-5`, ``}, {`1.0e+05`, ``}, {`1e400`, ``}, {`1e-400`, ``}, {`0.00e00`, ``},
	// white space
	{" 1", `1`}, {"1\n", `1`}, {"\t\r\n 1 \t\r\n", `1`}, {" [ ] ", `[]`}, {"{\n}", `{}`},
	{"[ 1 ,\t2\r,\n3 ]", `[1,2,3]`}, {"{ \"a\" : 1 , \"b\"\t:\n2 }", `{"a":1,"b":2}`},
	// arrays
	{`[]`, ``}, {`[[]]`, ``}, {`[null,1,"1",{}]`, ``}, {`[[],[[]],{}]`, ``}, {`[""]`, ``}, {`[1,null,null,2]`, ``},
	// objects: order of keys is by bytes of the decoded key
	{`{}`, ``}, {`{"":0}`, ``}, {`{"b":1,"a":2}`, `{"a":2,"b":1}`}, {`{"a":1,"A":2}`, `{"A":2,"a":1}`},
	{`{"10":1,"9":2,"1":3}`, `{"1":3,"10":1,"9":2}`}, {`{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
	{`{"é":1,"z":2}`, `{"z":2,"é":1}`}, {"{\"\U0001F600\":1,\"\uFFFD\":2}", "{\"\uFFFD\":2,\"\U0001F600\":1}"},
	{`{"\u0062":1,"a":2}`, `{"a":2,"b":1}`}, {`{"\"":1,"!":2}`, `{"!":2,"\"":1}`}, {`{"]":1,"\\":2,"[":3}`, `{"[":3,"\\":2,"]":1}`},
	{`{"\n":1,"\u0001":2}`, `{"\u0001":2,"\n":1}`}, {`{"z":{"y":1,"x":[{"d":1,"c":2}]},"a":{}}`, `{"a":{},"z":{"x":[{"c":2,"d":1}],"y":1}}`},
	{`{"a":{"a":1},"b":{"a":1}}`, ``}, {`[{"a":1},{"a":1}]`, ``}, {`{"\u00e9":1,"e\u0301":2}`, "{\"e\u0301\":2,\"\u00e9\":1}"},
	// strings: the fewest escapes
	{`"\""`, ``}, {`"\\"`, ``}, {`"\/"`, `"/"`}, {`"/"`, ``}, {`"\b\f\n\r\t"`, ``}, {`"\u0008\u000c\u000A\u000d\u0009"`, `"\b\f\n\r\t"`},
	{`"\u0000"`, ``}, {`"\u001F"`, `"\u001f"`}, {`"\u000b"`, ``}, {`"\u0020"`, `" "`}, {`"\u0022"`, `"\""`}, {`"\u005C"`, `"\\"`}, {`"\u002f"`, `"/"`},
	{`"\u0041\u00e9\u20ac"`, `"Aé€"`}, {`"\uD83D\uDE00"`, "\"\U0001F600\""}, {`"\ud800\udc00"`, "\"\U00010000\""}, {`"\uDBFF\uDFFF"`, "\"\U0010FFFF\""},
	{`"\uFFFF"`, "\"\uFFFF\""}, {`"\uFDD0"`, "\"\uFDD0\""}, {`"\uFEFF"`, "\"\uFEFF\""}, {"\"\u2028\u2029\"", ``}, {`"\u2028"`, "\"\u2028\""},
	{"\"\x7f\"", ``}, {`"\u007F"`, "\"\x7f\""}, {`"\u0080"`, "\"\u0080\""}, {"\"\u00a0\"", ``}, {"\"\U0010FFFF\"", ``}, {`"\uFFFD"`, "\"\uFFFD\""},
	{`"<>&'"`, ``}, {`"// not a comment /* */"`, ``}, {`"[1,2"`, ``}, {`"\\u0041"`, ``}, {`"a\\\"b"`, ``}, {`"null"`, ``},
	{`"x\u0000y"`, ``}, {`"\uD7FF\uE000"`, "\"\uD7FF\uE000\""}, {`"日本語"`, ``},
}

// refusedJSON: text → byte offset and a part of the reason.
var refusedJSON = []struct {
	in     string
	offset int
	reason string
}{
	// nothing, or not a value
	{"", 0, "end of text"}, {" ", 1, "end of text"}, {"\n\t", 2, "end of text"}, {"]", 0, "value"}, {"}", 0, "value"}, {",", 0, "value"}, {":", 0, "value"},
	{"*", 0, "value"}, {"é", 0, "value"}, {"\x00", 0, "value"}, {"\u00a01", 0, "value"}, {"\u20281", 0, "value"}, {"\v1", 0, "value"}, {"\f1", 0, "value"}, {"\xef\xbb\xbf1", 0, "byte order mark"},
	{"\u2060[]", 0, "value"}, {"1\x00", 1, "after"}, {"# x\n1", 0, "value"}, {"//\n1", 0, "value"}, {"/**/1", 0, "value"}, {"1//", 1, "after"}, {"'a'", 0, "value"}, {"a", 0, "value"}, {"undefined", 0, "value"},
	// literals
	{"nul", 0, "null"}, {"nulL", 0, "null"}, {"n", 0, "null"}, {"tru", 0, "true"}, {"True", 0, "value"}, {"TRUE", 0, "value"}, {"fals", 0, "false"}, {"falsey", 5, "after"}, {"truetrue", 4, "after"},
	{"NaN", 0, "value"}, {"Infinity", 0, "value"}, {"-Infinity", 1, "digit"}, {"-NaN", 1, "digit"}, {"Inf", 0, "value"},
	// numbers
	{"-", 1, "digit"}, {"+1", 0, "value"}, {"--1", 1, "digit"}, {"+-1", 0, "value"}, {"01", 1, "leading zero"}, {"-01", 2, "leading zero"}, {"00", 1, "leading zero"}, {"-00", 2, "leading zero"}, {"012.3", 1, "leading zero"},
	{".5", 0, "value"}, {"-.5", 1, "digit"}, {"1.", 2, "point"}, {"1.e5", 2, "point"}, {"0.", 2, "point"}, {"1..2", 2, "point"}, {"1.2.3", 3, "after"}, {"1e", 2, "exponent"}, {"1e+", 3, "exponent"}, {"1E-", 3, "exponent"},
	{"0e", 2, "exponent"}, {"1ee5", 2, "exponent"}, {"1e5e5", 3, "after"}, {"1e1.5", 3, "after"}, {"1e+-5", 3, "exponent"}, {"0x1F", 1, "after"}, {"0b1", 1, "after"}, {"1_000", 1, "after"}, {"1 000", 2, "after"}, {"1,5", 1, "after"},
	{"1a", 1, "after"}, {"- 1", 1, "digit"}, {"１", 0, "value"}, {"-１", 1, "digit"}, {"1n", 1, "after"}, {"[1.]", 3, "point"}, {"[-]", 2, "digit"}, {"[01]", 2, "leading zero"}, {"1+2", 1, "after"},
	// arrays
	{"[", 1, "value"}, {"[1", 2, ", or ]"}, {"[1,", 3, "value"}, {"[1,]", 3, "value"}, {"[,1]", 1, "value"}, {"[,]", 1, "value"}, {"[1,,2]", 3, "value"}, {"[1 2]", 3, ", or ]"}, {"[1}", 2, ", or ]"}, {"[1:2]", 2, ", or ]"},
	{"[]]", 2, "after"}, {"[][]", 2, "after"}, {"[[]", 3, ", or ]"}, {`["a`, 3, "unterminated"}, {`["a",`, 5, "value"}, {"[1;2]", 2, ", or ]"}, {"[a]", 1, "value"}, {"[*]", 1, "value"}, {"[1\n,\n2", 6, ", or ]"}, {"[\v]", 1, "value"}, {`[""`, 3, ", or ]"},
	// objects
	{"{", 1, "key"}, {`{"a"`, 4, ":"}, {`{"a":`, 5, "value"}, {`{"a":1`, 6, ", or }"}, {`{"a":1,`, 7, "key"}, {`{"a":1,}`, 7, "key"}, {`{,}`, 1, "key"}, {`{"a"}`, 4, ":"}, {`{"a" 1}`, 5, ":"}, {`{"a":}`, 5, "value"},
	{`{:1}`, 1, "key"}, {`{a:1}`, 1, "key"}, {`{'a':1}`, 1, "key"}, {`{1:1}`, 1, "key"}, {`{null:1}`, 1, "key"}, {`{[]:1}`, 1, "key"}, {`{"a":1 "b":2}`, 7, ", or }"}, {`{"a":1]`, 6, ", or }"}, {`{"a"::1}`, 5, "value"}, {`{"a":1,,"b":2}`, 7, "key"},
	{`{"a":1}}`, 7, "after"}, {`{}{}`, 2, "after"}, {`{"a","b"}`, 4, ":"}, {`{"a"=1}`, 4, ":"}, {`{"a":1/*c*/}`, 6, ", or }"}, {`{"a":1}#`, 7, "after"}, {`{"a":b}`, 5, "value"}, {`{"a`, 3, "unterminated"}, {`{"a":"b`, 7, "unterminated"},
	// duplicate keys
	{`{"a":1,"a":1}`, 7, `duplicate key "a"`}, {`{"a":1,"b":2,"a":3}`, 13, `"a"`}, {`{"a":1,"\u0061":2}`, 7, `"a"`}, {`{"":1,"":2}`, 6, `""`}, {`{"/":1,"\/":2}`, 7, `"/"`}, {`[{"x":{"k":1,"k":2}}]`, 13, `"k"`},
	{`{"\n":1,"\u000a":2}`, 8, `"\n"`}, {`{"😀":1,"\ud83d\ude00":2}`, 10, reasonDuplicate}, {`{"` + strings.Repeat("k", 99) + `":1,"` + strings.Repeat("k", 99) + `":2}`, 105, "…"},
	// strings
	{`"`, 1, "unterminated"}, {`"a`, 2, "unterminated"}, {`"\"`, 3, "unterminated"}, {`"a" b`, 4, "after"}, {`""x`, 2, "after"}, {"\"a\nb\"", 2, "control"}, {"\"\t\"", 1, "control"}, {"\"\x00\"", 1, "control"}, {"\"\x1f\"", 1, "control"}, {"\"\\n\x01\"", 3, "control"},
	{`"\a"`, 2, "escape"}, {`"\x41"`, 2, "escape"}, {`"\'"`, 2, "escape"}, {`"\0"`, 2, "escape"}, {`"\ "`, 2, "escape"}, {`"\é"`, 2, "escape"}, {"\"\\\x00\"", 2, "escape"}, {`"\v"`, 2, "escape"}, {`"\U0041"`, 2, "escape"}, {`"\`, 2, "escape"}, {"\"\\\n\"", 2, "escape"}, {`"\🌀"`, 2, "escape"},
	{`"\u"`, 3, "hexadecimal"}, {`"\u1"`, 4, "hexadecimal"}, {`"\u123"`, 6, "hexadecimal"}, {`"\u12G4"`, 5, "hexadecimal"}, {`"\u{41}"`, 3, "hexadecimal"}, {`"\u 041"`, 3, "hexadecimal"}, {`"\u+041"`, 3, "hexadecimal"}, {`"\u00`, 5, "hexadecimal"}, {`"\uD800\u12"`, 11, "hexadecimal"}, {`"\uD800\uZ`, 9, "hexadecimal"},
	// surrogates
	{`"\uD800"`, 1, reasonSurrogate}, {`"\uDC00"`, 1, reasonSurrogate}, {`"a\uDBFFb"`, 2, reasonSurrogate}, {`"\uD800\uD800"`, 1, reasonSurrogate}, {`"\uD800\u0041"`, 1, reasonSurrogate}, {`"\uDC00\uD800"`, 1, reasonSurrogate}, {`"\uD800\n"`, 1, reasonSurrogate},
	{`"\uD83D\uDE00\uDE00"`, 13, reasonSurrogate}, {`{"\uD800":1}`, 2, reasonSurrogate}, {`"\uDFFF"`, 1, reasonSurrogate}, {`"\uD800\\uDC00"`, 1, reasonSurrogate},
	// UTF-8
	{"\"\xff\"", 1, reasonUTF8}, {"\"\x80\"", 1, reasonUTF8}, {"\"\xc0\xaf\"", 1, reasonUTF8}, {"\"\xe0\x80\xaf\"", 1, reasonUTF8}, {"\"\xed\xa0\x80\"", 1, reasonUTF8}, {"\"\xf4\x90\x80\x80\"", 1, reasonUTF8}, {"\"\xf8\x88\x80\x80\x80\"", 1, reasonUTF8}, {"\"a\xe2\x82\"", 2, reasonUTF8},
	{"[\xff]", 1, reasonUTF8}, {"1\xe9", 1, reasonUTF8}, {"{\"\xe9\":1}", 2, reasonUTF8}, {"\xff\xfe1\x00", 0, reasonUTF8}, {"\"é\xf0\x9f\x98", 3, reasonUTF8},
	// depth
	{strings.Repeat("[", MaxJSONDepth+1) + strings.Repeat("]", MaxJSONDepth+1), MaxJSONDepth, reasonDepth}, {strings.Repeat(`{"a":`, 1_000_000/5), 5 * MaxJSONDepth, reasonDepth}, {strings.Repeat("[", 1_000_000), MaxJSONDepth, reasonDepth},
}

func TestCanonicalAccepts(t *testing.T) {
	for _, c := range acceptedJSON {
		want := c.want
		if want == "" {
			want = c.in
		}
		require.True(t, json.Valid([]byte(c.in)), "the table itself: %q", c.in)
		got, err := Canonical([]byte(c.in))
		require.NoError(t, err, "%q", c.in)
		require.Equal(t, want, string(got), "%q", c.in)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, c := range refusedJSON {
		_, err := Canonical([]byte(c.in))
		var refusal *JSONError
		require.ErrorAs(t, err, &refusal, "%.80q", c.in)
		require.Equal(t, c.offset, refusal.Offset, "%.80q: %v", c.in, err)
		require.Contains(t, refusal.Reason, c.reason, "%.80q", c.in)
		require.True(t, !json.Valid([]byte(c.in)) || stricterThanRFC(err), "%.80q: %v", c.in, err)
	}
	require.GreaterOrEqual(t, len(acceptedJSON)+len(refusedJSON), 120)
}

// stricterThanRFC reports whether the refusal is one that encoding/json does not know.
func stricterThanRFC(err error) bool {
	var refusal *JSONError
	if !errors.As(err, &refusal) {
		return false
	}
	for _, reason := range []string{reasonDuplicate, reasonSurrogate, reasonDepth, reasonUTF8, reasonSize} {
		if strings.HasPrefix(refusal.Reason, reason) {
			return true
		}
	}
	return false
}

func TestCanonicalLimits(t *testing.T) {
	deepest := strings.Repeat("[", MaxJSONDepth) + strings.Repeat("]", MaxJSONDepth)
	got, err := Canonical([]byte(deepest))
	require.NoError(t, err)
	require.Equal(t, deepest, string(got))

	_, err = CanonicalMax([]byte(`"abc"`), 5)
	require.NoError(t, err)
	_, err = CanonicalMax([]byte(`"abcd"`), 5)
	require.EqualError(t, err, "byte 5: larger than the limit of 5 bytes")
	_, err = Canonical(make([]byte, MaxJSONBytes+1))
	require.ErrorContains(t, err, reasonSize)
}

func TestCanonicalOrderOfKeysIsIrrelevant(t *testing.T) {
	const want = `{"a":{"x":1,"y":[2,3]},"b":"two","c":null,"d":{}}`
	parts := []string{`"a":{"y":[2,3],"x":1}`, `"b":"two"`, `"c":null`, `"d":{}`}
	var permute func(done, rest []string)
	count := 0
	permute = func(done, rest []string) {
		if len(rest) == 0 {
			count++
			got, err := Canonical([]byte("{" + strings.Join(done, " , ") + "}"))
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
		for i := range rest {
			others := append(append([]string{}, rest[:i]...), rest[i+1:]...)
			permute(append(append([]string{}, done...), rest[i]), others)
		}
	}
	permute(nil, parts)
	require.Equal(t, 24, count)
}

func TestAppendStringEveryByteAndRune(t *testing.T) {
	for b := range 256 {
		in := "a" + string([]byte{byte(b)}) + "z"
		var back string
		require.NoError(t, json.Unmarshal(AppendString(nil, in), &back), "byte %d", b)
		if b < 0x80 {
			require.Equal(t, in, back)
		} else {
			require.Equal(t, "a\uFFFDz", back)
		}
	}
	for r := rune(0); r <= 0x10FFFF; r += 7 {
		var back string
		require.NoError(t, json.Unmarshal(AppendString([]byte{}, string(r)), &back))
		require.Equal(t, string(r), back)
	}
	require.Equal(t, `x"\"\\\b\t\n\f\r\u0000\u001f/é`+"\x7f\"", string(AppendString([]byte("x"), "\"\\\b\t\n\f\r\x00\x1f/é\x7f")))
	require.Equal(t, `""`, string(AppendString(nil, "")))
}

func TestCanonicalLeavesItsInputAlone(t *testing.T) {
	in := []byte(`{"b":"\u0041","a":[1, 2]}`)
	kept := bytes.Clone(in)
	_, err := Canonical(in)
	require.NoError(t, err)
	require.Equal(t, kept, in)
}

func FuzzCanonical(f *testing.F) {
	for _, c := range acceptedJSON {
		f.Add([]byte(c.in))
	}
	for _, c := range refusedJSON {
		if len(c.in) < 1000 {
			f.Add([]byte(c.in))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Canonical(raw)
		if err != nil {
			var refusal *JSONError
			require.ErrorAs(t, err, &refusal)
			require.LessOrEqual(t, refusal.Offset, len(raw))
			require.True(t, !json.Valid(raw) || stricterThanRFC(err), "%q: %v", raw, err)
			return
		}
		require.True(t, json.Valid(raw), "%q", raw)
		again, err := Canonical(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
		require.Equal(t, jsonValue(t, raw), jsonValue(t, got))
	})
}

func jsonValue(t *testing.T, raw []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return v
}

func BenchmarkAppendString(b *testing.B) {
	const text = "Dyson swarm reinforcement: a title as people write them, with one \"quote\""
	buf := make([]byte, 0, 256)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		buf = AppendString(buf[:0], text)
	}
}

func BenchmarkCanonical(b *testing.B) {
	raw := []byte(`{"title":"Dyson swarm","cells":12,"ratio":0.25,"labels":{"b":"x","a":"y"},"list":[1,2,3,` + strconv.Itoa(1<<40) + `]}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Canonical(raw); err != nil {
			b.Fatal(err)
		}
	}
}
