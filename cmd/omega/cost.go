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
	cmd.Flags().IntVar(&top, "top", 20, "at most `N` rows, and one for all others")
	return cmd
}

const mostRows = 100_000

// bill writes a table, its sum and the balances it agrees with.
func (p *program) bill(s *inquiry.BillSheet) error {
	if s.Rest != nil {
		s.Rest.Name = fmt.Sprintf("%d others", s.Rest.Count)
		s.Rows = append(s.Rows, *s.Rest)
	}
	widest := len("validator")
	for _, r := range s.Rows {
		widest = max(widest, utf8.RuneCountInString(r.Name))
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-*s\t%s\t", widest, s.By, amountName(s.By))
	for _, c := range s.Columns {
		fmt.Fprintf(w, "%s\t", plainName(c))
	}
	fmt.Fprintln(w)
	for i := range s.Rows {
		r := &s.Rows[i]
		fmt.Fprintf(w, "%-*s\t%s\t", widest, clean(r.Name), r.Amount)
		for _, c := range s.Columns {
			fmt.Fprintf(w, "%s\t", r.Parts[c])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%-*s\t%s\t\n", widest, "sum", s.Check.Rows)
	if err := w.Flush(); err != nil {
		return err
	}
	return checkLine(p.out, s)
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

func plainName(column string) string { return strings.ReplaceAll(column, "_", " ") }
