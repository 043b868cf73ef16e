package aritest

import (
	"encoding/json"
	"net/http"
	"time"
)

func (s *Server) routes(mux *http.ServeMux) {
	locked := func(pattern string, h func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			h(w, r)
		})
	}
	mux.HandleFunc("GET /ari/events", s.events)
	mux.HandleFunc("GET /ari/asterisk/info", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"system": map[string]string{"version": "22.0.0", "entity_id": entity},
			"status": map[string]string{"startup_time": stamp(s.started()), "last_reload_time": stamp(s.started())},
			"config": map[string]any{"name": Node, "default_language": "en"},
		})
	})
	locked("GET /ari/applications/{app}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("app") != App {
			refuse(w, http.StatusNotFound, "Application does not exist")
			return
		}
		ids := make([]string, 0, len(s.channels))
		for id, c := range s.channels {
			if !c.channel.inDialplan {
				ids = append(ids, id)
			}
		}
		answer(w, http.StatusOK, map[string]any{"name": App, "channel_ids": ids})
	})
	locked("GET /ari/channels", func(w http.ResponseWriter, _ *http.Request) {
		list := make([]*channel, 0, len(s.channels))
		for _, c := range s.channels {
			list = append(list, &c.channel)
		}
		answer(w, http.StatusOK, list)
	})
	locked("GET /ari/asterisk/variable", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]string{"value": s.variables[r.URL.Query().Get("variable")]})
	})
	locked("POST /ari/asterisk/variable", func(w http.ResponseWriter, r *http.Request) {
		s.variables[r.URL.Query().Get("variable")] = r.URL.Query().Get("value")
		answer(w, http.StatusNoContent, nil)
	})
	on := func(pattern string, h func(w http.ResponseWriter, r *http.Request, c *Caller)) {
		locked(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := s.channels[r.PathValue("channel")]
			if c == nil {
				refuse(w, http.StatusNotFound, "Channel not found")
				return
			}
			h(w, r, c)
		})
	}
	// inStasis are the requests that only a channel in an application takes.
	inStasis := func(pattern string, h func(w http.ResponseWriter, r *http.Request, c *Caller)) {
		on(pattern, func(w http.ResponseWriter, r *http.Request, c *Caller) {
			if c.channel.inDialplan || c.rings() {
				refuse(w, http.StatusConflict, "Channel not in Stasis application")
				return
			}
			h(w, r, c)
		})
	}
	on("GET /ari/channels/{channel}", func(w http.ResponseWriter, _ *http.Request, c *Caller) {
		answer(w, http.StatusOK, &c.channel)
	})
	on("DELETE /ari/channels/{channel}", func(w http.ResponseWriter, r *http.Request, c *Caller) {
		const explicit, normal = 32, 16
		c.asked = r.URL.Query().Get("reason")
		if c.rings() {
			c.giveUp(event{Cause: because(explicit), Soft: true}, normal)
		} else {
			c.drop(event{Cause: because(explicit), Soft: true}, normal)
		}
		answer(w, http.StatusNoContent, nil)
	})
	inStasis("POST /ari/channels/{channel}/answer", func(w http.ResponseWriter, _ *http.Request, c *Caller) {
		c.answer()
		answer(w, http.StatusNoContent, nil)
	})
	inStasis("POST /ari/channels/{channel}/continue", func(w http.ResponseWriter, _ *http.Request, c *Caller) {
		c.continueInDialplan()
		answer(w, http.StatusNoContent, nil)
	})
	s.routesOfTalks(locked, on, inStasis)
	inStasis("POST /ari/channels/{channel}/play/{playback}", s.play)
	inStasis("POST /ari/channels/{channel}/record", s.record)
	locked("DELETE /ari/playbacks/{playback}", func(w http.ResponseWriter, r *http.Request) {
		o := s.playbacks[r.PathValue("playback")]
		if o == nil {
			refuse(w, http.StatusNotFound, "Playback not found")
			return
		}
		o.caller.stop(o)
		answer(w, http.StatusNoContent, nil)
	})
	locked("POST /ari/recordings/live/{name}/stop", func(w http.ResponseWriter, r *http.Request) {
		o := s.recorders[r.PathValue("name")]
		if o == nil {
			refuse(w, http.StatusNotFound, "Recording not found")
			return
		}
		o.caller.stop(o)
		answer(w, http.StatusNoContent, nil)
	})
	locked("GET /ari/recordings/stored/{name}/file", func(w http.ResponseWriter, r *http.Request) {
		wav, ok := s.stored[r.PathValue("name")]
		if !ok {
			refuse(w, http.StatusNotFound, "Recording not found")
			return
		}
		w.Header().Set("Content-Type", "audio/wav")
		_, _ = w.Write(wav) // who asked may have gone
	})
	locked("DELETE /ari/recordings/stored/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if _, ok := s.stored[name]; !ok {
			refuse(w, http.StatusNotFound, "Recording not found")
			return
		}
		delete(s.stored, name)
		answer(w, http.StatusNoContent, nil)
	})
}

func (s *Server) play(w http.ResponseWriter, r *http.Request, c *Caller) {
	var body struct{ Media string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Media == "" {
		refuse(w, http.StatusBadRequest, "Error parsing request body")
		return
	}
	o := &operation{caller: c, playback: &playback{ID: r.PathValue("playback"), Media: body.Media,
		Target: "channel:" + c.channel.ID, Language: c.channel.Language, State: "queued"}}
	if s.playbacks[o.playback.ID] != nil {
		refuse(w, http.StatusConflict, "Playback already exists")
		return
	}
	s.playbacks[o.playback.ID] = o
	answer(w, http.StatusCreated, o.playback)
	c.queue(o)
}

func (s *Server) record(w http.ResponseWriter, r *http.Request, c *Caller) {
	var body struct {
		Name               string
		Format             string
		MaxDurationSeconds int
		MaxSilenceSeconds  int
		Beep               bool
		TerminateOn        string
		IfExists           string
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Name == "" {
		refuse(w, http.StatusBadRequest, "Error parsing request body")
		return
	}
	if body.Format != "wav" {
		refuse(w, http.StatusUnprocessableEntity, "Unknown format for recording")
		return
	}
	_, exists := s.stored[body.Name]
	if exists && body.IfExists != "overwrite" || s.recorders[body.Name] != nil {
		refuse(w, http.StatusConflict, "Recording already exists")
		return
	}
	o := &operation{caller: c, recording: &recording{Name: body.Name, Format: body.Format,
		Target: "channel:" + c.channel.ID, State: "queued"},
		longest: time.Duration(body.MaxDurationSeconds) * time.Second,
		silence: time.Duration(body.MaxSilenceSeconds) * time.Second,
		anyKey:  body.TerminateOn == "any"}
	if s.Silence > 0 && o.silence > 0 {
		o.silence = s.Silence
	}
	if body.Beep {
		o.tone = s.Tone
	}
	s.recorders[body.Name] = o
	answer(w, http.StatusCreated, o.recording)
	c.queue(o)
}
