package key

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// maxHome is the largest key file that is read: a long chain with many epochs.
const maxHome = 64 << 20

// Home is what a person takes out of the browser to open exported objects without it:
// the home's chain and the keys of its epochs. Whoever has the file sees everything
// that was recorded up to its last epoch.
type Home struct {
	Title *deed.Title
	Ring  Ring
}

// homeFile is the JSON of a key file. Bytes are base64, as encoding/json has it.
type homeFile struct {
	V      int             `json:"v"`
	Home   latchkey.HomeID `json:"home"`
	Deeds  [][]byte        `json:"deeds"`
	Epochs []homeEpoch     `json:"epochs"`
}

type homeEpoch struct {
	Epoch latchkey.Epoch `json:"epoch"`
	Seed  []byte         `json:"seed"`
}

// LoadHome reads a key file, folds its chain and checks every key against it.
func LoadHome(path string) (*Home, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxHome+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(b) > maxHome {
		return nil, fmt.Errorf("read key file: %s is larger than %d MiB", path, maxHome>>20)
	}
	h, err := parseHome(b)
	if err != nil {
		return nil, fmt.Errorf("read key file: %s: %w", path, err)
	}
	return h, nil
}

func parseHome(b []byte) (*Home, error) {
	var f homeFile
	if err := json.Unmarshal(b, &f); err != nil || f.V < 1 {
		// The error is not wrapped: it could quote the file.
		return nil, errors.New("this is no key file")
	}
	if f.V > 1 {
		return nil, fmt.Errorf("a key file of version %d; this program reads 1", f.V)
	}
	t, err := deed.Fold(f.Home, f.Deeds)
	if err != nil {
		return nil, err
	}
	h := &Home{Title: t}
	for _, e := range f.Epochs {
		k, err := EpochFromSeed(t, e.Epoch, e.Seed)
		if err != nil {
			return nil, err
		}
		h.Ring = h.Ring.Add(e.Epoch, k)
	}
	return h, nil
}

// Save writes the key file, for its owner's eyes only. It never takes the place of
// another file.
func (h *Home) Save(path string) error {
	f := homeFile{V: 1, Home: h.Title.Home(), Deeds: h.Title.Deeds(0), Epochs: []homeEpoch{}}
	for _, e := range h.Ring.Epochs() {
		k, _ := h.Ring.Epoch(e)
		f.Epochs = append(f.Epochs, homeEpoch{e, k.Seed()})
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := writeSecret(path, append(b, '\n')); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}
