package prompts

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed text/*.yaml
var embedded embed.FS

// Default returns the catalogue that comes with Ringback: the embedded texts,
// checked against Declarations. It panics if they are broken, which a test
// keeps from ever leaving the house.
func Default() *Catalogue { return loadDefault() }

var loadDefault = sync.OnceValue(func() *Catalogue {
	texts, err := fs.Sub(embedded, "text")
	if err != nil {
		panic(err)
	}
	c, err := Load(texts, Declarations)
	if err != nil {
		panic(err)
	}
	return c
})
