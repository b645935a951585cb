package hosttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
)

// record is a line as docs/journal.md describes it.
type record struct {
	Seq     uint64 `json:"seq"`
	At      int64  `json:"at"`
	By      string `json:"by"`
	Input   asked  `json:"input"`
	Events  []fact `json:"events"`
	Refused *struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"refusal"`
	Prev string `json:"prev"`
}

// asked is an input's members, of all commands together.
type asked struct {
	Command string `json:"command"`
	Job     string `json:"job"`
	Attempt int64  `json:"attempt"`
	Lease   uint64 `json:"lease"`
	Order   string `json:"order"`
	Problem string `json:"problem"`
	Judged  *struct {
		Approve bool `json:"approve"`
	} `json:"judged"`
}

// fact is an event's members, of all types together.
type fact struct {
	Type    string          `json:"type"`
	Job     string          `json:"job"`
	Attempt int64           `json:"attempt"`
	Worker  string          `json:"worker"`
	Reason  string          `json:"reason"`
	State   string          `json:"state"`
	Result  json.RawMessage `json:"result"`
	Digest  string          `json:"digest"`
	Retry   int64           `json:"retry_at"`

	Skills   []string `json:"skills"`
	Needs    []string `json:"needs"`
	Reward   string   `json:"reward"`
	Energy   string   `json:"energy_budget"`
	Compute  string   `json:"compute_budget"`
	Work     int64    `json:"work"`
	Deadline int64    `json:"deadline"`
	Window   int64    `json:"validation_window"`
	Priority int      `json:"priority"`
	AnyEnd   bool     `json:"any_end"`
	Lazy     bool     `json:"lazy"`
	Required bool     `json:"required"`
	Parent   string   `json:"parent"`
	Employer string   `json:"employer"`
	Deposit  string   `json:"deposit"`

	EnergyPrice  string `json:"energy_price"`
	ComputePrice string `json:"compute_price"`
	EnergyUsed   string `json:"energy_used"`
	ComputeUsed  string `json:"compute_used"`
	Over         bool   `json:"over_reported"`
	Judged       *struct {
		Approve bool `json:"approve"`
	} `json:"judged"`

	Children []json.RawMessage `json:"children"`
	Detail   string            `json:"detail"`
	Approve  bool              `json:"approve"`

	Round      int64           `json:"round"`
	Seats      json.RawMessage `json:"seats"`
	Seat       int             `json:"seat"`
	Phase      string          `json:"phase"`
	Commitment string          `json:"commitment"`
	Signature  string          `json:"signature"`
	Due        int64           `json:"due"`
	Outcome    string          `json:"outcome"`
	Absent     []int           `json:"absent"`
	Silent     []int           `json:"abstained"`
	Votes      []struct {
		Seat       int    `json:"seat"`
		Commitment string `json:"commitment"`
		Vote       string `json:"vote"`
		Reason     string `json:"reason"`
		Salt       string `json:"salt"`
		Box        string `json:"box"`
		Signature  string `json:"signature"`
	} `json:"votes"`

	EnergySet  string   `json:"energy"`
	ComputeSet string   `json:"compute"`
	Count      int64    `json:"count"`
	Since      int64    `json:"since"`
	Jobs       []string `json:"jobs"`

	Steps [][2]string `json:"steps"`
	Legs  []struct {
		Unit   string `json:"unit"`
		Debit  string `json:"debit"`
		Credit string `json:"credit"`
		Amount string `json:"amount"`
	} `json:"legs"`

	OrderID string `json:"order_id"`
	Body    string `json:"body"`
	Counter int64  `json:"counter"`
	Refusal string `json:"refusal"`

	Mission    string          `json:"mission"`
	Generation int64           `json:"generation"`
	Next       int64           `json:"next"`
	Spec       json.RawMessage `json:"spec"`
	Keys       []string        `json:"keys"`
	Sources    []source        `json:"sources"`
	Removed    []string        `json:"removed"`
	Drained    []string        `json:"drained"`
	Removes    []string        `json:"removes"`
	Drains     []string        `json:"drains"`

	Hook     string          `json:"hook"`
	Subject  string          `json:"subject"`
	Request  json.RawMessage `json:"request"`
	Verdicts []verdict       `json:"verdicts"`
	Say      string          `json:"say"`
	Script   string          `json:"script"`
	Faults   int64           `json:"faults"`
	Fault    string          `json:"fault"`
	Fallback string          `json:"fallback"`

	Steward   string            `json:"steward"`
	Seen      uint64            `json:"seen"`
	Same      bool              `json:"same"`
	Headline  string            `json:"headline"`
	Alerts    []json.RawMessage `json:"alerts"`
	Recommend []string          `json:"recommend"`
	Actions   []wish            `json:"actions"`
	Wake      int64             `json:"wake"`
	Action    string            `json:"action"`
	Skill     string            `json:"skill"`
	Until     int64             `json:"until"`
	Tokens    string            `json:"tokens"`
	By        string            `json:"by"`

	Last      bool   `json:"last"`
	Emergency bool   `json:"emergency"`
	Entry     string `json:"entry"`
	Sealed    uint64 `json:"seq"`
}

// source is a file of a generation.
type source struct{ Path, Digest string }

// seated are the names a round seats.
func (e *fact) seated() (names []string) {
	if json.Unmarshal(e.Seats, &names) != nil {
		return nil
	}
	return names
}

// silent are the numbers of the seats a reminder names.
func (e *fact) silent() (seats []int) {
	if json.Unmarshal(e.Seats, &seats) != nil {
		return nil
	}
	return seats
}

var table = crc32.MakeTable(crc32.Castagnoli)

// frame makes the whole line of an entry from its body, as the document says.
func frame(seq uint64, body []byte, prev string) []byte {
	line := fmt.Appendf(nil, `{"seq":%d,%s,"prev":"%s"`, seq, body, prev)
	return fmt.Appendf(line, `,"crc":"%08x"}`, crc32.Checksum(line, table))
}

func digest(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

func parseRecord(line []byte) (*record, error) {
	r := &record{}
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("%w: %s", err, line)
	}
	return r, nil
}

// goodLines are the lines a journal holds, read from the bytes of its segments:
// up to the first that does not follow the one before.
func goodLines(segments [][]byte) (lines [][]byte) {
	prev := strings.Repeat("0", 64)
	for _, segment := range segments {
		all := bytes.Split(segment, []byte("\n"))
		for _, line := range all[min(1, len(all)-1) : len(all)-1] { // without the header, and what no newline ends
			if len(line) == 0 {
				break
			}
			at := bytes.LastIndex(line, []byte(`,"crc":"`))
			want := fmt.Sprintf(`{"seq":%d,`, len(lines)+1)
			if at < 0 || string(line[at:]) != fmt.Sprintf(`,"crc":"%08x"}`, crc32.Checksum(line[:at], table)) ||
				!bytes.HasPrefix(line, []byte(want)) || !bytes.HasSuffix(line[:at], []byte(`"prev":"`+prev+`"`)) {
				return lines
			}
			lines, prev = append(lines, line), digest(line)
		}
	}
	return lines
}
