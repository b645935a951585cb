package script

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const hostMode = "OMEGA_TEST_SCRIPT_HOST" // the test binary is then a host that can be killed

func TestMain(m *testing.M) {
	Child()
	if os.Getenv(hostMode) != "" {
		sufferingHost()
	}
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

// patient is a timeout for calls that are not about time.
const patient = 10 * time.Second

// ask calls a program and wants an answer.
func ask(t testing.TB, r *Runner, p *Program, input string) string {
	t.Helper()
	a := r.Call(context.Background(), Call{Program: p, Input: []byte(input), Seed: 7, Timeout: patient})
	require.Nil(t, a.Fault)
	return string(a.Value)
}

// answer bundles and calls one file.
func answer(t testing.TB, r *Runner, text, input string) string {
	t.Helper()
	return ask(t, r, bundle(t, r, folder{"a.ts": text}, "a.ts"), input)
}

func TestProgram(t *testing.T) {
	r := runner(t)
	f := folder{
		"policies/policy.ts": `import type { Policy } from "omega:types"; import { limit } from "../limits.js"; import more from "./more"; import { add } from "omega:amount"; import data from "./data.json";
			export const queries = { late: { from: "jobs", where: { state: ["ready", undefined ?? "posted"] } } };
			const decide: Policy = (request, view) => ({ allow: more(request.cost, limit), sum: add(limit, "1"), at: view.at, n: data.n }); export default decide;`,
		"limits.ts":          `export const limit: string = "10.5";`,
		"policies/more.js":   `import * as amount from "omega:amount"; export default amount.more;`,
		"policies/data.json": `{"n":[1,2]}`,
	}
	p := bundle(t, r, f, "policies/policy.ts")
	require.Equal(t, []string{"default", "queries"}, p.Exports)
	require.Equal(t, `{"late":{"from":"jobs","where":{"state":["ready","posted"]}}}`, string(p.Queries))
	a := r.Call(context.Background(), Call{Program: p, Input: []byte(`{"cost":"10.500001"}`), View: []byte(`{"at":7}`), Timeout: patient})
	require.Nil(t, a.Fault)
	require.Equal(t, `{"allow":true,"at":7,"n":[1,2],"sum":"11.5"}`, string(a.Value))

	var paths []string
	digest := "omega.script/v1\n"
	for _, path := range []string{"policies/policy.ts", "limits.ts", "policies/data.json", "policies/more.js"} {
		sum := sha256.Sum256([]byte(f[path]))
		digest += hex.EncodeToString(sum[:]) + "  " + path + "\n"
	}
	for _, file := range p.Files {
		paths = append(paths, file.Path)
	}
	require.Equal(t, []string{"limits.ts", "policies/data.json", "policies/more.js", "policies/policy.ts"}, paths)
	require.Equal(t, sha256.Sum256([]byte(digest)), p.Digest)
}

// TestExports are the ways in which a script may say what it exports.
func TestExports(t *testing.T) {
	r := runner(t)
	for text, want := range map[string]string{
		"const f = () => 1; export { f as default, f as other };":                                     `default other`,
		"export default function () { return `\nexport { x };\n`; }":                                  `default`,
		"module.exports = () => 1;":                                                                   `default`,
		`const f = () => 1; export { f as default, f as "a b" };`:                                     `a b default`,
		`export * from "./b"; export { default } from "./b";`:                                         `default x y`,
		`export * as all from "./b"; export default class {}`:                                         `all default`,
		"export default () => 1;\nexport const text = `\nexport default 7;\nexport {\n a as b\n};\n`": `default text`,
	} {
		p := bundle(t, r, folder{"a.js": text, "b.js": `export const x = 1; export function y() {} export default () => 1;`}, "a.js")
		require.Equal(t, want, strings.Join(p.Exports, " "), text)
	}
	_, problems := r.Bundle(t.Context(), "a.js", folder{"a.js": "console.log(`\nexport { x };`)"}.read)
	require.Equal(t, "no function is exported as default", problems[0].Summary)
	p := bundle(t, r, folder{"a.js": "export default () => 1; export const other = (n) => n + 1;"}, "a.js")
	a := r.Call(context.Background(), Call{Program: p, Export: "other", Input: []byte("2"), Timeout: patient})
	require.Equal(t, "3", string(a.Value))
}

func TestProgramsAreMadeOnce(t *testing.T) {
	r := runner(t)
	f := folder{"a.js": `import b from "./b"; export default () => b;`, "b.js": `export default 1;`}
	first := bundle(t, r, f, "a.js")
	require.Same(t, first, bundle(t, r, f, "a.js"))
	require.EqualValues(t, 1, r.bundles.Load())
	f["b.ts"] = `export default 2;` // an import without an ending finds it first
	second := bundle(t, r, f, "a.js")
	require.Equal(t, "2", ask(t, r, second, "null"))
	f["b.ts"] = `export default 3;`
	require.NotEqual(t, second.Digest, bundle(t, r, f, "a.js").Digest)
	require.EqualValues(t, 3, r.bundles.Load())
	require.Equal(t, "1", ask(t, r, first, "null"), "a program does not change")
}

func TestOwnScripts(t *testing.T) {
	r := runner(t)
	for _, name := range ownNames() {
		p, problems := r.Bundle(t.Context(), name, folder{}.read)
		if own, _ := ownSource(strings.TrimPrefix(name, omegaPrefix)); !strings.Contains(string(own), "export default") {
			require.NotEmpty(t, problems, "a module is no script")
			continue
		}
		require.Empty(t, problems)
		require.Equal(t, name, p.Files[0].Path)
		require.Len(t, p.Files, 1)
	}
	kept := bundle(t, r, folder{"omega:guardian": `export default () => "kept";`}, "omega:guardian")
	require.Equal(t, `"kept"`, ask(t, r, kept, "null"))
	_, problems := r.Bundle(t.Context(), "omega:nobody", folder{}.read)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Detail, "omega:amount")
}

func TestAmounts(t *testing.T) {
	r := runner(t)
	got := answer(t, r, `import { add, sub, mul, compare, min, max, less, more } from "omega:amount";
		const refused = (f: any) => { try { return f(); } catch (e: any) { return e.name; } };
		export default () => [add("0.1", "0.2", 3), add(), sub("1", "2.5"), mul("100", 0.05), mul("-1", "0.0000001"), mul("9223372036854.775807", "1"), compare("1.0", 1), compare("-2", "1"),
			min("3", "1.50", "2"), max("3", 10n), less("1", "1"), more("2", "1"), add(1e-7), add(1e21), mul("-1", "0.98765432109876543210"), add("-00098765432109876543210.5"), refused(() => add("1e3")), refused(() => add("x")), refused(() => add(NaN)), refused(() => min())];`, "null")
	require.Equal(t, `["3.3","0","-1.5","5","-0.000001","9223372036854.775807",0,-1,"1.5","10",false,true,"0","1000000000000000000000","-0.987655","-98765432109876543210.5","TypeError","TypeError","TypeError","TypeError"]`, got)
}

func TestTests(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{
		"policy.js": `export default (request, view) => ({ allow: request.job.reward < view.at });`,
		"policy.test.js": `import { test, equal, ok, throws, view, job } from "omega:test";
import policy from "./policy.js";
test("allows", () => equal(policy({ job: job({ reward: "1" }) }, view({ at: 5 })), { allow: true }));
test("differs", () => {
  equal({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, "the numbers");
});
test("throws", () => throws(() => null.x));
test("async", async () => { await null; ok(0); });
test("broken", () => policy());`,
	}, "policy.test.js")
	require.Equal(t, `[{"name":"allows","ok":true},{"column":8,"file":"policy.test.js","line":5,"name":"differs","ok":false,"why":"the numbers: it is {\"a\":[1,{\"b\":2}]}, expected {\"a\":[1,{\"b\":3}]}"},{"name":"throws","ok":true},`+
		`{"column":43,"file":"policy.test.js","line":8,"name":"async","ok":false,"why":"it is 0"},{"column":52,"file":"policy.js","line":1,"name":"broken","ok":false,"why":"TypeError: Cannot read property 'job' of undefined"}]`, ask(t, r, p, "null"))
}

// TestNothingLeaks calls scripts that leave behind whatever they can.
func TestNothingLeaks(t *testing.T) {
	r := runner(t)
	for name, text := range map[string]string{
		"module variables": `let n = 0; const m = new Map(); export default () => { n++; m.set(n, n); return [n, m.size]; };`,
		"last index":       `const r = /a/g; export default () => { r.test("aaa"); return r.lastIndex; };`,
		"literals":         `export default () => { const r = /a/y; r.test("aaa"); const f = (s: any) => s; f.n = (f.n ?? 0) + 1; return [r.lastIndex, f.n]; };`,
		"templates":        `const seen = new WeakSet(); export default () => { const t = (s: any) => s; const s = t` + "`x`" + `; const was = seen.has(s); seen.add(s); return was; };`,
		"prototypes": `export default () => { let n = 0; for (const o of [Object, Array, Map, Set, WeakMap, Promise, Error, RegExp, Date, Function, String, Symbol, Proxy, JSON, Math, Reflect, globalThis, console,
			Object.getPrototypeOf(async () => {}), Object.getPrototypeOf(function* () {}), Object.getPrototypeOf(function* () {}).prototype, Object.getPrototypeOf([].values()), Object.getPrototypeOf(Object.getPrototypeOf([].values())),
			Object.getPrototypeOf("".matchAll(/x/g)), Object.getPrototypeOf(new Map().keys()), Object.getPrototypeOf(new Set().keys()), Object.getPrototypeOf(Int8Array), ArrayBuffer, DataView, Float64Array] as any[])
			for (const at of [o, o.prototype]) { if (at && at.leak) n++; try { if (at) at.leak = 1; } catch { } } return n; };`,
		"functions": `export default () => { const r = Object.getOwnPropertyNames(globalThis).filter((k) => { const v = (globalThis as any)[k]; return v && !Object.isFrozen(v); }); return [r, Object.isFrozen(globalThis)]; };`,
		"a date":    `export default () => { const d = Date as any; try { d.now = () => 1; } catch { } return Date.now(); };`,
		"random":    `const before = Math.random(); export default () => [before, Math.random(), Math.random()];`,
		"the input": `export default (input: any) => { try { input.list.push(3); } catch { } try { input.list[0] = 9; } catch { } try { delete input.o.a; } catch { } try { input.o.b = 1; } catch { } return input; };`,
		"the view":  `export default (_: any, view: any) => { try { Object.setPrototypeOf(view, { leak: 1 }); } catch { } return [view?.leak ?? null, Object.isFrozen(view)]; };`,
		"a promise": `export default () => { Promise.resolve().then(() => { throw 1; }); return 1; };`,
		"an answer": `export default () => ({ get a() { Promise.resolve().then(() => console.log(Math.random())); return Math.random(); } });`,
		"the stack": `export default () => { const f = (): any => f() + 1; try { return f(); } catch (e: any) { return e.name; } };`,
	} {
		t.Run(name, func(t *testing.T) {
			p := bundle(t, r, folder{"a.ts": text}, "a.ts")
			call := Call{Program: p, Input: []byte(`{"list":[1,2],"o":{"a":1}}`), View: []byte(`{"at":1}`), Seed: 11, At: 99, Timeout: patient}
			first := r.Call(context.Background(), call)
			for range 3 {
				require.Equal(t, first, r.Call(context.Background(), call))
			}
		})
	}
	require.Equal(t, `[[],true]`, answer(t, r, `export default () => { const seen = new Set(); const open: string[] = [];
		const walk = (o: any, path: string) => { if ((typeof o !== "object" && typeof o !== "function") || o === null || seen.has(o)) return; seen.add(o); if (!Object.isFrozen(o)) open.push(path);
			walk(Object.getPrototypeOf(o), path + ".__proto__"); for (const k of Reflect.ownKeys(o)) { const d: any = Reflect.getOwnPropertyDescriptor(o, k); for (const m of ["value", "get", "set"]) walk(d[m], path + "." + String(k)); } };
		walk(globalThis, "global"); walk(Object.getPrototypeOf(async () => {}), "async"); walk(Object.getPrototypeOf(function* () {}), "generator"); return [open, seen.size > 300]; };`, "null"))
}

// TestBatching compares answers to many calls at once, among which some kill
// their child, with those of calls made alone.
func TestBatching(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{"a.js": `export default (input, view) => {
  if (input.n % 50 === 7) throw new Error("seven " + input.n);
  if (input.n % 100 === 33) return /^(?=(a+)+$)(a|aa)+\1$/.test("a".repeat(40) + "b");
  return { n: input.n, r: Math.random(), at: Date.now(), v: view.v };
}`}, "a.js")
	call := func(n int) Call {
		c := Call{Program: p, Input: fmt.Appendf(nil, `{"n":%d}`, n), View: fmt.Appendf(nil, `{"v":%d}`, n/10), At: int64(n), Seed: uint64(n), Timeout: patient}
		if n%100 == 33 {
			c.Timeout = 50 * time.Millisecond
		}
		return c
	}
	const calls = 300
	together := make([]Answer, calls)
	var all sync.WaitGroup
	for n := range calls {
		all.Go(func() { together[n] = r.Call(context.Background(), call(n)) })
	}
	all.Wait()
	other := runner(t)
	for n := range calls {
		if n%100 == 33 {
			require.Equal(t, FaultTime, together[n].Fault.Kind)
			continue
		}
		alone := other.Call(context.Background(), call(n))
		require.Equal(t, alone, together[n])
		if n%50 == 7 {
			require.Equal(t, "Error: seven "+strconv.Itoa(n), alone.Fault.Detail)
		} else {
			require.Nil(t, alone.Fault)
		}
	}
}

// TestScriptsAreSmall: what is read and kept of a script is bounded, whatever it
// imports.
func TestScriptsAreSmall(t *testing.T) {
	r := runner(t)
	var imports strings.Builder
	for n := range 20000 {
		fmt.Fprintf(&imports, "try { require('./%d') } catch {}\n", n)
	}
	asked := 0
	_, problems := r.Bundle(t.Context(), "a.js", func(path string) ([]byte, error) {
		asked++
		return folder{"a.js": imports.String()}.read(path)
	})
	require.Equal(t, "too many files", problems[0].Summary)
	require.Equal(t, "a.js", problems[0].File)
	require.LessOrEqual(t, asked, maxFiles)
}

// TestChildrenOpenNothing: what a bundler finds by itself would be a file of the
// host.
func TestChildrenOpenNothing(t *testing.T) {
	r := runner(t)
	host := t.TempDir() + "/found.json"
	require.NoError(t, os.WriteFile(host, []byte("1"), 0o600))
	text := fmt.Sprintf(`export default (name) => require(".%s/" + name + ".json");`, strings.TrimSuffix(host, "/found.json"))
	_, problems := r.Bundle(t.Context(), "a.js", folder{"a.js": text}.read)
	require.Len(t, problems, 1)
	require.NotContains(t, problems[0].Summary+problems[0].Detail, "found")
	require.Equal(t, 1, problems[0].Line)

	pipe := t.TempDir() + "/pipe"
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.Equal(t, "1", answer(t, r, "export default () => 1;\n//# sourceMappingURL=file://"+pipe, "null"))
}

func TestRandomIsFixed(t *testing.T) {
	require.Equal(t, `[0.9949265554419318,0.8224958921129435]`, answer(t, runner(t), `export default () => [Math.random(), Math.random()];`, "null"))
}

func TestConsole(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{"a.js": `export default (n) => { console.log("a", 1, { b: [2, null] }, undefined); console.error(new Error("x")); for (let i = 0; i < n; i++) console.info("é".repeat(100)); return 1; };`}, "a.js")
	a := r.Call(context.Background(), Call{Program: p, Input: []byte("0"), Timeout: patient})
	require.Equal(t, []string{`a 1 {"b":[2,null]} undefined`, "Error: x"}, a.Log)
	a = r.Call(context.Background(), Call{Program: p, Input: []byte("1000"), Timeout: patient})
	text := strings.Join(a.Log, "\n")
	require.LessOrEqual(t, len(text), maxLog)
	require.True(t, strings.HasSuffix(text, "é…"), text[len(text)-10:])
}

func TestCancel(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{"a.js": `export default (wait) => { while (wait); return 1; };`}, "a.js")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	started := time.Now()
	a := r.Call(ctx, Call{Program: p, Input: []byte("true"), Timeout: time.Minute})
	require.Equal(t, FaultProcess, a.Fault.Kind)
	require.Less(t, time.Since(started), 5*time.Second)
	require.Equal(t, "1", ask(t, r, p, "false"), "others do not wait for it")
	_, problems := r.Bundle(ctx, "b.js", folder{"b.js": "export default () => 1"}.read)
	require.NotEmpty(t, problems)
}

// TestSlowCallsHoldUpNobody: calls that come with a slow one go to another child.
func TestSlowCallsHoldUpNobody(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{"a.js": `export default (wait) => { while (wait); return 1; };`}, "a.js")
	ctx, cancel := context.WithCancel(t.Context())
	var slow sync.WaitGroup
	for range 3 {
		slow.Go(func() {
			a := r.Call(ctx, Call{Program: p, Input: []byte("true"), Timeout: time.Hour})
			require.Equal(t, FaultProcess, a.Fault.Kind)
		})
	}
	var quick sync.WaitGroup
	for range 50 {
		quick.Go(func() { require.Equal(t, "1", ask(t, r, p, "false")) })
	}
	quick.Wait()
	cancel()
	slow.Wait()
	require.Eventually(t, func() bool { // nobody waits for them: they are killed
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, l := range r.lanes {
			if len(l.busy) > 0 {
				return false
			}
		}
		return true
	}, patient, time.Millisecond)
}

func TestMemoryIsOfTheCall(t *testing.T) {
	r := runner(t)
	p := bundle(t, r, folder{"a.js": `export default (mib, turns) => { const all = []; for (let i = 0; i < mib; i++) all.push(new Uint8Array(1 << 20)); for (let i = 0; i < turns; i++); return all.length; };`}, "a.js")
	call := func(mib, turns int, memory int64) *Fault { // it holds what it has for as many turns, so that a busy machine sees it
		return r.Call(context.Background(), Call{Program: p, Input: strconv.AppendInt(nil, int64(mib), 10), View: strconv.AppendInt(nil, int64(turns), 10), Timeout: patient, Memory: memory}).Fault
	}
	const long = 1e8
	require.Equal(t, FaultMemory, call(100, long, 64<<20).Kind)
	require.Nil(t, call(40, 0, 64<<20))
	require.Nil(t, call(100, 0, 640<<20))
	require.Equal(t, "it holds more than 20 MiB", call(40, long, 20<<20).Detail)
}

func TestClosed(t *testing.T) {
	r := New(Options{})
	p := bundle(t, r, folder{"a.js": `export default () => { for (;;); };`}, "a.js")
	answers := make(chan Answer)
	for range 3 {
		go func() { answers <- r.Call(context.Background(), Call{Program: p, Timeout: time.Minute}) }()
	}
	require.Eventually(t, func() bool { return len(children(t, os.Getpid())) > 0 }, patient, time.Millisecond)
	r.Close()
	for range 3 {
		require.Equal(t, FaultProcess, (<-answers).Fault.Kind)
	}
	require.Empty(t, children(t, os.Getpid()))
	require.Equal(t, ErrClosed.Error(), r.Call(context.Background(), Call{Program: p}).Fault.Detail)
	_, problems := r.Bundle(t.Context(), "a.js", folder{"a.js": "export default () => 2"}.read)
	require.Equal(t, ErrClosed.Error(), problems[0].Detail)
	r.Close()
}

// sufferingHost is a host with children at work that waits to be killed.
func sufferingHost() {
	r := New(Options{})
	text := "export default () => { for (;;); };"
	p, _ := r.Bundle(context.Background(), "a.js", folder{"a.js": text}.read)
	r.Call(context.Background(), Call{Program: p, Timeout: time.Hour})
	os.Exit(0)
}

func TestChildrenEndWithTheHost(t *testing.T) {
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), hostMode+"=1")
	require.NoError(t, host.Start())
	var pids []int
	require.Eventually(t, func() bool {
		pids = children(t, host.Process.Pid)
		return len(pids) >= 2
	}, patient, 5*time.Millisecond)
	require.NoError(t, host.Process.Kill())
	_ = host.Wait()
	require.Eventually(t, func() bool {
		for _, pid := range pids {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				return false
			}
		}
		return true
	}, patient, 5*time.Millisecond)
}

// children are the living children of a process.
func children(t *testing.T, pid int) (pids []int) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, child)
		}
	}
	return pids
}

func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(text, []byte(") Z "))
}

func TestChildrenAreBare(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	r := runner(t)
	ask(t, r, bundle(t, r, folder{"a.js": "export default () => 1"}, "a.js"), "null")
	pids := children(t, os.Getpid())
	require.NotEmpty(t, pids)
	for _, pid := range pids {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		require.NoError(t, err)
		require.Empty(t, env)
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		require.NoError(t, err)
		require.Equal(t, "/", cwd)
		group, err := syscall.Getpgid(pid)
		require.NoError(t, err)
		require.Equal(t, pid, group)
		require.Eventually(t, func() bool {
			limits, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
			return bytes.Contains(limits, []byte("Max core file size        0 ")) && !bytes.Contains(limits, []byte("Max data size             unlimited"))
		}, patient, 5*time.Millisecond)
	}
}

// TestSourceBombs are sources that no reader of them survives. Their host does.
func TestSourceBombs(t *testing.T) {
	r := runner(t)
	const n = 200000
	for name, text := range map[string]string{
		"round":    "export default () => " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"square":   "export default () => " + strings.Repeat("[", n) + strings.Repeat("]", n),
		"not":      "export default () => " + strings.Repeat("!", n) + "1",
		"choice":   "export default () => " + strings.Repeat("1?2:", n) + "3",
		"sum":      "export default () => 1" + strings.Repeat("+1", n/20), // compiling it takes time with the square of n
		"chain":    "export default (a) => a" + strings.Repeat(".a", n),
		"arrows":   "export default () => " + strings.Repeat("a=>", n) + "1",
		"else":     "export default () => { " + strings.Repeat("if(1);else ", n) + "1 }",
		"template": "export default () => " + strings.Repeat("`${", n/4) + "1" + strings.Repeat("}`", n/4),
		"types":    "let x: " + strings.Repeat("A<", n) + "1; export default () => 1",
		"large":    "export default () => 1 //" + strings.Repeat("x", maxSource),
		"json":     `import x from "./x.json"; export default () => x;`,
	} {
		t.Run(name, func(t *testing.T) {
			before := held()
			p, problems := r.Bundle(t.Context(), "a.ts", folder{"a.ts": text, "x.json": strings.Repeat("[", n)}.read)
			if p != nil { // deep, and read all the same: then it can be called, or ends a child
				r.Call(context.Background(), Call{Program: p})
			} else {
				require.NotEmpty(t, problems[0].Summary)
			}
			require.Less(t, held()-before, int64(32<<20))
		})
	}
	require.Equal(t, "1", answer(t, r, "export default () => 1", "null"))
}

func FuzzBundle(f *testing.F) {
	r := runner(f)
	for _, seed := range []string{"export default () => 1", "import x from './a'; export default x", "export const queries = {a: 1n}; export default () => {}", "/(/", "`${`", "<x>", "\xff\xfe", "import 'omega:x'", "throw 1", "export default class {}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, problems := r.Bundle(context.Background(), "a.ts", folder{"a.ts": text}.read)
		require.Equal(t, p == nil, len(problems) > 0)
		for _, problem := range problems {
			require.NotEmpty(t, problem.Summary)
			require.NotEmpty(t, problem.File)
			require.LessOrEqual(t, problem.Line, strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+1)
		}
	})
}
