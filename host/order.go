package host

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// Order is what the owner says, as it stands in the control stream.
type Order struct {
	Name   core.OrderKind             `json:"name"`
	Job    string                     `json:"job,omitempty"`    // cancel, approve, deny
	Reason string                     `json:"reason,omitempty"` // cancel, approve, deny
	Post   map[string]json.RawMessage `json:"post,omitempty"`   // post: the attributes of a job block, and its name
	Edit   string                     `json:"edit,omitempty"`   // apply: digest of the edit that waits, hex
}

// OrderFromWords reads an order as it is written on the command line and in
// rehearsal.hcl: pause, resume, stop, emergency-stop, apply, and with JOB [--reason TEXT]
// cancel, approve, deny. Which edit an apply is about is not among the words.
func OrderFromWords(words []string) (Order, error) {
	if len(words) == 0 {
		return Order{}, errors.New("an order has no words")
	}
	o := Order{Name: core.OrderKind(words[0])}
	rest := words[1:]
	switch o.Name {
	case core.Pause, core.Resume, core.Stop, core.EmergencyStop, core.ApplyEdit:
	case core.CancelJob, core.Approve, core.Deny:
		if len(rest) == 0 {
			return Order{}, fmt.Errorf("%s needs the name of a job", o.Name)
		}
		o.Job, rest = rest[0], rest[1:]
		if len(rest) == 2 && rest[0] == "--reason" {
			o.Reason, rest = rest[1], nil
		}
	default:
		return Order{}, fmt.Errorf("%q is not an order: use pause, resume, stop, emergency-stop, cancel, approve, deny or apply", words[0])
	}
	if len(rest) > 0 {
		return Order{}, fmt.Errorf("%q is not expected after %s", rest[0], o.Name)
	}
	return o, nil
}

// signedOrder is one line of the control stream.
type signedOrder struct {
	ID      string          `json:"id"`
	Key     string          `json:"key"`
	Counter int64           `json:"counter"`
	Mission string          `json:"mission"`
	Order   json.RawMessage `json:"order"`
	Sig     string          `json:"sig,omitempty"`
}

// orderTag keeps a signature from meaning anything else.
const orderTag = "omega.order/v1\n"

// sign makes the line of an order, without its newline.
func (o *Order) sign(key ed25519.PrivateKey, id, mission string, counter int64) ([]byte, error) {
	body, err := o.body()
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(signedOrder{ID: id, Key: hex.EncodeToString(key.Public().(ed25519.PublicKey)), Counter: counter, Mission: mission, Order: body})
	if err != nil {
		return nil, fmt.Errorf("writing the order: %w", err)
	}
	line = line[:len(line)-1]
	sig := ed25519.Sign(key, append([]byte(orderTag), line...))
	return fmt.Appendf(line, `,"sig":"%s"}`, base64.StdEncoding.EncodeToString(sig)), nil
}

func (o *Order) body() ([]byte, error) {
	body, err := json.Marshal(o)
	if err == nil {
		body, err = core.Canonical(body)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the order: %w", err)
	}
	return body, nil
}

// Check says what is wrong with an order before it is sent.
func (o *Order) Check() error {
	body, err := o.body()
	if err != nil {
		return err
	}
	if problem := decodeOrder(body).Problem; problem != "" {
		return errors.New(problem)
	}
	return nil
}

// parseOrder reads a line of the control stream and checks its signature. What
// does not pass is not an order: it never reaches the loop.
func parseOrder(line []byte, mission string) (*core.Order, error) {
	var s signedOrder
	if _, err := core.Canonical(line); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, err
	}
	end := bytes.LastIndex(line, []byte(`,"sig"`))
	key, keyErr := hex.DecodeString(s.Key)
	sig, sigErr := base64.StdEncoding.DecodeString(s.Sig)
	switch {
	case end < 0 || keyErr != nil || sigErr != nil || len(key) != ed25519.PublicKeySize:
		return nil, errors.New("it is not signed")
	case string(line[end:]) != `,"sig":"`+s.Sig+`"}`: // nothing may stand outside of what was signed
		return nil, errors.New("something follows its signature")
	case !ed25519.Verify(key, append([]byte(orderTag), line[:end]...), sig):
		return nil, errors.New("its signature does not hold")
	case s.Mission != mission:
		return nil, fmt.Errorf("it is for mission %s", s.Mission)
	case s.ID == "" || len(s.ID) > 64:
		return nil, errors.New("its id is missing or too long")
	}
	o := decodeOrder(s.Order)
	o.ID, o.Key, o.Counter = s.ID, [32]byte(key), s.Counter
	return o, nil
}

// decodeOrder reads what an order says; its digest is that of the exact bytes.
// One that cannot be understood is an order all the same, and refused by the
// record.
func decodeOrder(body []byte) *core.Order {
	var said Order
	o := &core.Order{Body: sha256.Sum256(body)}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&said); err != nil {
		o.Problem = err.Error()
		return o
	}
	o.Say, o.Job, o.Reason = said.Name, said.Job, said.Reason
	if said.Name == core.ApplyEdit {
		edit, err := hex.DecodeString(said.Edit)
		if err != nil || len(edit) != len(o.Edit) {
			o.Problem = "apply needs the digest of the edit, 64 hexadecimal digits"
		}
		copy(o.Edit[:], edit)
	}
	if said.Name == core.PostJob {
		spec, err := missionfile.DecodeJob(said.Post)
		if err != nil {
			o.Problem = err.Error()
		}
		o.Post = spec
	}
	return o
}
