package host

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Known is a mission this user has run: where it lies.
type Known struct {
	Name    string `json:"name"`
	Mission string `json:"mission"` // id
	Data    string `json:"data"`
	Path    string `json:"path"` // of the mission file
	Running bool   `json:"running"`
}

func registryDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "omega", "missions"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding the home folder: %w", err)
	}
	return filepath.Join(home, ".local", "state", "omega", "missions"), nil
}

// register remembers where a mission lies, so that `omega ls` finds it.
func register(k Known) error {
	dir, err := registryDir()
	if err != nil {
		return err
	}
	if k.Data, err = filepath.Abs(k.Data); err != nil {
		return err
	}
	if k.Path, err = filepath.Abs(k.Path); err != nil {
		return err
	}
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(k.Data))
	path := filepath.Join(dir, fmt.Sprintf("%x.json", sum[:8]))
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(temporary, b, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Missions lists the missions this user has run whose data is still there.
func Missions() ([]Known, error) {
	dir, err := registryDir()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Known
	for _, f := range files {
		var k Known
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(b, &k) != nil {
			continue
		}
		if _, err := os.Stat(journalDir(k.Data)); err != nil {
			os.Remove(path) // its data is gone
			continue
		}
		k.Running = Running(k.Data)
		all = append(all, k)
	}
	return all, nil
}
