// Package asteriskconf is Asterisk's configuration as templates, fit for
// production and rendered with other values for the demo.
// It must not know who starts Asterisk, or what the controller does.
package asteriskconf

import "embed"

//go:embed *.conf.tmpl
var templates embed.FS
