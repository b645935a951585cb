package worker

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// launch is all a process is started with.
type launch struct {
	shim   string   // the shim's binary
	path   string   // the program's file
	argv   []string // the names of mission files made absolute
	env    []string
	hidden hidden
	input  []byte
	memory int64
	output int64
}

// launch reads the task's command and environment; a refusal is the reply.
func (x *Exec) launch(t Task, f folder) (launch, *Reply) {
	if len(t.Command) == 0 || t.Command[0] == "" {
		return launch{}, refuse(false, "The command is empty; name a program.")
	}
	for _, arg := range t.Command {
		if strings.ContainsRune(arg, 0) {
			return launch{}, refuse(false, "An argument of the command holds a NUL character, which no program can be given.")
		}
	}
	mission, err := os.OpenRoot(t.MissionDir)
	if err != nil {
		return launch{}, refuse(true, "The mission's folder cannot be opened: %v.", err)
	}
	defer mission.Close()
	l := launch{shim: x.Program, argv: slices.Clone(t.Command), input: t.Input, hidden: hide(t.Secrets), memory: t.MemoryBytes, output: t.OutputBytes}
	if l.shim == "" {
		l.shim = self()
	}
	var refusal *Reply
	if l.path, refusal = program(mission, f.mission, t.Command[0]); refusal != nil {
		return l, refusal
	}
	if strings.ContainsRune(l.argv[0], '/') {
		l.argv[0] = l.path
	}
	for i, arg := range l.argv[1:] {
		if isMissionFile(mission, arg) {
			l.argv[i+1] = filepath.Join(f.mission, arg)
		}
	}
	l.env, refusal = x.environment(t, f)
	return l, refusal
}

// program finds the file that name means.
func program(mission *os.Root, dir, name string) (string, *Reply) {
	if !strings.ContainsRune(name, '/') {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		if isMissionFile(mission, name) {
			return "", refuse(false, "The program %q is not on PATH; for the file of that name in the mission's folder write \"./%s\".", name, name)
		}
		return "", refuse(true, "The program %q is not on PATH; install it, or correct the name.", name)
	}
	if !isLocal(name) {
		return "", refuse(false, "The program %q is outside the mission's folder; write a path under that folder, or a name without a slash for a program on PATH.", name)
	}
	info, err := mission.Stat(name)
	switch {
	case os.IsNotExist(err):
		return "", refuse(false, "The mission's folder has no file %q.", name)
	case err != nil:
		return "", refuse(false, "The program %q cannot be reached under the mission's folder; links may not lead out of it.", name)
	case !info.Mode().IsRegular():
		return "", refuse(false, "The program %q is not a regular file.", name)
	case info.Mode().Perm()&0o111 == 0:
		return "", refuse(false, "The program %q is not executable; run chmod +x on it, or start it by its interpreter.", name)
	}
	return filepath.Join(dir, name), nil
}

// isLocal reports whether path is relative and never goes up, not even to come back.
func isLocal(path string) bool {
	return filepath.IsLocal(path) && !slices.Contains(strings.Split(path, "/"), "..")
}

// isMissionFile reports whether arg, as a whole, names a regular file under the mission's folder.
func isMissionFile(mission *os.Root, arg string) bool {
	if !isLocal(arg) {
		return false
	}
	info, err := mission.Stat(arg)
	return err == nil && info.Mode().IsRegular()
}

// environment is all the program sees of the host's.
func (x *Exec) environment(t Task, f folder) ([]string, *Reply) {
	env := []string{"OMEGA_MISSION=" + f.mission, outVariable + "=" + f.out, "OMEGA_JOB=" + t.Job, "OMEGA_ATTEMPT=" + strconv.Itoa(t.Attempt)}
	fixed := []string{"OMEGA_MISSION", outVariable, "OMEGA_JOB", "OMEGA_ATTEMPT", "OMEGA_BLOBS", childrenVariable}
	if t.Children != nil || t.Raw { // they may look at files others have left
		env = append(env, "OMEGA_BLOBS="+f.blobs)
	}
	if t.Children != nil {
		env = append(env, childrenVariable+"="+filepath.Join(f.dir, childrenName))
	}
	if x.Rehearsal {
		env = append(env, "LANG=C.UTF-8", "TZ=UTC")
		fixed = append(fixed, "LANG", "TZ")
	}
	for _, s := range t.Secrets {
		if s.Name == "" || strings.ContainsAny(s.Name, "=\x00") || strings.ContainsRune(s.Value, 0) {
			return nil, refuse(false, "The secret %q cannot be an environment variable.", s.Name)
		}
		if !slices.Contains(fixed, s.Name) {
			fixed, env = append(fixed, s.Name), append(env, s.Name+"="+s.Value)
		}
	}
	for _, name := range append([]string{"PATH", "HOME", "LANG"}, t.Env...) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, refuse(false, "%q in env is not the name of a variable.", name)
		}
		if slices.Contains(fixed, name) {
			continue
		}
		fixed = append(fixed, name)
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	slices.Sort(env)
	return env, nil
}

// self is the running binary; the link stays right when the file was replaced by a newer one.
func self() string {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
