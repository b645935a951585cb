package host

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

const missionOfTest = "01J00000000000000000000000"

func keyOf(b byte) ed25519.PrivateKey {
	seed := [ed25519.SeedSize]byte{b}
	return ed25519.NewKeyFromSeed(seed[:])
}

func lineOf(t *testing.T, o *Order) string {
	t.Helper()
	line, err := o.sign(keyOf(1), "01J0000000000000000000000A", missionOfTest, 7)
	require.NoError(t, err)
	return string(line)
}

func TestSignedOrderIsRead(t *testing.T) {
	o, err := parseOrder([]byte(lineOf(t, &Order{Name: core.CancelJob, Job: "a", Reason: "no \"longer\" needed"})), missionOfTest)
	require.NoError(t, err)
	require.Equal(t, core.CancelJob, o.Say)
	require.Equal(t, "a", o.Job)
	require.Equal(t, `no "longer" needed`, o.Reason)
	require.EqualValues(t, 7, o.Counter)
	require.Empty(t, o.Problem)
}

// Whatever is changed in a signed line, or added to it, it is no order any more.
func TestForgedOrdersAreRefused(t *testing.T) {
	line := lineOf(t, &Order{Name: core.Pause})
	open := strings.TrimSuffix(line, "}")
	for name, forged := range map[string]string{
		"another order":            strings.Replace(line, `"pause"`, `"resume"`, 1),
		"another counter":          strings.Replace(line, `"counter":7`, `"counter":8`, 1),
		"another mission":          strings.Replace(line, missionOfTest, "01J0000000000000000000000B", 1),
		"members behind":           open + `,"counter":9}`,
		"other case behind":        open + `,"ID":"X","Counter":99,"Order":{"name":"resume"}}`,
		"a second signature":       open + `,"sig":"AAAA"}`,
		"space behind":             line + " ",
		"no signature":             line[:strings.Index(line, `,"sig"`)] + "}",
		"a cut signature":          strings.Replace(line, `=="}`, `"}`, 1),
		"an escape in a signature": strings.Replace(line, `,"sig":"`, `,"sig":"\u0041`, 1),
		"half a line":              line[:len(line)/2],
		"junk":                     "\x00\xff{",
		"nothing but brackets":     strings.Repeat("[", 100_000),
	} {
		_, err := parseOrder([]byte(forged), missionOfTest)
		require.Error(t, err, name)
	}
}

// A signed order that nobody understands is an order: the record refuses it.
func TestOrderThatIsNotUnderstood(t *testing.T) {
	o, err := parseOrder([]byte(lineOf(t, &Order{Name: core.PostJob})), missionOfTest)
	require.NoError(t, err)
	require.Contains(t, o.Problem, "reward")
	require.Error(t, (&Order{Name: core.PostJob}).Check())
	require.NoError(t, (&Order{Name: core.Stop}).Check())
}

func TestStreamReadsWholeLinesOnce(t *testing.T) {
	data, key := t.TempDir(), keyOf(1)
	var refused []string
	s := &stream{path: filepath.Join(data, controlFile), mission: missionOfTest, owner: publicOf(key)}
	s.reject = func(_ int64, err error) { refused = append(refused, err.Error()) }
	read := func() (said []core.OrderKind) {
		orders, err := s.read()
		require.NoError(t, err)
		for _, o := range orders {
			said = append(said, o.Say)
		}
		return said
	}
	require.Empty(t, read(), "there is no file yet")
	_, err := SendOrder(data, missionOfTest, key, &Order{Name: core.Pause})
	require.NoError(t, err)
	_, err = SendOrder(data, missionOfTest, keyOf(2), &Order{Name: core.Resume})
	require.NoError(t, err)
	require.Equal(t, []core.OrderKind{core.Pause}, read())
	require.Equal(t, []string{"its key may not give orders"}, refused)

	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString(`{"id":"torn`)
	require.NoError(t, err)
	require.Empty(t, read(), "half a line waits")
	_, err = SendOrder(data, missionOfTest, key, &Order{Name: core.Stop})
	require.NoError(t, err)
	require.Equal(t, []core.OrderKind{core.Stop}, read(), "the half line of a killed writer is passed over")
	require.Len(t, refused, 2)

	_, err = f.WriteString(strings.Repeat("x", maxOrderBytes+1) + "\n")
	require.NoError(t, err)
	require.Empty(t, read())
	require.Contains(t, refused[2], "longer than")
}

func TestCountersGrow(t *testing.T) {
	data, key := t.TempDir(), keyOf(1)
	s := &stream{path: filepath.Join(data, controlFile), mission: missionOfTest, owner: publicOf(key)}
	last := time.Now().UnixMilli() - 1
	for range 5 {
		_, err := SendOrder(data, missionOfTest, key, &Order{Name: core.Pause})
		require.NoError(t, err)
		orders, err := s.read()
		require.NoError(t, err)
		require.Len(t, orders, 1)
		require.Greater(t, orders[0].Counter, last)
		last = orders[0].Counter
	}
}

func TestClockNeitherOverflowsNorRunsBack(t *testing.T) {
	wall := time.Unix(0, 0)
	c := newClock(func() time.Time { return wall }, 5, 1_000_000_000_000)
	wall = wall.Add(100 * 365 * 24 * time.Hour)
	require.EqualValues(t, 5+100*365*24*3600*1000*1_000_000, c.now())
	far := c.now()
	wall = time.Unix(-1000, 0)
	require.Equal(t, far, c.now(), "the wall clock was set back")
	wall = wall.Add(time.Millisecond)
	require.EqualValues(t, far+1_000_000, c.now(), "and mission time goes on")
	c.stop(77)
	wall = wall.Add(time.Hour)
	require.EqualValues(t, 77, c.now(), "mission time stands still")
	c.run()
	require.EqualValues(t, 77, c.now())
}

func TestOrdersInWords(t *testing.T) {
	for words, want := range map[string]Order{
		"pause":                     {Name: core.Pause},
		"cancel a --reason dear":    {Name: core.CancelJob, Job: "a", Reason: "dear"},
		"approve a":                 {Name: core.Approve, Job: "a"},
		"approve a_1 --reason fine": {Name: core.Approve, Job: "a_1", Reason: "fine"},
		"deny a --reason no":        {Name: core.Deny, Job: "a", Reason: "no"},
	} {
		o, err := OrderFromWords(strings.Fields(words))
		require.NoError(t, err, words)
		require.Equal(t, want, o)
		require.NoError(t, o.Check())
	}
	for words, says := range map[string]string{
		"":                  "no words",
		"approve":           "approve needs the name of a job",
		"deny":              "deny needs the name of a job",
		"deny a b":          `"b" is not expected after deny`,
		"approve a --why x": `"--why" is not expected after approve`,
		"agree a":           "use pause, resume, stop, emergency-stop, cancel, approve, deny or apply",
	} {
		_, err := OrderFromWords(strings.Fields(words))
		require.ErrorContains(t, err, says, words)
	}
}
