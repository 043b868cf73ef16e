package asteriskconf

import (
	"fmt"
	"io"
	"text/template"
)

// Modules are the modules of Asterisk that modules.conf loads where they are
// there, by name without ".so", in the order in which they are listed.
func Modules() ([]string, error) {
	const name = "modules.conf.tmpl"
	var listed []string
	t, err := template.New(name).Funcs(template.FuncMap{"load": func(modules ...string) string {
		listed = append(listed, modules...)
		return ""
	}}).ParseFS(templates, name)
	if err == nil {
		err = t.Execute(io.Discard, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("list the modules of Asterisk: %w", err)
	}
	return listed, nil
}
