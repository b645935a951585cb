package projection

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// ReportSchema names the form of a Report.
const ReportSchema = "omega.report/v1"

// Report is what a run says at its end. With --ci all but the last two members
// are the same in every run.
type Report struct {
	Schema         string      `json:"schema"`
	Mission        string      `json:"mission"` // its name
	Digest         string      `json:"digest"`  // see Digest, hex
	Entries        int64       `json:"entries"` // of the journal
	Events         int64       `json:"events"`  // in them
	MissionSeconds json.Number `json:"mission_seconds"`
	Jobs           ReportJobs  `json:"jobs"`
	Tokens         TotalsOf    `json:"tokens"`
	Messages       int64       `json:"messages"` // on the mesh: none in this version
	WallMS         int64       `json:"wall_ms"`
	PeakRSSBytes   int64       `json:"peak_rss_bytes"`
}

// ReportJobs counts jobs over the mission's life.
type ReportJobs struct {
	Posted    int64 `json:"posted"`
	Finalized int64 `json:"finalized"`
	Failed    int64 `json:"failed"`
	Cancelled int64 `json:"cancelled"`
	Expired   int64 `json:"expired"`
	Skipped   int64 `json:"skipped"`
}

// NewReport is the report of the mission as it stands; digest is Digest of its
// last entry and its artifacts.
func NewReport(s *core.State, digest core.Digest, wallMS, peakRSSBytes int64) Report {
	t := s.Totals()
	return Report{
		Schema: ReportSchema, Mission: s.Spec().Mission.Name, Digest: hexOf(digest), Entries: int64(s.Seq()), Events: t.Events,
		MissionSeconds: seconds(s.Now()),
		Jobs:           ReportJobs{t.Posted, t.Finalized, t.Failed, t.Cancelled, t.Expired, t.Skipped},
		Tokens:         totalsOf(t), WallMS: wallMS, PeakRSSBytes: peakRSSBytes,
	}
}

// seconds is mission time as an exact JSON number.
func seconds(t core.Time) json.Number {
	text := strconv.FormatInt(int64(t)/1000, 10)
	if ms := int64(t) % 1000; ms != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(1000+ms, 10)[1:], "0")
	}
	return json.Number(text)
}

// Digest is what two runs are compared by: SHA-256 over "omega.digest/v1\n", the
// last entry's digest in lower-case hex, with no newline after it, and
// "<sha256>  <name>\n" for each artifact in the order of their names' bytes.
func Digest(lastEntry core.Digest, artifacts []Artifact) core.Digest {
	h := sha256.New()
	h.Write([]byte("omega.digest/v1\n" + hexOf(lastEntry)))
	all := slices.Clone(artifacts)
	sortArtifacts(all)
	for _, a := range all {
		sum := sha256.Sum256(a.Bytes)
		h.Write([]byte(hex.EncodeToString(sum[:]) + "  " + a.Name + "\n"))
	}
	return core.Digest(h.Sum(nil))
}

func sortArtifacts(all []Artifact) {
	slices.SortFunc(all, func(a, b Artifact) int { return strings.Compare(a.Name, b.Name) })
}
