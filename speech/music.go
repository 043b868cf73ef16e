package speech

import (
	"math"
	"time"
)

// Tone is a sine with soft edges, at a level in dB full scale of its peak.
func Tone(hz float64, d time.Duration, db float64) Audio {
	f := make([]float64, samples(d))
	for i := range f {
		f[i] = ratio(db) * math.Sin(2*math.Pi*hz*float64(i)/Rate)
	}
	return quantise(f).faded(min(20*time.Millisecond, d/2))
}

// Beep is the tone after which a caller speaks: as loud as the voice before it.
func Beep() Audio { return Tone(800, 250*time.Millisecond, Loudness+3) }

// musicLoudness is 6 dB below speech, so that an announcement stands out.
const musicLoudness = Loudness - 6

// The hold music: eight chords of five seconds, and over them a slow pattern
// of the pentatonic scale. All of it lies in the telephone band.
const (
	chordLength = 5 * time.Second
	noteLength  = chordLength / 8
	musicLength = 8 * chordLength
)

// chords are semitones above middle C. None lies below what a telephone carries
// by more than its octave.
var chords = [8][4]int{
	{0, 4, 7, 14}, // C with an added ninth
	{-3, 0, 4, 7}, // A minor seventh
	{0, 4, 5, 9},  // F major seventh
	{-5, 2, 7, 9}, // G with an added ninth, without the third
	{0, 4, 7, 11}, // C major seventh
	{-1, 2, 4, 7}, // E minor seventh
	{-3, 0, 5, 7}, // F with an added ninth
	{-5, 0, 2, 7}, // G with a suspended fourth
}

// pattern are steps of the scale, one bar of it rising and one falling; -1 is
// a rest.
var pattern = [16]int{0, -1, 2, 3, -1, 4, 3, -1, 5, -1, 4, 2, -1, 3, 1, -1}

// pentatonic is C, D, E, G, A and on, in semitones above middle C.
var pentatonic = [6]int{12, 14, 16, 19, 21, 24}

// HoldMusic is 40 s of calm music for waiting, made for Ringback. Its end leads
// into its beginning, so that it can be repeated without a seam.
func HoldMusic() Audio {
	loop := make([]float64, samples(musicLength))
	for i, chord := range chords {
		at := time.Duration(i) * chordLength
		for _, semitone := range chord {
			// Two voices a little apart beat slowly, as strings do.
			pad(loop, at, pitch(semitone)*0.9985)
			pad(loop, at, pitch(semitone)*1.0015)
		}
	}
	for i := range int(musicLength / noteLength) {
		// Each second round begins a step higher.
		step := pattern[i%len(pattern)]
		if step < 0 {
			continue
		}
		step = (step + i/len(pattern)%2) % len(pentatonic)
		pluck(loop, time.Duration(i)*noteLength, pitch(pentatonic[step]))
	}
	scale(loop, 0.5/peak(loop))
	scale(loop, ratio(musicLoudness-integratedLoudness(loop, Rate)))
	return quantise(loop)
}

func pitch(semitone int) float64 { return 261.63 * math.Pow(2, float64(semitone)/12) }

// pad adds a note that swells and fades over the neighbouring chords.
func pad(loop []float64, at time.Duration, hz float64) {
	length := chordLength + 3*time.Second
	n := samples(length)
	for i := range n {
		swell := math.Sin(math.Pi * float64(i) / float64(n))
		phase := 2 * math.Pi * hz * float64(i) / Rate
		tone := math.Sin(phase) + 0.25*math.Sin(2*phase) + 0.08*math.Sin(3*phase)
		loop[(samples(at)+i)%len(loop)] += 0.10 * swell * swell * tone
	}
}

// pluck adds a note like that of a soft bell.
func pluck(loop []float64, at time.Duration, hz float64) {
	const attack, decay, length = 0.02, 0.9, 4.0 // seconds
	for i := range int(length * Rate) {
		t := float64(i) / Rate
		shape := min(1, t/attack) * math.Exp(-t/decay) * min(1, (length-t)/0.2)
		phase := 2 * math.Pi * hz * t
		tone := math.Sin(phase) + 0.3*math.Exp(-3*t)*math.Sin(2*phase)
		loop[(samples(at)+i)%len(loop)] += 0.22 * shape * tone
	}
}
