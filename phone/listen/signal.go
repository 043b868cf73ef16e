package listen

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Rate is the sampling rate of what is heard, in Hz.
const Rate = 8000

const (
	// hop is how far apart the spectra are from which candidates are found.
	hop = Rate / 50
	// span is the length of such a spectrum.
	span = 256
	// concealed is how many lost spectra in a row are taken to be like the
	// last one that came: a burst of lost packets changes no word.
	concealed = 12
)

// stride is how far apart the samples are that are compared of the low
// frequencies: 2 kHz.
const stride = 4

// sound is audio in the three forms it is compared in. It grows at its end.
type sound struct {
	fine  []float32 // its spectrum flattened
	low   [2]lows   // the same below 850 Hz, where a voice has its first harmonics
	bands []bands   // loudness by frequency, one every hop

	last   float64 // the last sample before flattening
	filter *filter
	fft    *fourier.FFT
	odd    int // which of low comes next
	lost   int // spectra lost in a row
}

// lows is every stride-th sample of the low frequencies, beginning at sample 0,
// or at half a stride.
type lows struct {
	samples []float32
	sums    []float64 // of the squares before each sample
	sum     float64
}

func (l *lows) add(v float64) {
	l.samples = append(l.samples, float32(v))
	l.sums = append(l.sums, l.sum)
	l.sum += v * v
}

func newSound() *sound {
	return &sound{filter: newFilter(850.0/Rate, 61, stride/2), fft: fourier.NewFFT(span)}
}

// emphasis flattens the spectrum of a voice, so that not only its fundamental
// is compared.
const emphasis = 0.8

func (s *sound) push(pcm []int16) {
	x := make([]float64, len(pcm))
	s.fine = slices.Grow(s.fine, len(pcm))
	for i, v := range pcm {
		x[i] = float64(v) - emphasis*s.last
		s.last = float64(v)
		s.fine = append(s.fine, float32(x[i]))
	}
	for _, v := range s.filter.push(x) {
		s.low[s.odd].add(v)
		s.odd = 1 - s.odd
	}
	for len(s.bands)*hop+span <= len(s.fine) {
		b := s.spectrum(s.fine[len(s.bands)*hop:][:span])
		if b != (bands{}) {
			s.lost = 0
		} else if s.lost++; s.lost <= concealed && len(s.bands) > 0 {
			b = s.bands[len(s.bands)-1]
		}
		s.bands = append(s.bands, b)
	}
}

// bands is the loudness of a moment in each of its frequency bands.
type bands [12]float32

// edges are the bands' limits in bins of the spectrum, 156 to 3400 Hz.
var edges = [len(bands{}) + 1]int{5, 8, 11, 15, 20, 26, 33, 41, 50, 60, 72, 88, 109}

// hann is the window of a spectrum.
var hann = func() (w [span]float64) {
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/span)
	}
	return w
}()

func (s *sound) spectrum(x []float32) (out bands) {
	var in [span]float64
	for i, v := range x {
		in[i] = float64(v) * hann[i]
	}
	var bins [span/2 + 1]complex128
	s.fft.Coefficients(bins[:], in[:])
	for b := range out {
		sum := 0.0
		for _, c := range bins[edges[b]:edges[b+1]] {
			sum += real(c)*real(c) + imag(c)*imag(c)
		}
		out[b] = float32(math.Sqrt(math.Sqrt(sum))) // about as loud as it seems
	}
	return out
}

// filter is a low-pass without delay that keeps every step-th output: output n
// stands at input n·step. What has no future yet is kept back.
type filter struct {
	taps []float64
	step int
	in   []float64 // not used up; in[0] stands half the taps before the next output
}

// newFilter designs a windowed sinc (Hamming), 6 dB down at the cutoff, which
// is a share of the sampling rate.
func newFilter(cutoff float64, length, step int) *filter {
	half := length / 2
	taps := make([]float64, length)
	sum := 0.0
	for i := range taps {
		x := float64(i - half)
		h := 2 * cutoff
		if x != 0 {
			h = math.Sin(2*math.Pi*cutoff*x) / (math.Pi * x)
		}
		taps[i] = h * (0.54 + 0.46*math.Cos(math.Pi*x/float64(half+1)))
		sum += taps[i]
	}
	for i := range taps {
		taps[i] /= sum
	}
	return &filter{taps: taps, step: step, in: make([]float64, half)}
}

func (f *filter) push(x []float64) []float64 {
	f.in = append(f.in, x...)
	out := make([]float64, 0, len(f.in)/f.step+1)
	at := 0
	for ; at+len(f.taps) <= len(f.in); at += f.step {
		y := 0.0
		in := f.in[at:][:len(f.taps)]
		for i, h := range f.taps {
			y += h * in[i]
		}
		out = append(out, y)
	}
	f.in = append(f.in[:0], f.in[at:]...)
	return out
}

// flush gives the last outputs, as if silence followed.
func (f *filter) flush() []float64 { return f.push(make([]float64, len(f.taps)/2)) }

// halve brings 16 kHz to 8 kHz.
func halve(pcm []int16) []int16 {
	x := make([]float64, len(pcm))
	for i, v := range pcm {
		x[i] = float64(v)
	}
	f := newFilter(0.225, 31, 2)
	y := append(f.push(x), f.flush()...)
	out := make([]int16, min(len(y), (len(pcm)+1)/2))
	for i := range out {
		out[i] = int16(math.Round(min(max(y[i], math.MinInt16), math.MaxInt16)))
	}
	return out
}

// dot is the inner product of a with the beginning of b.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return float64(s0) + float64(s1) + float64(s2) + float64(s3)
}

func energy(a []float32) float64 { return dot(a, a) }
