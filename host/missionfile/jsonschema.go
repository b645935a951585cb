package missionfile

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemas remembers compiled schemas by their text: instances mostly share one,
// and each result is held against it.
type schemas struct {
	mu    sync.Mutex
	known map[string]*schema
}

// schemaOf is the schema of an instance.
func (b *jobBlock) schemaOf(vars map[string]cty.Value) (*schema, hcl.Diagnostics) {
	v, diags := b.schema.Value(within(b.base, vars))
	if diags.HasErrors() {
		return nil, diags
	}
	text, err := schemaText(v)
	if err != nil {
		return nil, diagnosed(b.schema.Range(), "Invalid schema", err)
	}
	schema, err := b.schemas.compile(text)
	if err != nil {
		return nil, diagnosed(b.schema.Range(), "Invalid schema", err)
	}
	return schema, nil
}

// schemaText is a schema as canonical JSON; it may be given as JSON text.
func schemaText(v cty.Value) ([]byte, error) {
	if v.IsNull() || !v.IsWhollyKnown() {
		return nil, errors.New("it is null: write an object, true or false")
	}
	if v.Type() == cty.String {
		text := []byte(v.AsString())
		if err := checkJSON(text); err != nil {
			return nil, err
		}
		return core.CanonicalMax(text, maxSchema)
	}
	return canonical(v, maxSchema)
}

func (s *schemas) compile(text []byte) (*schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[string(text)]; known != nil {
		return known, nil
	}
	whole, err := compileSchema(text)
	if err != nil {
		return nil, err
	}
	made := &schema{whole: whole}
	made.count(reflect.ValueOf(whole), map[*jsonschema.Schema]bool{})
	if s.known == nil || len(s.known) == rememberedTexts {
		s.known = map[string]*schema{}
	}
	s.known[string(text)] = made
	return made, nil
}

// schema is a compiled schema that gives up after maxSteps: branches that refer
// to the whole again can double with each level of a result.
type schema struct {
	whole *jsonschema.Schema
	mu    sync.Mutex // guards left while a result is judged
	left  int
}

// maxSteps bounds how many parts of a schema one result is held against.
const maxSteps = 1_000_000

// tooLong is the panic that ends it.
type tooLong struct{}

// count has every part of a schema count a step when a value is held against it.
// A format is what a part looks at before its own parts.
func (s *schema) count(v reflect.Value, seen map[*jsonschema.Schema]bool) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if part, ok := v.Interface().(*jsonschema.Schema); ok {
			if part == nil || seen[part] {
				return
			}
			seen[part] = true
			defer func() { part.Format = s.counting(part.Format) }()
		}
		s.count(v.Elem(), seen)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.count(v.Field(i), seen)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			s.count(v.Index(i), seen)
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			s.count(each.Value(), seen)
		}
	}
}

func (s *schema) counting(f *jsonschema.Format) *jsonschema.Format {
	counting := &jsonschema.Format{Name: "any", Validate: func(any) error { return nil }}
	if f != nil {
		*counting = *f
	}
	check := counting.Validate
	counting.Validate = func(v any) error {
		if s.left--; s.left < 0 {
			panic(tooLong{})
		}
		return check(v)
	}
	return counting
}

// schemaURL is what the schema calls itself; nothing is read from there.
const schemaURL = "omega:///schema"

// nowhere loads nothing: a schema is whole.
type nowhere struct{}

var errElsewhere = errors.New("a $ref leads out of it: write the whole schema here")

func (nowhere) Load(string) (any, error) { return nil, errElsewhere }

func compileSchema(text []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	schema, err := c.Compile(schemaURL)
	var broken *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	var elsewhere *jsonschema.LoadURLError
	switch {
	case errors.As(err, &broken) && errors.As(broken.Err, &invalid):
		return nil, fmt.Errorf("as a schema it is wrong: %s", firstOf(invalid))
	case errors.As(err, &elsewhere):
		return nil, errElsewhere
	case err != nil:
		return nil, errors.New(oneLine(strings.ReplaceAll(err.Error(), schemaURL, "")))
	}
	return schema, nil
}

// breach is how a result breaks a schema, "" if it does not. The result is
// canonical JSON whose numbers are modest.
func (s *schema) breach(result []byte) (reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = maxSteps
	defer func() {
		if fault := recover(); fault == (tooLong{}) {
			reason = fmt.Sprintf("the schema takes more than %d steps to judge it", maxSteps)
		} else if fault != nil {
			panic(fault)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(result))
	if err != nil {
		return fmt.Sprintf("the result cannot be judged: %s", err)
	}
	var invalid *jsonschema.ValidationError
	switch err := s.whole.Validate(doc); {
	case err == nil:
		return ""
	case errors.As(err, &invalid):
		return firstOf(invalid)
	default:
		return oneLine(err.Error())
	}
}

// maxBreach bounds a reason: it may quote the result.
const maxBreach = 300

// firstOf is one error of many, the same on every machine: the first by its
// place in the value, then by its text.
func firstOf(e *jsonschema.ValidationError) string {
	english := message.NewPrinter(language.English)
	var all []string
	var visit func(*jsonschema.ValidationError)
	visit = func(e *jsonschema.ValidationError) {
		switch e.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf: // which of them was meant, nobody knows
		default:
			if len(e.Causes) > 0 {
				for _, cause := range e.Causes {
					visit(cause)
				}
				return
			}
		}
		all = append(all, pointer(e.InstanceLocation)+": "+said(e.ErrorKind, english))
	}
	visit(e)
	first := oneLine(strings.ToValidUTF8(slices.Min(all), "\uFFFD"))
	if len(first) > maxBreach {
		first = strings.ToValidUTF8(first[:maxBreach], "") + "…"
	}
	return first
}

// said is an error in words. Some list properties in the order of a Go map.
func said(k jsonschema.ErrorKind, p *message.Printer) string {
	switch k := k.(type) {
	case *kind.AdditionalProperties:
		sorted := *k
		sorted.Properties = slices.Sorted(slices.Values(k.Properties))
		return sorted.LocalizedString(p)
	case *kind.Dependency:
		sorted := *k
		sorted.Missing = slices.Sorted(slices.Values(k.Missing))
		return sorted.LocalizedString(p)
	}
	return k.LocalizedString(p)
}

// pointer is a place in a value, as in /cells/0.
func pointer(path []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	text := ""
	for _, step := range path {
		text += "/" + escape.Replace(step)
	}
	if text == "" {
		return "/"
	}
	return text
}
