package main

import (
	"strings"

	"github.com/omega-run/omega/host/projection"
)

// coded is a reason or refusal in plain words, with the code it stands for
// where that reads otherwise. What somebody wrote stays as it is.
func coded(code string) string {
	text := projection.Words(code)
	if text == code || strings.Contains(code, " ") {
		return code
	}
	return text + " (" + code + ")"
}

// refusal is the code of one with what is known beside it.
func refusal(code, detail string) string {
	text := coded(code)
	if detail != "" {
		text += ": " + clean(detail)
	}
	return text
}
