package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// Pool lets tests look at and change rows.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// SetNewCode lets a test decide what codes are drawn.
func (s *Bookings) SetNewCode(f func() (string, error)) { s.newCode = f }

// MaxEntries bounds the transcript entries in memory.
const MaxEntries = maxEntries

// CallPath are the statements a caller waits for, with arguments as SQL
// literals.
var CallPath = map[string]struct {
	SQL  string
	Args string
}{
	"place":        {placeSQL, `'44137'`},
	"offer":        {offerSQL, `'3', null, '{1,2,3}', gen_random_uuid(), '+49231500123', '1935-12-24', '15 minutes'`},
	"release":      {releaseSQL, `gen_random_uuid()`},
	"open hold":    {openHoldSQL, `gen_random_uuid(), '+49231500123', '1935-12-24'`},
	"adopt hold":   {adoptHoldSQL, `'17', gen_random_uuid(), '15 minutes'`},
	"keep hold":    {keepHoldSQL, `gen_random_uuid(), '15 minutes'`},
	"by operation": {byOperationSQL, `gen_random_uuid()`},
	"retire":       {retireSQL, `'+49231500123'`},
	"book":         {bookSQL, `gen_random_uuid(), gen_random_uuid(), '+49231500123', '1935-12-24', '44137', 'true', '5', '123456789', gen_random_uuid()`},
	"still held":   {stillHeldSQL, `gen_random_uuid(), gen_random_uuid()`},
	"by code":      {byCodeSQL, `'123456789', '1935-12-24'`},
	"by person":    {byPersonSQL, `'+49231500123', '1935-12-24'`},
	"booked seat":  {lockBookedSeatSQL, `gen_random_uuid()`},
	"cancel":       {cancelSQL, `gen_random_uuid()`},
	"free seat":    {freeSeatSQL, `'17', gen_random_uuid()`},
	"keep name":    {keepNameSQL, `gen_random_uuid(), gen_random_uuid(), '1 second', ''`},
	"habit":        {habitSQL, `'+49231500123'`},
	"set habit":    {setHabitSQL, `'+49231500123', 'de', '1'`},
	"call":         {callSQL, `gen_random_uuid()`},
	"calls":        {callsOfNumberSQL, `'+49231500123', '10'`},
	"all calls":    {allCallsSQL, `'10'`},
	"written":      {writtenSQL, `'ast1', '{"ast1-1.2"}'`},
	"left":         {leftSQL, `gen_random_uuid()`},
	"transcripts":  {transcriptsSQL, `'{}'`},
}
