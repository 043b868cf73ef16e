package main

import "ringback/api"

// theLine lets the API answer before Postgres is there.
func (p *program) theLine() (api.Line, error) {
	s := p.stores.Load()
	if s == nil || s.Line == nil {
		return nil, errNoStores
	}
	return s.Line, nil
}
