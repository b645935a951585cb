package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// schemaText is one form of what Omega writes, and its JSON Schema.
type schemaText struct {
	name string // that the schema is asked for by
	of   string // the artifact or the command that writes it
	line bool   // one object a line
	text string // draft 2020-12, compact
}

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema [NAME]", Short: "Print the JSON Schema of something Omega writes, or list them", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.listSchemas()
			}
			for _, s := range schemaTexts() {
				if s.name == args[0] || s.of == args[0] {
					return p.schema(&s)
				}
			}
			return usage("there is no schema %s: `omega schema` lists them", args[0])
		},
	}
}

func (p *program) schema(s *schemaText) error {
	var out bytes.Buffer
	if p.json {
		out.WriteString(s.text)
	} else if err := json.Indent(&out, []byte(s.text), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.out, out.String())
	return err
}

func (p *program) listSchemas() error {
	type row struct {
		Name string `json:"name"`
		Of   string `json:"of"`
		Line bool   `json:"line"`
	}
	rows := []row{}
	for _, s := range schemaTexts() {
		rows = append(rows, row{s.name, s.of, s.line})
	}
	if p.json {
		return p.print(rows)
	}
	for _, r := range rows {
		of := r.Of
		if r.Line {
			of = "a line of " + of
		}
		fmt.Fprintf(p.out, "%-20s %s\n", r.Name, of)
	}
	return nil
}
