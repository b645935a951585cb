package missionfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// fault is why bytes are refused before anything parses them, and where.
type fault struct {
	at              hcl.Range
	summary, detail string
}

// precheck is inspect for a file that is read by itself.
func precheck(name string, content []byte) Diagnostics {
	f := inspect(name, content)
	if f == nil {
		return nil
	}
	r := report{src: &sourceSet{files: map[string]Source{name: {Bytes: content}}}}
	r.fail(f.at, f.summary, "%s", f.detail)
	return r.list
}

// inspect refuses what would break the parser: binary bytes, more tokens than
// memory should hold, and nesting deeper than the stack should go.
func inspect(name string, content []byte) *fault { return inspectAs(name, content, isJSON(name)) }

func inspectAs(name string, content []byte, json bool) *fault {
	if i := notText(content); i >= 0 {
		return &fault{rangeAt(name, content, i), "Not a text file",
			fmt.Sprintf("Byte %d is no UTF-8 text: a mission is a text file, so check that this is the right one.", i)}
	}
	if tokensAtMost(content) > maxTokens {
		return &fault{rangeAt(name, content, 0), "Too many tokens",
			fmt.Sprintf("The file holds more than %d words and signs: split the mission or use count and for_each.", maxTokens)}
	}
	if json {
		return inspectJSON(name, content, true)
	}
	tokens, _ := hclsyntax.LexConfig(content, name, hcl.InitialPos)
	return checkTokens(tokens)
}

// notText is the offset of the first byte that is not UTF-8 or is NUL, or -1.
func notText(content []byte) int {
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		if r == 0 || (r == utf8.RuneError && size == 1) {
			return i
		}
		i += size
	}
	return -1
}

// tokensAtMost bounds the number of tokens from above without making them.
func tokensAtMost(content []byte) int {
	n, word := 0, false
	for _, c := range content {
		letter := c == '_' || c == '.' || c >= 0x80 || (c|0x20 >= 'a' && c|0x20 <= 'z') || (c >= '0' && c <= '9')
		if c > ' ' && (!letter || !word) {
			n++
		}
		word = letter
	}
	return n
}

func rangeAt(name string, content []byte, i int) hcl.Range {
	start := bytes.LastIndexByte(content[:i], '\n') + 1
	pos := hcl.Pos{Line: 1 + bytes.Count(content[:i], []byte{'\n'}), Column: 1 + utf8.RuneCount(content[start:i]), Byte: i}
	return hcl.Range{Filename: name, Start: pos, End: pos}
}

// depthMeter counts how deep the parser or the evaluator would recurse. A
// bracket, an operator and a template directive go one deeper; a comma, or a
// newline that no operator joins, ends a chain of operators.
type depthMeter struct {
	depth int
	base  []int // depth at the start of each open bracket's content
	found []int // and before it
	joint bool  // the last token asks for more
	line  bool  // a newline came since
}

func checkTokens(tokens hclsyntax.Tokens) *fault {
	m := depthMeter{base: []int{0}}
	for _, t := range tokens {
		if m.next(t); m.depth > maxDepth {
			return &fault{t.Range, "Nested too deeply",
				fmt.Sprintf("Brackets and chained operators go deeper than %d: give parts a name in locals.", maxDepth)}
		}
		if t.Type == hclsyntax.TokenNumberLit && !modest(t.Bytes) {
			return &fault{t.Range, "Number too large", fmt.Sprintf("A number has at most %d digits.", maxDigits)}
		}
	}
	return nil
}

func (m *depthMeter) next(t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenComment:
		if bytes.HasSuffix(t.Bytes, []byte{'\n'}) {
			m.line = true
		}
		return
	case hclsyntax.TokenNewline:
		m.line = true
		return
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd,
		hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		m.close()
	case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		m.settle(t.Type == hclsyntax.TokenOBrack)
		m.open(t.Type)
	case hclsyntax.TokenComma:
		m.depth = m.base[len(m.base)-1]
		m.joint = true
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		m.settle(false)
		m.joint = false
	default: // operators, dots, stray signs
		m.settle(true)
		m.depth++
		m.joint = true
	}
	m.line = false
}

// settle ends the chain if a newline has separated it from what comes now.
func (m *depthMeter) settle(joins bool) {
	if m.line && !m.joint && !joins {
		m.depth = m.base[len(m.base)-1]
	}
}

func (m *depthMeter) open(t hclsyntax.TokenType) {
	before := m.depth
	if t != hclsyntax.TokenTemplateInterp {
		before++ // also once closed: f(x)(y), %{if}…%{if}
	}
	m.found = append(m.found, before)
	m.depth++
	m.base = append(m.base, m.depth)
	m.joint = true
}

func (m *depthMeter) close() {
	if n := len(m.found); n > 0 {
		m.depth, m.found, m.base = m.found[n-1], m.found[:n-1], m.base[:n]
	}
	m.joint = false
}

// inspectJSON does the same for JSON, whose strings may be templates.
func inspectJSON(name string, content []byte, templates bool) *fault {
	depth := 0
	for i := 0; i < len(content); i++ {
		switch content[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return &fault{rangeAt(name, content, i), "Nested too deeply", fmt.Sprintf("Brackets go deeper than %d.", maxDepth)}
			}
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(content, i)
			if templates {
				if f := checkTemplate(name, content, i, end); f != nil {
					return f
				}
			}
			i = end - 1
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := numberEnd(content, i)
			if !modest(content[i:end]) {
				return &fault{rangeAt(name, content, i), "Number too large", fmt.Sprintf("A number has at most %d digits.", maxDigits)}
			}
			i = end - 1
		}
	}
	return nil
}

func checkTemplate(name string, content []byte, from, to int) *fault {
	quoted := content[from:to]
	if !bytes.ContainsAny(quoted, `$%\`) {
		return nil
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return nil // the parser will say so
	}
	tokens, _ := hclsyntax.LexTemplate([]byte(text), name, hcl.InitialPos)
	f := checkTokens(tokens)
	if f != nil {
		f.at = rangeAt(name, content, from)
	}
	return f
}

// stringEnd is the offset after the closing quote of the string at i.
func stringEnd(content []byte, i int) int {
	for i++; i < len(content); i++ {
		switch content[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(content)
}

func numberEnd(content []byte, i int) int {
	for i++; i < len(content); i++ {
		c := content[i]
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			break
		}
	}
	return i
}

// modest says whether a number literal has at most maxDigits digits when it is
// written out.
func modest(literal []byte) bool {
	if len(literal) > maxDigits {
		return false
	}
	e := bytes.IndexAny(literal, "eE")
	if e < 0 {
		return true
	}
	exponent := bytes.TrimLeft(literal[e+1:], "+-0")
	if len(exponent) > len("400") {
		return false
	}
	n := 0
	for _, c := range exponent {
		n = n*10 + int(c-'0')
	}
	return n <= maxDigits
}

// checkJSON refuses JSON that would hurt whoever evaluates with it.
func checkJSON(text []byte) error {
	if f := inspectJSON("", text, false); f != nil {
		return fmt.Errorf("%s: %s", f.summary, f.detail)
	}
	return nil
}
