package aritest

import "time"

// entity is the entityid of asterisk.conf.
const entity = "02:00:00:00:00:01"

// event is an ARI event; each type uses some of the fields.
type event struct {
	Variable    string     `json:"variable,omitempty"`
	Value       *string    `json:"value,omitempty"`
	Cause       *int       `json:"cause,omitempty"`
	TechCause   int        `json:"tech_cause,omitempty"` // a SIP code
	Soft        bool       `json:"soft,omitempty"`
	Type        string     `json:"type"`
	Timestamp   string     `json:"timestamp"`
	Args        []string   `json:"args,omitempty"`
	Digit       string     `json:"digit,omitempty"`
	Held        int        `json:"duration_ms,omitempty"`
	Playback    *playback  `json:"playback,omitempty"`
	Recording   *recording `json:"recording,omitempty"`
	DialStatus  *string    `json:"dialstatus,omitempty"`
	DialString  *string    `json:"dialstring,omitempty"`
	Forward     *string    `json:"forward,omitempty"`
	CauseText   string     `json:"cause_txt,omitempty"`
	Channel     *channel   `json:"channel,omitempty"`
	Peer        *channel   `json:"peer,omitempty"`
	Bridge      *bridging  `json:"bridge,omitempty"`
	Asterisk    string     `json:"asterisk_id"`
	Application string     `json:"application"`
}

type channel struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	State      string   `json:"state"`
	Protocol   string   `json:"protocol_id"`
	Caller     callerID `json:"caller"`
	Connected  callerID `json:"connected"`
	Account    string   `json:"accountcode"`
	Dialplan   dialplan `json:"dialplan"`
	Created    string   `json:"creationtime"`
	Language   string   `json:"language"`
	inDialplan bool
}

// bridging is a bridge as events and answers show it.
type bridging struct {
	ID         string   `json:"id"`
	Technology string   `json:"technology"`
	Type       string   `json:"bridge_type"`
	Class      string   `json:"bridge_class"`
	Creator    string   `json:"creator"`
	Name       string   `json:"name"`
	Channels   []string `json:"channels"`
	Created    string   `json:"creationtime"`
	Video      string   `json:"video_mode"`
}

type callerID struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

type dialplan struct {
	Context  string `json:"context"`
	Exten    string `json:"exten"`
	Priority int    `json:"priority"`
	App      string `json:"app_name"`
	Data     string `json:"app_data"`
}

type playback struct {
	ID       string `json:"id"`
	Media    string `json:"media_uri"`
	Target   string `json:"target_uri"`
	Language string `json:"language"`
	State    string `json:"state"`
}

type recording struct {
	Name     string `json:"name"`
	Format   string `json:"format"`
	State    string `json:"state"`
	Target   string `json:"target_uri"`
	Duration *int   `json:"duration,omitempty"`
	Talking  *int   `json:"talking_duration,omitempty"`
	Silence  *int   `json:"silence_duration,omitempty"`
	Cause    string `json:"cause,omitempty"` // of a failure
}

// stamp writes a time as Asterisk does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// because is the cause of an event.
func because(cause int) *int { return &cause }
