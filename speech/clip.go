package speech

import "time"

// Clip is a line as sound: one file in several formats.
type Clip struct {
	// Path is the file without its extension, absolute. Beside it stand
	// Path.alaw, Path.ulaw, Path.g722 and Path.sln16 (16-bit little-endian PCM
	// at 16 kHz, headerless), and Path.json that says what it is.
	Path     string
	Duration time.Duration
}
