package core_test

import (
	"reflect"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// TestTermsAreSharedOnlyWhenTheSame: jobs that differ in any one member of their
// spec keep it, whatever was posted before them.
func TestTermsAreSharedOnlyWhenTheSame(t *testing.T) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[core.JobSpec]()) {
		r := newRig(t, baseSpec(), jobNamed("a"))
		r.answer()
		first, second := jobNamed("b"), jobNamed("b")
		second.ID = "c"
		differ(t, reflect.ValueOf(&second).Elem().FieldByIndex(field.Index))
		r.state.Replay(&core.Entry{Seq: r.state.Seq() + 1, Events: []core.Event{&core.JobPosted{Spec: first}, &core.JobPosted{Spec: second}}})
		b, c := r.state.Job(first.ID), r.state.Job(second.ID)
		require.Equal(t, first, b.Spec.Whole(), field.Name)
		require.Equal(t, second, c.Spec.Whole(), field.Name)
		own := field.Name == "ID" || field.Name == "Label" || field.Name == "Needs" || field.Name == "Input"
		require.Equal(t, own, b.Spec.JobSpec == c.Spec.JobSpec, field.Name)
	}
}

func differ(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(map[bool]string{true: "operator", false: "d"}[v.String() == ""])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int64, reflect.Int8:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		one := reflect.New(v.Type().Elem()).Elem()
		if one.Kind() == reflect.String {
			one.SetString("s2")
		}
		v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), one))
	default:
		require.Fail(t, "a kind of field nobody thought of", "%s", v.Kind())
	}
}
