package asterisk

import (
	"time"

	"github.com/google/uuid"
)

// EpochVariable is where a controller's mark stands.
const EpochVariable = epochVariable

// Thaw makes a line believe that its process did not run for a while.
func (l *Line) Thaw() { l.epoch.beat.Store(int64(l.epoch.now() - time.Minute)) }

// RecordingName is the name of a call's recording.
var RecordingName = recordingName

// SetGrace is for how long an agent who was picked up may wait for a call.
func (l *Line) SetGrace(d time.Duration) { l.grace = d }

// Awaited says whether somebody awaits a call out.
func (l *Line) Awaited(attempt uuid.UUID) bool {
	t := l.telephone(attempt.String())
	return t != nil && t.isWanted()
}
