package host

import (
	"crypto/ed25519"

	"github.com/oklog/ulid/v2"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// genesis makes the first command of a mission, signed by the owner.
func genesis(m *missionfile.Mission, id string, keys *Keys, owner ed25519.PrivateKey) *core.Genesis {
	g := &core.Genesis{
		Mission: id, HostKey: publicOf(keys.Host), OwnerKey: publicOf(owner),
		Rehearsal: keys.Rehearsal, Apply: generationOf(m, keys),
	}
	g.Signature = ed25519.Sign(owner, g.Bytes())
	return g
}

func generationOf(m *missionfile.Mission, keys *Keys) core.Generation {
	g := core.Generation{Entry: m.Entry(), Sources: refsOf(m.Sources()), Spec: *m.Spec(), Variables: m.Variables()}
	for _, block := range g.Spec.Validators {
		if block.Kind == core.OutsideValidator {
			g.Keys = append(g.Keys, block.Keys...)
			continue
		}
		for _, id := range block.Instances {
			g.Keys = append(g.Keys, keys.publicKey(id))
		}
	}
	return g
}

func refsOf(sources []missionfile.Source) (refs []core.SourceRef) {
	for _, source := range sources {
		refs = append(refs, core.SourceRef{Path: source.Path, Digest: source.Digest, Size: int64(len(source.Bytes))})
	}
	return refs
}

// maxSourceBytes is how much of a file one entry holds.
const maxSourceBytes = 1 << 20

// recordSources records the files a mission was evaluated from, each digest
// once.
func (l *loop) recordSources(now core.Time, sources []missionfile.Source) error {
	for _, source := range sources {
		if l.state.Recorded(source.Digest) {
			continue
		}
		for offset := 0; ; offset += maxSourceBytes {
			end := min(offset+maxSourceBytes, len(source.Bytes))
			piece := &core.Source{Digest: source.Digest, Offset: int64(offset), Last: end == len(source.Bytes), Bytes: source.Bytes[offset:end]}
			if _, err := l.apply(now, "mission", piece); err != nil {
				return err
			}
			if piece.Last {
				break
			}
		}
	}
	return nil
}

// newMissionID is a ULID: random for a live mission, derived for a rehearsal.
func newMissionID() string { return ulid.Make().String() }

func rehearsalID(keys *Keys) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(epoch))
	_ = id.SetEntropy(keys.secret[:10])
	return id.String()
}
