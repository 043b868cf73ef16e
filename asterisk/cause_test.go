package asterisk

import (
	"errors"
	"testing"

	"ringback/ivr"
)

func TestWhyALineDrops(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		frame string
		want  error
	}{
		"BYE":                        {`{}`, ivr.ErrHungUp},
		"BYE, normal clearing":       {`{"cause":16}`, ivr.ErrHungUp},
		"BYE, busy":                  {`{"cause":17}`, ivr.ErrHungUp},
		"CANCEL":                     {`{"cause":127,"tech_cause":487}`, ivr.ErrHungUp},
		"ours":                       {`{"cause":32,"soft":true}`, ivr.ErrHungUp},
		"the dialplan's limit":       {`{"cause":8,"soft":true}`, ivr.ErrHungUp},
		"no audio":                   {`{"cause":1,"soft":true}`, ivr.ErrLineBroke},
		"no audio, told at its end":  {`{"cause":44}`, ivr.ErrLineBroke},
		"Asterisk stops":             {`{"cause":4,"soft":true}`, ivr.ErrLineBroke},
		"BYE, cell lost":             {`{"cause":27}`, ivr.ErrLineBroke},
		"BYE, network out of order":  {`{"cause":38}`, ivr.ErrLineBroke},
		"BYE, temporary failure":     {`{"cause":41}`, ivr.ErrLineBroke},
		"session timer":              {`{"cause":18,"tech_cause":408}`, ivr.ErrLineBroke},
		"session timer, far restart": {`{"cause":127,"tech_cause":481}`, ivr.ErrLineBroke},
		"proxy gone":                 {`{"cause":34,"tech_cause":503}`, ivr.ErrLineBroke},
		"recovery on timer expiry":   {`{"cause":102}`, ivr.ErrLineBroke},
		"nonsense":                   {`{"cause":"x"}`, ivr.ErrHungUp},
	} {
		if got := readHangup([]byte(tc.frame)).why(); !errors.Is(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestWhyNobodyAnswered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		h             hangup
		rang, replied bool
		want          error
	}{
		"486":                        {hangup{Cause: 17, Tech: 486}, true, true, ivr.ErrBusy},
		"600":                        {hangup{Cause: 17, Tech: 600}, false, true, ivr.ErrBusy},
		"603":                        {hangup{Cause: 21, Tech: 603}, true, true, ivr.ErrBusy},
		"rejected, no SIP code told": {hangup{Cause: 21}, true, true, ivr.ErrBusy},
		"403":                        {hangup{Cause: 21, Tech: 403}, false, true, ivr.ErrUnreachable},
		"401":                        {hangup{Cause: 21, Tech: 401}, false, true, ivr.ErrUnreachable},
		"404":                        {hangup{Cause: 1, Tech: 404}, false, true, ivr.ErrUnreachable},
		"480":                        {hangup{Cause: 19, Tech: 480}, false, true, ivr.ErrNoAnswer},
		"480 when it rang":           {hangup{Cause: 19, Tech: 480}, true, true, ivr.ErrNoAnswer},
		"408 when it rang":           {hangup{Cause: 18, Tech: 408}, true, true, ivr.ErrNoAnswer},
		"408":                        {hangup{Cause: 18, Tech: 408}, false, true, ivr.ErrUnreachable},
		"487 of its own":             {hangup{Cause: 127, Tech: 487}, true, true, ivr.ErrNoAnswer},
		"rang for long enough":       {hangup{Cause: 19, Tech: 480}, true, false, ivr.ErrNoAnswer},
		"no sign of life":            {hangup{Cause: 19, Tech: 480}, false, false, ivr.ErrUnreachable},
		"503":                        {hangup{Cause: 34, Tech: 503}, false, true, ivr.ErrUnreachable},
		"500":                        {hangup{Cause: 38, Tech: 500}, true, true, ivr.ErrUnreachable},
		"gone, nobody saw why":       {hangup{}, true, false, ivr.ErrNoAnswer},
	} {
		if got := tc.h.unanswered(tc.rang, tc.replied); !errors.Is(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
