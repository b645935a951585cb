package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
)

// Keys are what a mission is signed and sealed with. The owner's private key is
// not among them: a running host never holds it.
type Keys struct {
	Host   ed25519.PrivateKey // signs checkpoints
	secret [32]byte           // validators' secrets derive from it
	// Rehearsal says that the keys derive from the seed and are public.
	Rehearsal bool
}

// sealers gives the sealing keys of host-held validators.
func (k *Keys) sealer(validator string) *council.Sealer {
	return council.NewSealer(council.Secret(k.secret, validator))
}

// publicKey is the key a host-held validator is known by.
func (k *Keys) publicKey(validator string) [32]byte {
	return [32]byte(council.Derive(council.Secret(k.secret, validator)).Public().(ed25519.PublicKey))
}

// rehearsalKeys derive from what everybody knows: the mission's name and seed.
func rehearsalKeys(name string, seed int64) (host Keys, owner ed25519.PrivateKey) {
	derive := func(what string) [32]byte {
		return sha256.Sum256(fmt.Appendf(nil, "omega.rehearsal/v1\n%s\n%d\n%s", name, seed, what))
	}
	h, o := derive("host"), derive("owner")
	return Keys{Host: ed25519.NewKeyFromSeed(h[:]), secret: derive("secret"), Rehearsal: true}, ed25519.NewKeyFromSeed(o[:])
}

// OwnerKeyPath is where this user's owner key lies.
func OwnerKeyPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the configuration folder: %w", err)
	}
	return filepath.Join(dir, "omega", "owner.key"), nil
}

// OwnerKey reads this user's owner key. With make it creates one, readable by
// this user alone, if there is none.
func OwnerKey(create bool) (ed25519.PrivateKey, error) {
	path, err := OwnerKeyPath()
	if err != nil {
		return nil, err
	}
	seed, err := readKey(path, create)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no owner key at %s: it is made by the first `omega run`", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the owner key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed[:]), nil
}

// openKeys reads the host's keys in DIR/keys, and makes those that are not
// there: for a new mission, or where they were lost.
func openKeys(dir string) (Keys, error) {
	seed, err := readKey(filepath.Join(dir, "keys", "host.key"), true)
	if err != nil {
		return Keys{}, fmt.Errorf("the host key: %w", err)
	}
	secret, err := readKey(filepath.Join(dir, "keys", "secret.key"), true)
	if err != nil {
		return Keys{}, fmt.Errorf("the host's secret: %w", err)
	}
	return Keys{Host: ed25519.NewKeyFromSeed(seed[:]), secret: secret}, nil
}

// readKey reads a key file: 64 hex digits and a newline, mode 0600.
func readKey(path string, create bool) (key [32]byte, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		return makeKey(path)
	}
	if err != nil {
		return key, err
	}
	if n, err := hex.Decode(key[:], []byte(strings.TrimSpace(string(content)))); err != nil || n != len(key) {
		return key, fmt.Errorf("%s does not hold 64 hex digits", path)
	}
	return key, nil
}

// makeKey never replaces a file: of two who make the same key at once, one wins
// and both use it.
func makeKey(path string) (key [32]byte, err error) {
	if _, err := rand.Read(key[:]); err != nil {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return key, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readKey(path, false)
	}
	if err != nil {
		return key, err
	}
	_, err = fmt.Fprintf(f, "%x\n", key)
	return key, errors.Join(err, f.Sync(), f.Close())
}

// signCheckpoint seals a state under the host key (docs/journal.md).
func (k *Keys) signCheckpoint(mission string, c *core.Checkpoint) []byte {
	return ed25519.Sign(k.Host, checkpointBytes(mission, c.Seq, c.Entry, c.State))
}

func checkpointBytes(mission string, seq core.Seq, entry, state core.Digest) []byte {
	return fmt.Appendf(nil, "omega.checkpoint/v1\n%s\n%d\n%x\n%x\n", mission, seq, entry, state)
}

// verifyCheckpoint reports whether a recorded seal was signed by the host key
// that genesis names.
func verifyCheckpoint(created core.MissionCreated, c *core.Checkpointed) bool {
	return ed25519.Verify(created.HostKey[:], checkpointBytes(created.Mission, c.Seq, c.Entry, c.State), c.Signature)
}

// Owns reports whether a key is the one that may give a mission orders.
func Owns(key ed25519.PrivateKey, mission core.MissionCreated) bool {
	return mission.OwnerKey == publicOf(key)
}

func publicOf(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }
