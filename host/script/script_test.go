package script

import (
	"context"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Child()
	goleak.VerifyTestMain(m)
}

// folder is a mission folder in memory.
type folder map[string]string

func (f folder) read(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

func runner(t testing.TB) *Runner {
	r := New(Options{})
	t.Cleanup(r.Close)
	return r
}

func bundle(t testing.TB, r *Runner, f folder, entry string) *Program {
	t.Helper()
	p, problems := r.Bundle(t.Context(), entry, f.read)
	require.Empty(t, problems)
	return p
}

func TestPolicy(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{
		"policy.ts": `import type { Policy } from "omega:types"; import { limit } from "./limits"; import { more } from "omega:amount"; const decide: Policy = (request, view) => ({ allow: !more(request.cost, limit), reason: undefined, at: view.at }); export default decide;`,
		"limits.ts": `export const limit: string = "10.5";`,
	}, "policy.ts")
	require.Equal(t, []string{"default"}, p.Exports)
	a := r.Call(context.Background(), Call{Program: p, Input: []byte(`{"cost":"10.500001"}`), View: []byte(`{"at":7}`)})
	require.Nil(t, a.Fault)
	require.JSONEq(t, `{"allow":false,"at":7}`, string(a.Value))
}

var _ = os.Getpid
var _ = time.Second
