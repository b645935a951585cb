package core

import (
	"encoding/hex"
	"strconv"
)

func appendHex(dst, src []byte) []byte { return hex.AppendEncode(dst, src) }

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// The spec is recorded in full, defaults included, so that a later version with
// other defaults reads an old journal the same way.
func (s *Spec) fields(c *Codec) {
	c.Text("mission", &s.Mission.Name)
	for _, setting := range Settings() {
		setting.field(c, setting.Block+"."+setting.Name, s)
	}
	records(c, "accounts", &s.Accounts)
	records(c, "workers", &s.Workers)
	records(c, "validators", &s.Validators)
	records(c, "policies", &s.Policies)
	object(c, "guardian", &s.Guardian)
	records(c, "strategists", &s.Strategists)
	integer(c, "instances", &s.Instances)
}

func (w *WorkerSpec) fields(c *Codec) {
	c.Text("name", &w.Name)
	c.Texts("instances", &w.Instances)
	c.Text("kind", (*string)(&w.Kind))
	for _, setting := range WorkerSettings() {
		if setting.Block == "worker" || setting.Block == "worker."+string(w.Kind) {
			setting.field(c, setting.Name, w)
		}
	}
	records(c, "headers", &w.HTTP.Headers)
	records(c, "secrets", w.Secrets())
	w.Script.rest(c)
}

func (a *AccountSpec) fields(c *Codec) {
	c.Text("name", &a.Name)
	for _, setting := range AccountSettings() {
		setting.field(c, setting.Name, a)
	}
}

func (h *Header) fields(c *Codec) {
	c.Text("name", &h.Name)
	c.Text("value", &h.Value)
}

func (s *Secret) fields(c *Codec) {
	c.Text("name", &s.Name)
	c.Text("variable", &s.Variable)
}

func (v *ValidatorSpec) fields(c *Codec) {
	c.Text("name", &v.Name)
	c.Texts("instances", &v.Instances)
	c.Text("kind", (*string)(&v.Kind))
	for _, setting := range ValidatorSettings() {
		if setting.Block == "validator."+string(v.Kind) {
			setting.field(c, setting.Name, v)
		}
	}
	records(c, "secrets", &v.Exec.Secrets)
	v.Script.rest(c)
	list(c, "keys", &v.Keys, keyField)
}

// field writes or reads a setting in the notation of its kind.
func (s Setting) field(c *Codec, name string, target any) {
	if names, ok := s.at(target).(*[]string); ok {
		c.Texts(name, names)
		return
	}
	value := ""
	if !c.reading {
		value = s.Format(target)
	}
	c.Text(name, &value)
	if c.reading && c.err == nil && value != "" {
		if err := s.read(target, value); err != nil {
			c.fail(s.Name + ": " + err.Error())
		}
	}
}
