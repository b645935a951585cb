package missionfile

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// pureFunctions are the functions of the language whose answer depends on
// their arguments alone, bit for bit on every machine. log is not among them
// because float64 mathematics differs between processors; pow is exact here.
func pureFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "int": stdlib.IntFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": powFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": narrow(stdlib.FormatFunc), "formatlist": narrow(stdlib.FormatListFunc),
		"indent": narrowIndent(stdlib.IndentFunc), "join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc,
		"regexall": stdlib.RegexAllFunc, "regexreplace": stdlib.RegexReplaceFunc, "replace": stdlib.ReplaceFunc,
		"split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
		"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,

		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
		"distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc,
		"hasindex": stdlib.HasIndexFunc, "index": stdlib.IndexFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc,
		"lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc, "range": rangeFunc, "reverse": stdlib.ReverseListFunc,
		"sethaselement": stdlib.SetHasElementFunc, "setintersection": stdlib.SetIntersectionFunc,
		"setproduct": narrowProduct(stdlib.SetProductFunc), "setsubtract": stdlib.SetSubtractFunc,
		"setsymmetricdifference": stdlib.SetSymmetricDifferenceFunc, "setunion": stdlib.SetUnionFunc,
		"slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc, "jsondecode": decodeOnce(),

		"tobool": stdlib.MakeToFunc(cty.Bool), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": stdlib.MakeToFunc(cty.Number),
		"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),

		"can": canFunc, "try": tryFunc,
	}
}

// functions are the pure ones and file, which reads under the mission folder.
func functions(src *sourceSet) map[string]function.Function {
	all := maps.Clone(pureFunctions())
	all["file"] = function.New(&function.Spec{
		Description: "Returns the UTF-8 text of a file under the mission folder. The journal records the file with the mission.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			content, err := src.read(name)
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "file %q cannot be read: %w", name, err)
			}
			if !utf8.Valid(content) {
				return cty.NilVal, function.NewArgErrorf(0, "file %q is not UTF-8 text", name)
			}
			return cty.StringVal(string(content)), nil
		},
	})
	return all
}

// decodeOnce is jsondecode that remembers large texts: the function library
// asks for type and value separately, and a file may be decoded in every
// instance of a block.
func decodeOnce() function.Function {
	var mu sync.Mutex
	known := map[string]cty.Value{}
	decode := func(text string) (cty.Value, error) {
		mu.Lock()
		defer mu.Unlock()
		if v, ok := known[text]; ok {
			return v, nil
		}
		if err := checkJSON([]byte(text)); err != nil {
			return cty.NilVal, err
		}
		v, err := stdlib.JSONDecode(cty.StringVal(text))
		if err == nil && len(known) < rememberedTexts {
			known[text] = v
		}
		return v, err
	}
	return function.New(&function.Spec{
		Description: "Returns the value that a JSON text stands for.",
		Params:      []function.Parameter{{Name: "text", Type: cty.String}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := decode(args[0].AsString())
			if err != nil {
				return cty.NilType, function.NewArgError(0, err)
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return decode(args[0].AsString()) },
	})
}

// rememberedTexts bounds what jsondecode remembers.
const rememberedTexts = 64

// powFunc multiplies exactly where the stdlib goes through float64.
var powFunc = function.New(&function.Spec{
	Description: "Returns a number to the power of a whole number, exactly.",
	Params:      []function.Parameter{{Name: "num", Type: cty.Number}, {Name: "power", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		power, accuracy := args[1].AsBigFloat().Int64()
		if accuracy != big.Exact || power < -maxDigits || power > maxDigits {
			return cty.NilVal, function.NewArgErrorf(1, "the power must be a whole number between -%d and %d", maxDigits, maxDigits)
		}
		base, result := args[0], cty.NumberIntVal(1)
		for range max(power, -power) {
			result = result.Multiply(base)
		}
		if power >= 0 {
			return result, nil
		}
		if base.AsBigFloat().Sign() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "zero has no negative power")
		}
		return cty.NumberIntVal(1).Divide(result), nil
	},
})

// rangeFunc is that of the stdlib, which ends at 1024 elements.
var rangeFunc = function.New(&function.Spec{
	Description: stdlib.RangeFunc.Description(),
	VarParam:    &function.Parameter{Name: "params", Type: cty.Number},
	Type:        function.StaticReturnType(cty.List(cty.Number)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		start, end, step := cty.Zero, cty.Zero, cty.NumberIntVal(1)
		switch len(args) {
		case 1:
			end = args[0]
		case 2, 3:
			start, end = args[0], args[1]
		default:
			return cty.NilVal, errors.New("it takes one to three numbers: an end; a start and an end; or both and a step")
		}
		way := end.AsBigFloat().Cmp(start.AsBigFloat())
		if len(args) == 3 {
			step = args[2]
		} else if way < 0 {
			step = cty.NumberIntVal(-1)
		}
		if way != 0 && step.AsBigFloat().Sign() != way {
			return cty.NilVal, errors.New("the step must lead from the start to the end")
		}
		var all []cty.Value
		for at := start; end.AsBigFloat().Cmp(at.AsBigFloat()) == way && way != 0; at = at.Add(step) {
			if len(all) == maxInstances {
				return cty.NilVal, fmt.Errorf("it has more than %d elements", maxInstances)
			}
			all = append(all, at)
		}
		if len(all) == 0 {
			return cty.ListValEmpty(cty.Number), nil
		}
		return cty.ListVal(all), nil
	},
})

// wide finds a verb whose width or precision would fill the memory.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{4,}|\*)`)

func narrow(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		if len(args) == 0 || args[0].Type() != cty.String || args[0].IsNull() {
			return nil
		}
		if wide.MatchString(args[0].AsString()) {
			return errors.New("a width or precision has at most three digits")
		}
		return nil
	})
}

func narrowIndent(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		n, err := convert.Convert(args[0], cty.Number)
		if err == nil && !n.IsNull() && n.GreaterThan(cty.NumberIntVal(1000)).True() {
			return errors.New("it indents by at most 1000 spaces")
		}
		return nil
	})
}

func narrowProduct(f function.Function) function.Function {
	return guarded(f, func(args []cty.Value) error {
		n := 1
		for _, a := range args {
			if a.CanIterateElements() {
				n *= max(1, a.LengthInt())
			}
			if n > maxInstances {
				return fmt.Errorf("the product has more than %d elements", maxInstances)
			}
		}
		return nil
	})
}

// guarded is f behind a check of its known arguments.
func guarded(f function.Function, check func(args []cty.Value) error) function.Function {
	before := func(args []cty.Value) error {
		plain := make([]cty.Value, len(args))
		for i, a := range args {
			if plain[i], _ = a.Unmark(); !plain[i].IsKnown() {
				return nil
			}
		}
		return check(plain)
	}
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := before(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// checkValue refuses a computed value that is too large, too deep, or holds a
// number nobody could print.
func checkValue(v cty.Value) error {
	left := maxNodes
	if err := measure(v, maxNesting, &left); err != nil {
		return err
	}
	if left < 0 {
		return errLargeValue
	}
	return nil
}

var errLargeValue = errors.New("it is too large")

func measure(v cty.Value, depth int, left *int) error {
	if *left--; *left < 0 {
		return errLargeValue
	}
	if depth == 0 {
		return fmt.Errorf("it is nested deeper than %d", maxNesting)
	}
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	switch t := v.Type(); {
	case t == cty.String:
		*left -= len(v.AsString()) / nodeBytes
	case t == cty.Number:
		return checkNumber(v.AsBigFloat())
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			if k.Type() == cty.String && !k.IsMarked() && k.IsKnown() {
				*left -= len(k.AsString()) / nodeBytes
			}
			if err := measure(e, depth-1, left); err != nil {
				return err
			}
		}
	}
	return nil
}

// nodeBytes of text count like one node.
const nodeBytes = 8

func checkNumber(f *big.Float) error {
	const bitsPerDigit = 4 // at least log2(10)
	if f.IsInf() || max(f.MantExp(nil), -f.MantExp(nil)) > maxDigits*bitsPerDigit {
		return fmt.Errorf("a number has more than %d digits", maxDigits)
	}
	return nil
}
