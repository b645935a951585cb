package scripts

// Declarations are the types of what a script is given and answers, for editors.
func Declarations() []byte {
	text, _ := files.ReadFile("omega.d.ts")
	return text
}
