package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
)

// view is the live view of a mission in a terminal.
type view struct {
	screen
	data  string // the data folder
	feed  *feed
	order func(core.OrderKind) (string, error) // gives an order and says how it was answered
	leave func(now bool)                       // once in order, then at once
	asked bool                                 // to leave
}

// What a view is told.
type (
	pulseMsg   *pulse
	secondMsg  outlook // once a second
	frameMsg   time.Time
	noteMsg    struct{ text string }
	orderedMsg struct {
		text string
		err  error
	}
	overMsg outlook // there is nothing more to see
)

// frameEvery is how often mission time is drawn anew.
const frameEvery = time.Second / 5

func (v *view) Init() tea.Cmd { return tea.Batch(v.nextPulse, v.nextFrame(), v.look) }

func (v *view) nextPulse() tea.Msg { return pulseMsg(<-v.feed.pulses) }

func (v *view) nextFrame() tea.Cmd {
	return tea.Tick(frameEvery, func(t time.Time) tea.Msg { return frameMsg(t) })
}

func (v *view) look() tea.Msg { return secondMsg(readOutlook(v.data)) }

func (v *view) nextLook() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return v.look() })
}

func (v *view) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		v.width, v.height = m.Width, m.Height
	case pulseMsg:
		v.pulse = m
		return v, v.nextPulse
	case frameMsg:
		v.wall = time.Time(m)
		return v, v.nextFrame()
	case secondMsg:
		v.outlook = outlook(m)
		if !v.owner {
			v.hosted = host.Running(v.data)
		}
		return v, v.nextLook()
	case noteMsg:
		v.note, v.noteBad = m.text, true
	case orderedMsg:
		v.note, v.noteBad = m.text, m.err != nil
		if m.err != nil {
			v.note = "cannot: " + m.err.Error()
		}
	case overMsg:
		v.outlook, v.over, v.note = outlook(m), true, ""
		return v, tea.Quit
	case tea.KeyPressMsg:
		return v, v.key(m.String())
	}
	return v, nil
}

func (v *view) key(key string) tea.Cmd {
	switch key {
	case "q", "ctrl+c":
		if v.owner {
			v.note, v.noteBad = "leaving: the state is being sealed; once more to leave now", false
		}
		v.leave(v.asked)
		v.asked = true
	case "p":
		return v.give(core.Pause)
	case "r":
		return v.give(core.Resume)
	case "?":
		v.help = !v.help
	case "esc":
		v.help = false
	}
	return nil
}

func (v *view) give(kind core.OrderKind) tea.Cmd {
	v.note, v.noteBad = string(kind)+" …", false
	return func() tea.Msg {
		text, err := v.order(kind)
		return orderedMsg{text, err}
	}
}

func (v *view) View() tea.View { return tea.NewView(strings.Join(v.lines(), "\n")) }

// complaints keeps what is written for standard error while a view holds the
// terminal, and shows it there.
type complaints struct {
	mu   sync.Mutex
	kept []byte
	show func(string) // nil before there is a view
}

// mostComplaints bounds what is kept, in bytes.
const mostComplaints = 64 << 10

func (c *complaints) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < mostComplaints {
		c.kept = append(c.kept, b...)
	}
	if text := strings.TrimSpace(string(b)); text != "" && c.show != nil {
		c.show(clean(text))
	}
	return len(b), nil
}

func (c *complaints) tell(show func(string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show = func(text string) { go show(text) } // a view that has not begun yet takes nothing
}

func (c *complaints) flush(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = w.Write(c.kept)
}

// live reports whether there is a terminal that a view can be drawn on.
func (p *program) live() bool {
	out, ok := p.out.(*os.File)
	return ok && isTerminal(out) && !p.json && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
}

// newView begins a view whose first pulse is still to come.
func (p *program) newView(f *feed, data string) *view {
	v := &view{feed: f, data: data, screen: screen{width: 80, height: 24, wall: time.Now(), paint: coloured, hosted: true}}
	if os.Getenv("NO_COLOR") != "" {
		v.paint = colourless
	}
	v.order = func(kind core.OrderKind) (string, error) {
		a, running, err := send(data, &host.Order{Name: kind}, true)
		if err != nil {
			return "", err
		}
		return string(kind) + ": " + answerText(a, running), nil
	}
	return v
}

// draw makes the program that draws a view. Without a terminal to read keys from
// it takes none.
func (p *program) draw(v *view) *tea.Program {
	options := []tea.ProgramOption{tea.WithOutput(p.out), tea.WithoutSignalHandler(), tea.WithFPS(10), tea.WithInput(nil)}
	if in, ok := p.in.(*os.File); ok && isTerminal(in) {
		options = append(options, tea.WithInput(in))
	}
	return tea.NewProgram(v, options...)
}

// runShown runs a mission behind a view. What is wrong before it runs is said
// without one.
func (p *program) runShown(c host.Config) (*host.Outcome, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f, said := newFeed(), &complaints{}
	c.Watch, c.Lines, c.Problem = f.take, nil, said
	defer func() { said.flush(p.err) }()
	session, err := host.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	v := p.newView(f, session.Data())
	v.owner = true
	t := p.draw(v)
	v.leave = leaving(t, cancel)
	defer onSignals(func() { v.leave(false) }, func() { v.leave(true) })()
	said.tell(func(text string) { t.Send(noteMsg{text}) })
	go func() {
		_, _ = session.Wait()
		t.Send(pulseMsg(f.final()))
		t.Send(overMsg(readOutlook(session.Data())))
	}()
	if _, err := t.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		fmt.Fprintf(p.err, "omega: the view is gone, the mission goes on: %v\n", err)
	}
	return session.Wait()
}

// leaving asks for the end in order at first, and then takes the terminal back
// and ends the program at once.
func leaving(t *tea.Program, cancel context.CancelFunc) func(now bool) {
	return func(now bool) {
		cancel()
		if now {
			go func() {
				t.Kill()
				t.Wait()
				os.Exit(130)
			}()
		}
	}
}
