package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

//go:embed pages
var files embed.FS

// front is the front page in each language; the first is for who asks for
// neither.
var (
	front     = template.Must(template.ParseFS(files, "pages/front.*.html", "pages/frame.html"))
	languages = []language.Tag{language.German, language.English}
	matcher   = language.NewMatcher(languages)
)

type page struct{ number, version string }

// serve shows the front page, in the language of ?lang or else of the browser.
func (p page) serve(w http.ResponseWriter, r *http.Request) {
	_, i := language.MatchStrings(matcher, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	tag := languages[i].String()

	var body bytes.Buffer
	err := front.ExecuteTemplate(&body, "front."+tag+".html", struct {
		Number, Dial, Version string
	}{p.number, dialled(p.number), p.version})
	if err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", tag)
	h.Set("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-cache")
	_, _ = body.WriteTo(w)
}

// dialled is the number as a tel: address takes it (RFC 3966): digits, and the
// plus where there is one.
func dialled(number string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || ('0' <= r && r <= '9') {
			return r
		}
		return -1
	}, number)
}

// asset serves one embedded file.
func asset(name, contentType string) http.HandlerFunc {
	body, err := files.ReadFile("pages/" + name)
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(body)
	}
}
