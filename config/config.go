// Package config turns a YAML file and the environment into one checked struct;
// it is the only importer of viper.
// It must not know what the other packages do with a setting; what hours are,
// package queue says.
package config

import (
	"time"

	"ringback/prompts"
)

// Config is every setting of a controller. What each one means, its unit and
// its default stand in Settings.
type Config struct {
	Node      string        `mapstructure:"node"`
	Region    string        `mapstructure:"region"`
	Number    string        `mapstructure:"number"`
	Drain     time.Duration `mapstructure:"drain"`
	Database  Database      `mapstructure:"database"`
	Asterisk  Asterisk      `mapstructure:"asterisk"`
	Speech    Speech        `mapstructure:"speech"`
	Call      Call          `mapstructure:"call"`
	Queue     Queue         `mapstructure:"queue"`
	Agents    []Agent       `mapstructure:"agents"`
	Outgoing  Outgoing      `mapstructure:"outgoing"`
	Lines     Lines         `mapstructure:"lines"`
	Intake    Intake        `mapstructure:"intake"`
	Journal   Journal       `mapstructure:"journal"`
	Retention Retention     `mapstructure:"retention"`
	HTTP      HTTP          `mapstructure:"http"`
	API       API           `mapstructure:"api"`
	Watchdog  Watchdog      `mapstructure:"watchdog"`
	Log       Log           `mapstructure:"log"`
}

// Database says where Postgres is.
type Database struct {
	URL Secret `mapstructure:"url"` // may hold a password
}

// Asterisk says where the Asterisk of this node is and how it is spoken to.
type Asterisk struct {
	URL         string        `mapstructure:"url"`
	User        string        `mapstructure:"user"`
	Password    Secret        `mapstructure:"password"`
	App         string        `mapstructure:"app"`
	LongestCall time.Duration `mapstructure:"longest_call"`
	Request     time.Duration `mapstructure:"request"`
}

// Speech says how lines become sound.
type Speech struct {
	Dir        string                        `mapstructure:"dir"`
	Recordings string                        `mapstructure:"recordings"`
	Pico       string                        `mapstructure:"pico"`
	Espeak     string                        `mapstructure:"espeak"`
	Command    string                        `mapstructure:"command"`
	HTTP       string                        `mapstructure:"http"`
	Voices     map[prompts.Language][]Engine `mapstructure:"voices"`
}

// Engine names a text-to-speech engine.
type Engine string

// The engines a voice can be made of.
const (
	EnginePico    Engine = "pico"
	EngineEspeak  Engine = "espeak"
	EngineCommand Engine = "command"
	EngineHTTP    Engine = "http"
)

// Call is how a call is led.
type Call struct {
	FirstKey        time.Duration    `mapstructure:"first_key"`
	BetweenKeys     time.Duration    `mapstructure:"between_keys"`
	AfterError      float64          `mapstructure:"after_error"`
	Ready           time.Duration    `mapstructure:"ready"`
	Name            time.Duration    `mapstructure:"name"`
	DefaultLanguage prompts.Language `mapstructure:"default_language"`
}

// Retention is how long is kept what nobody works with any more.
type Retention struct {
	Calls   time.Duration `mapstructure:"calls"`
	History time.Duration `mapstructure:"history"`
}

// HTTP is the house's own web server.
type HTTP struct {
	Listen string `mapstructure:"listen"`
}

// API is who may use the REST API.
type API struct {
	Keys []Secret `mapstructure:"keys"`
}

// Watchdog is how long a controller may be silent.
type Watchdog struct {
	PIDFile       string        `mapstructure:"pid_file"`
	Interval      time.Duration `mapstructure:"interval"`
	FrozenAfter   time.Duration `mapstructure:"frozen_after"`
	FallbackAfter time.Duration `mapstructure:"fallback_after"`
}

// Log is what is logged, and how.
type Log struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}
