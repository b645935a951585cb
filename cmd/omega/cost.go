package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/ledger"
)

func (p *program) costCommand() *cobra.Command {
	var by string
	var top int
	cmd := &cobra.Command{
		Use:   "cost [JOB]",
		Short: "Say what the mission, or a job and all below it, has cost, exact to the unit",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(inquiry.Groupings(), inquiry.Grouping(by)) {
				return usage("--by %s: it is one of %v", by, inquiry.Groupings())
			}
			if top < 1 || top > mostRows {
				return usage("--top %d: it is between 1 and %d", top, mostRows)
			}
			data, err := p.folder()
			if err != nil {
				return err
			}
			job := ""
			if len(args) > 0 {
				job = args[0]
			}
			sheet, err := host.Cost(data, job, inquiry.Grouping(by), top)
			if err != nil {
				return asUsage(err)
			}
			if p.json {
				return p.print(sheet)
			}
			return p.bill(sheet)
		},
	}
	cmd.Flags().StringVar(&by, "by", string(inquiry.ByJob), "one row for each `WHAT`: job, worker, validator, account, hour or block")
	cmd.Flags().IntVar(&top, "top", 30, "at most `N` rows, and one for all others")
	return cmd
}

const mostRows = 100_000

// bill writes a table, its sum and the balances it agrees with.
func (p *program) bill(s *inquiry.BillSheet) error {
	if s.Rest != nil {
		s.Rest.Name = number(s.Rest.Count, "other")
		s.Rows = append(s.Rows, *s.Rest)
	}
	table := billTable(s)
	widest := len("validator")
	for _, row := range table {
		widest = max(widest, utf8.RuneCountInString(row[0]))
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range table {
		fmt.Fprintf(w, "%-*s\t%s\t\n", widest, row[0], strings.Join(row[1:], "\t"))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprint(p.out, strings.TrimPrefix(line, "  ")); err != nil {
			return err
		}
	}
	return checkLine(p.out, s)
}

// mostKey is the longest name in a table, in runes.
const mostKey = 32

// billTable is the rows with a head and the sum, without columns that say
// nothing.
func billTable(s *inquiry.BillSheet) [][]string {
	head := []string{string(s.By), amountName(s.By)}
	table := make([][]string, len(s.Rows))
	for i := range s.Rows {
		table[i] = []string{cut(s.Rows[i].Name, mostKey), s.Rows[i].Amount}
	}
	for _, c := range s.Columns {
		column, empty := make([]string, len(table)), true
		for i := range s.Rows {
			column[i] = cell(c, s.Rows[i].Parts)
			empty = empty && (column[i] == "0" || column[i] == "")
		}
		if empty {
			continue
		}
		head = append(head, headOf(c))
		for i := range table {
			table[i] = append(table[i], column[i])
		}
	}
	return append(append([][]string{head}, table...), []string{"sum", s.Check.Rows})
}

// cell is what stands in a column; how a price went is one.
func cell(column string, parts map[string]string) string {
	of, what, _ := strings.Cut(column, "_")
	if low, high := parts[of+"_lowest"], parts[of+"_highest"]; what == "price" && low != high {
		return parts[column] + " (" + low + "–" + high + ")"
	}
	if what == "lowest" || what == "highest" {
		return ""
	}
	return parts[column]
}

// headOf is a short name of a column.
func headOf(column string) string {
	switch column {
	case "worker_pay":
		return "pay"
	case "validator_shares":
		return "shares"
	case "slashes_back":
		return "back"
	}
	return strings.ReplaceAll(column, "_", " ")
}

func amountName(by inquiry.Grouping) string {
	switch by {
	case inquiry.ByWorker, inquiry.ByValidator, inquiry.ByAccount:
		return "change"
	}
	return "cost"
}

func checkLine(w io.Writer, s *inquiry.BillSheet) error {
	c := &s.Check
	if s.Job != "" {
		_, err := fmt.Fprintf(w, "check: %s = the balances; %s paid %s, %s is still held\n", c.Rows, c.Payer, c.Paid, c.Held)
		return err
	}
	_, err := fmt.Fprintf(w, "check: %s = the balances; of %s minted, %s is endowed, %s free, %s held, %s spent\n", c.Rows, c.Minted, c.Lent, c.Free, c.Held, s.Cost.Total)
	return err
}

// sumOf adds decimal texts that the program has written itself.
func sumOf(amounts ...string) string {
	var sum ledger.Amount
	for _, text := range amounts {
		a, err := ledger.ParseAmount(text)
		if err != nil {
			panic("omega: " + err.Error())
		}
		sum += a
	}
	return sum.String()
}
