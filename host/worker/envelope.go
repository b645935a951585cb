package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// maxAmountBytes is the longest decimal: no 64-bit amount in any scale needs more.
const maxAmountBytes = 40

// parseEnvelope reads what an attempt printed: {"result": …, "energy_used": "…", "compute_used": "…"}. The
// amounts may be left out.
func parseEnvelope(stdout []byte) (result []byte, energy, compute string, fault Fault, detail string) {
	bad := func(format string, args ...any) ([]byte, string, string, Fault, string) {
		return nil, "", "", FaultBadJSON, "Standard output " + fmt.Sprintf(format, args...)
	}
	if strings.TrimSpace(string(stdout)) == "" {
		return bad(`is empty; the program must print one object {"result": …} on it.`)
	}
	text, err := core.CanonicalMax(stdout, len(stdout)) // its limit was applied while it was read
	if err != nil {
		return bad("is not one JSON value: %s; print only the envelope there, and messages on standard error.", jsonReason(err))
	}
	var members map[string]json.RawMessage
	if text[0] != '{' || json.Unmarshal(text, &members) != nil {
		return bad(`is not an object; the program must print {"result": …}.`)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != "result" && name != "energy_used" && name != "compute_used" {
			return bad(`has an unknown member %.80q; data belongs inside "result", beside it only "energy_used" and "compute_used" may stand.`, name)
		}
	}
	result, ok := members["result"]
	if !ok {
		return bad(`has no member "result".`)
	}
	if energy, err = usage(members, "energy_used"); err == nil {
		compute, err = usage(members, "compute_used")
	}
	if err != nil {
		return bad("%v", err)
	}
	if len(result) > MaxResultBytes {
		return nil, "", "", FaultTooLarge, fmt.Sprintf("The result is %d bytes as compact JSON, the limit is %d; leave large data as files in $OMEGA_OUT.", len(result), MaxResultBytes)
	}
	return result, energy, compute, "", ""
}

func jsonReason(err error) string {
	var reason *core.JSONError
	if errors.As(err, &reason) {
		return fmt.Sprintf("at byte %d, %s", reason.Offset, reason.Reason)
	}
	return err.Error()
}

// usage is the amount of that name, "" when it was not reported.
func usage(members map[string]json.RawMessage, name string) (string, error) {
	raw, ok := members[name]
	if !ok {
		return "", nil
	}
	var amount string
	if raw[0] != '"' || json.Unmarshal(raw, &amount) != nil || !isAmount(amount) {
		return "", fmt.Errorf(`has %q = %.80s; it must be a string holding a decimal number not below 0, without exponent or superfluous zeros, such as "12.5".`, name, raw)
	}
	return amount, nil
}

// isAmount reports whether s is a non-negative decimal in its only form: "0", "12", "0.5", never "-1", "01", "1.0", ".5".
func isAmount(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	if len(s) > maxAmountBytes || !allDigits(whole) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !point || allDigits(fraction) && fraction[len(fraction)-1] != '0'
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
