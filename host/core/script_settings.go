package core

import "strings"

// PolicySettings is the table of a policy block: their target is a *PolicySpec.
func PolicySettings() []Setting {
	all := []Setting{
		needed(Setting{Block: "policy", Name: "on", Kind: KindNames, Choices: Hooks(), Changes: Now, at: func(t any) any { return &t.(*PolicySpec).On }, Doc: "What it is asked about. Nothing in this version asks about message and simulation.act."}),
		{Block: "policy", Name: "mode", Kind: KindText, Default: "enforce", Choices: []string{"enforce", "shadow"}, Changes: Now, at: func(t any) any { return &t.(*PolicySpec).Mode }, Doc: "Whether what it says counts, or is only recorded."},
	}
	return append(all, scriptSettings("policy", "150ms", []string{SayDeny, SayAsk, SayAllow}, func(t any) *ScriptSpec { return &t.(*PolicySpec).Script })...)
}

// Hooks are the names of all hooks.
func Hooks() []string {
	return []string{string(HookPost), string(HookDelegate), string(HookTransfer), string(HookAssign), string(HookMessage), string(HookSteer)}
}

// GuardianSettings is the table of the guardian block: their target is a
// *GuardianSpec.
func GuardianSettings() []Setting {
	all := scriptSettings("guardian", "1s", []string{"none", "default"}, func(t any) *ScriptSpec { return &t.(*GuardianSpec).Script })
	for i := range all {
		if all[i].Name == "fallback" {
			all[i].Doc = "Who is asked in its place once it has failed five times in a row: nobody, or omega:guardian, without params."
		}
	}
	return all
}

// StrategistSettings is the table of a strategist block: their target is a
// *StrategistSpec.
func StrategistSettings() []Setting {
	interval := duration("strategist", "interval", "1m", Now, func(t any) any { return &t.(*StrategistSpec).Interval }, "Mission time between two times it is asked, at least; it is asked when something has happened.")
	interval.Min = int64(Second)
	all := []Setting{
		needed(amount("strategist", "budget", "", Now, func(t any) any { return &t.(*StrategistSpec).Budget }, "TOKEN it may spend on jobs, given out of the owner's account to the account of its name.")),
		interval,
	}
	return append(all, scriptSettings("strategist", "1s", []string{"none"}, func(t any) *ScriptSpec { return &t.(*StrategistSpec).Script })...)
}

// scriptSettings is the table of a script. Its params are an expression; its
// digest is computed.
func scriptSettings(block, timeout string, fallbacks []string, at func(any) *ScriptSpec) []Setting {
	limit := duration(block, "timeout", timeout, Now, func(t any) any { return &at(t).Timeout }, "Wall time one call may take.")
	limit.Min, limit.Max = 10, int64(Minute)
	said := "What is said in its place each time it fails, and without asking it once it has failed five times in a row."
	if strings.HasPrefix(block, "worker") {
		said = "Nothing is said in its place: an attempt that fails is tried again, and it is always asked."
	}
	return []Setting{
		{Block: block, Name: "script", Kind: KindText, Changes: Now, at: func(t any) any { return &at(t).Path }, Doc: "Its file, JavaScript or TypeScript, in the mission folder; omega:<name> is one that comes with Omega."},
		limit,
		{Block: block, Name: "memory", Kind: KindBytes, Default: "67108864", Min: 16 << 20, Max: 1 << 30, Changes: Now, at: func(t any) any { return &at(t).Memory }, Doc: "Bytes one call may hold."},
		{Block: block, Name: "fallback", Kind: KindText, Default: fallbacks[0], Choices: fallbacks, Changes: Now, at: func(t any) any { return &at(t).Fallback }, Doc: said},
	}
}
