package missionfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// single is the count of a block without count and for_each.
const single = -1

// instances is what count or for_each makes of a block.
type instances struct {
	count  int64 // single, or how many; unused with keys
	keys   []string
	values []cty.Value // of the keys; nil where each is its own value
	byHex  map[string]int64
	each   bool
}

func (s *instances) many() bool { return s.each || s.count != single }

func (s *instances) len() int64 {
	switch {
	case s.each:
		return int64(len(s.keys))
	case s.count == single:
		return 1
	}
	return s.count
}

// id is the name of instance i in records: swarm, swarm_0, swarm_<12 hex>.
func (s *instances) id(name string, i int64) string {
	switch {
	case s.each:
		return name + "_" + keyHex(s.keys[i])
	case s.count == single:
		return name
	}
	return name + "_" + strconv.FormatInt(i, 10)
}

// label is its name to people: swarm[0], swarm["eu west"]; "" for the id.
func (s *instances) label(name string, i int64) string {
	switch {
	case s.each:
		return name + "[" + strconv.Quote(s.keys[i]) + "]"
	case s.count == single:
		return ""
	}
	return name + "[" + strconv.FormatInt(i, 10) + "]"
}

// shown is the label, or the id where they are the same.
func (s *instances) shown(name string, i int64) string {
	if label := s.label(name, i); label != "" {
		return label
	}
	return name
}

// find is the inverse of id, for the part after the name and "_".
func (s *instances) find(suffix string, hasSuffix bool) (int64, bool) {
	switch {
	case !s.many():
		return 0, !hasSuffix
	case !hasSuffix:
		return 0, false
	case s.each:
		i, ok := s.byHex[suffix]
		return i, ok
	}
	i, err := strconv.ParseInt(suffix, 10, 64)
	if err != nil || i < 0 || i >= s.count || strconv.FormatInt(i, 10) != suffix {
		return 0, false
	}
	return i, true
}

// roots are what expressions of the block may refer to besides locals and
// variables.
func (s *instances) roots() []string {
	switch {
	case s.each:
		return []string{"each"}
	case s.count != single:
		return []string{"count"}
	}
	return nil
}

// vars are what the expressions of instance i know of it; nil for a single one.
func (s *instances) vars(i int64) map[string]cty.Value {
	if !s.many() {
		return nil
	}
	if !s.each {
		return map[string]cty.Value{"count": cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(i)})}
	}
	key := cty.StringVal(s.keys[i])
	value := key
	if s.values != nil {
		value = s.values[i]
	}
	return map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
}

// within is a context that knows vars besides what its parent knows.
func within(parent *hcl.EvalContext, vars map[string]cty.Value) *hcl.EvalContext {
	if vars == nil {
		return parent
	}
	ctx := parent.NewChild()
	ctx.Variables = vars
	return ctx
}

func keyHex(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}

// countOf makes the instances of count = v.
func countOf(v cty.Value, limit int64) (instances, error) {
	n, err := number(v)
	if err != nil {
		return instances{}, err
	}
	if !n.IsInt() || n.Sign() < 0 {
		return instances{}, fmt.Errorf("a count is a whole number from 0 on")
	}
	count, _ := n.Int64()
	if count > limit {
		return instances{}, fmt.Errorf("at most %d instances are possible", limit)
	}
	return instances{count: count}, nil
}

// eachOf makes the instances of for_each = v, in the byte order of the keys.
func eachOf(v cty.Value, limit int64) (instances, error) {
	if err := checkValue(v); err != nil {
		return instances{}, err
	}
	t := v.Type()
	if !v.CanIterateElements() {
		return instances{}, fmt.Errorf("for_each takes a map, an object, or a list or set of texts, not %s", t.FriendlyName())
	}
	if int64(v.LengthInt()) > limit {
		return instances{}, fmt.Errorf("at most %d instances are possible", limit)
	}
	s := instances{each: true, byHex: make(map[string]int64, v.LengthInt())}
	if !t.IsMapType() && !t.IsObjectType() {
		keys, err := texts(v)
		if err != nil {
			return s, fmt.Errorf("a list or set in for_each holds texts; for other elements write { for x in list : x.name => x }")
		}
		slices.Sort(keys)
		s.keys = keys
		return s, s.distinct()
	}
	values := v.AsValueMap()
	for k := range values {
		s.keys = append(s.keys, k)
	}
	slices.Sort(s.keys)
	for _, k := range s.keys {
		s.values = append(s.values, values[k])
	}
	return s, s.distinct()
}

// distinct refuses keys that are equal or would have the same id.
func (s *instances) distinct() error {
	for i, key := range s.keys {
		id := keyHex(key)
		other, taken := s.byHex[id]
		if taken && s.keys[other] == key {
			return fmt.Errorf("the key %q appears twice", key)
		}
		if taken {
			return fmt.Errorf("the keys %q and %q have the same id, %s: rename one of them", s.keys[other], key, id)
		}
		s.byHex[id] = int64(i)
	}
	return nil
}

// splitID takes an instance id apart at its "_", which no name holds.
func splitID(id string) (name, suffix string, hasSuffix bool) { return strings.Cut(id, "_") }
