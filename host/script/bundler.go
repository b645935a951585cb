package script

import (
	"embed"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/omega-run/omega/scripts"
)

// omegaPrefix begins the names of what comes with Omega.
const omegaPrefix = "omega:"

// modules are what scripts may import besides each other.
//
//go:embed modules/*.js
var modules embed.FS

// ownSource is the text of omega:<name>, a module or a script.
func ownSource(name string) ([]byte, bool) {
	if name == "types" {
		return nil, true // declarations only: scripts/omega.d.ts
	}
	if text, err := modules.ReadFile("modules/" + name + ".js"); err == nil {
		return text, true
	}
	return scripts.Source(name)
}

// ownNames are all that ownSource knows.
func ownNames() []string {
	names := append(scripts.Names(), "types")
	entries, _ := modules.ReadDir("modules")
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".js"))
	}
	slices.Sort(names)
	for i := range names {
		names[i] = omegaPrefix + names[i]
	}
	return names
}

// isTest reports whether a file is one of tests, which exports nothing.
func isTest(entry string) bool {
	return strings.HasSuffix(strings.TrimSuffix(entry, path.Ext(entry)), ".test")
}

// The bundler's namespaces of files.
const (
	inMission = "file"
	inOmega   = "omega"
	inTests   = "tests" // the entry put before a file of tests
)

// errNoFile is said of a file that is not there.
var errNoFile = errors.New("no such file")

// bundler makes one script of an entry and of what it imports.
type bundler struct {
	entry string
	read  func(path string) ([]byte, error) // asks the host
}

// bundle gives the code, a function that evaluates the script and returns what it
// exports.
func (b *bundler) bundle() (code string, problems []Problem) {
	result := api.Build(api.BuildOptions{
		EntryPoints:    []string{b.entry},
		Outfile:        "/bundle",
		AbsWorkingDir:  "/",
		Bundle:         true,
		Platform:       api.PlatformNeutral,
		Format:         api.FormatESModule,
		Target:         api.ES2022,
		Supported:      map[string]bool{"for-await": false, "async-generator": false, "top-level-await": false, "dynamic-import": false, "regexp-match-indices": false, "regexp-set-notation": false, "exponent-operator": false},
		Charset:        api.CharsetUTF8,
		Sourcemap:      api.SourceMapInline,
		SourcesContent: api.SourcesContentExclude,
		LegalComments:  api.LegalCommentsNone,
		TsconfigRaw:    "{}",
		Metafile:       true,
		Banner:         map[string]string{"js": "(function () {"},
		Footer:         map[string]string{"js": "})"},
		LogLevel:       api.LogLevelSilent,
		Plugins:        []api.Plugin{{Name: "omega", Setup: b.setup}},
	})
	for _, m := range result.Errors {
		if m.Location != nil || m.PluginName != "" { // else it is about a folder that it may not list
			problems = append(problems, b.problem(m))
		}
	}
	if len(problems) == 0 && len(result.OutputFiles) == 1 {
		code = returning(string(result.OutputFiles[0].Contents), strings.Contains(result.Metafile, `"exports": []`))
	}
	return code, problems
}

// returning makes the return of a function of what a module exports, line for
// line: the bundler writes one statement, the last one at the beginning of a
// line.
func returning(code string, nothing bool) string {
	const export = "\nexport "
	start := strings.LastIndex(code, export)
	if start < 0 || nothing {
		return code
	}
	before, statement := code[:start+1], code[start+len(export):]
	if value, ok := strings.CutPrefix(statement, "default "); ok {
		value, after, _ := strings.Cut(value, ";\n")
		return before + "return { default: " + value + " };\n" + after
	}
	clause, after, _ := strings.Cut(strings.TrimPrefix(statement, "{"), "};")
	var b strings.Builder
	for line := range strings.Lines(clause) {
		line, more := strings.CutSuffix(strings.TrimSpace(line), ",")
		local, name, renamed := strings.Cut(line, " as ")
		switch {
		case renamed:
			b.WriteString(name + ": " + local)
		case line != "":
			b.WriteString(line)
		}
		if more {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	return before + "return {" + b.String() + "};" + after
}

func (b *bundler) setup(build api.PluginBuild) {
	build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		return b.resolve(a), nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: ".*"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		return b.load(a), nil
	})
}

// unusable is a message with a remedy.
func unusable(summary, remedy string) []api.Message {
	return []api.Message{{Text: summary, Notes: []api.Note{{Text: remedy}}}}
}

// resolve says which file an import means.
func (b *bundler) resolve(a api.OnResolveArgs) api.OnResolveResult {
	name, own := strings.CutPrefix(a.Path, omegaPrefix)
	switch {
	case a.Kind == api.ResolveEntryPoint && isTest(a.Path):
		return api.OnResolveResult{Path: a.Path, Namespace: inTests}
	case own && a.Kind == api.ResolveEntryPoint:
		if _, err := b.read(a.Path); err != nil {
			return api.OnResolveResult{Errors: unusable("there is no "+a.Path, "There are "+strings.Join(ownNames(), ", ")+".")}
		}
		return api.OnResolveResult{Path: name, Namespace: inOmega}
	case own:
		if _, ok := ownSource(name); !ok {
			return api.OnResolveResult{Errors: unusable("there is no "+a.Path, "There are "+strings.Join(ownNames(), ", ")+".")}
		}
		return api.OnResolveResult{Path: name, Namespace: inOmega}
	case a.Kind == api.ResolveEntryPoint, a.Namespace == inTests:
		return b.find(a.Path)
	case !strings.HasPrefix(a.Path, "./") && !strings.HasPrefix(a.Path, "../"):
		return api.OnResolveResult{Errors: unusable("a script cannot import "+quoted(a.Path),
			"It imports files of the mission folder, as in ./limits.js, and "+strings.Join(ownNames(), ", ")+". There are no packages: put the code into a file beside the script.")}
	}
	file := path.Join(strings.TrimPrefix(path.Dir(a.Importer), "/"), a.Path)
	if file == ".." || strings.HasPrefix(file, "../") {
		return api.OnResolveResult{Errors: unusable(quoted(a.Path)+" leaves the mission folder", "A script imports only files of the mission folder: copy the file into it.")}
	}
	if base, ok := strings.CutSuffix(file, ".js"); ok {
		return b.find(file, base+".ts")
	}
	if path.Ext(file) == "" {
		return b.find(file, file+".ts", file+".js")
	}
	return b.find(file)
}

func quoted(s string) string { return `"` + cutText(s, 200) + `"` }

// find looks for a file under several names: an import may leave out its ending,
// or say .js for .ts.
func (b *bundler) find(tries ...string) api.OnResolveResult {
	for _, name := range tries {
		_, err := b.read(name)
		switch {
		case err == nil:
			return api.OnResolveResult{Path: "/" + name, Namespace: inMission}
		case !errors.Is(err, errNoFile):
			return api.OnResolveResult{Errors: unusable(quoted(name)+" cannot be used", err.Error())}
		}
	}
	return api.OnResolveResult{Errors: unusable("there is no file "+quoted(tries[0]), "Looked for "+strings.Join(tries, ", ")+" in the mission folder. Check the name, or remove the import.")}
}

// load gives a file's text.
func (b *bundler) load(a api.OnLoadArgs) api.OnLoadResult {
	switch a.Namespace {
	case inTests:
		text := "import " + string(appendText(nil, a.Path)) + `; export { run as default } from "omega:test";`
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}
	case inOmega:
		bytes, _ := ownSource(a.Path)
		if name := omegaPrefix + a.Path; name == b.entry {
			bytes, _ = b.read(name)
		}
		text := string(bytes)
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}
	}
	name := strings.TrimPrefix(a.Path, "/")
	loader, ok := loaders[path.Ext(name)]
	if !ok {
		return api.OnLoadResult{Errors: unusable(quoted(name)+" is no script", "A script's name ends in .js, .mjs, .ts or .mts; data is imported from .json.")}
	}
	bytes, err := b.read(name)
	if err != nil {
		return api.OnLoadResult{Errors: unusable(quoted(name)+" cannot be used", err.Error())}
	}
	text := string(bytes)
	if strings.Contains(text, "sourceMappingURL=") {
		text += noMap
	}
	return api.OnLoadResult{Contents: &text, Loader: loader}
}

// noMap keeps a file from saying that its lines are those of another: the last
// comment of that kind counts, and this one names nothing.
const noMap = "\n//# sourceMappingURL=omega:none"

var loaders = map[string]api.Loader{".js": api.LoaderJS, ".mjs": api.LoaderJS, ".ts": api.LoaderTS, ".mts": api.LoaderTS, ".json": api.LoaderJSON}

// problem is a message of the bundler.
func (b *bundler) problem(m api.Message) Problem {
	p := Problem{File: b.entry, Summary: cutText(m.Text, maxDetail)}
	if l := m.Location; l != nil && l.Namespace != inTests {
		p.File, p.Line, p.Column = strings.TrimPrefix(l.File, "/"), l.Line, l.Column+1
	}
	var notes []string
	for _, n := range m.Notes {
		notes = append(notes, n.Text)
	}
	if strings.HasPrefix(m.Text, "Could not resolve") {
		notes = append(notes, "Name the file that is imported: it is not computed.")
	}
	p.Detail = cutText(strings.Join(notes, " "), maxDetail)
	return p
}
