// Package speech turns lines into audio: recordings first, then text-to-speech
// engines, all at one loudness and cached by content.
// It must not know calls, callers or Asterisk: it gives names of files.
package speech
