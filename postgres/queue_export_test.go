package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

// SetNow lets a test decide what time it is.
func (q *Queue) SetNow(now func() time.Time) { q.now = now }

// Attempt begins to ring one ticket, whatever the limits say.
func (q *Queue) Attempt(ctx context.Context, id uuid.UUID, node string) (a queue.Attempt, err error) {
	now := q.now()
	err = q.tx(ctx, func(tx pgx.Tx) error {
		t, err := lockTicket(ctx, tx, id)
		if err != nil {
			return err
		}
		if !t.CanBeRung(now) {
			return queue.ErrNoneDue
		}
		begun, err := q.ring(ctx, tx, t, uuid.New(), node, now)
		if err == nil {
			a = *begun
		}
		return err
	})
	return a, err
}

// MigrateTo brings an empty schema to a version that is not the latest.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	p, closeDB, err := db.migrator()
	if err != nil {
		return err
	}
	defer closeDB()
	_, err = p.UpTo(ctx, version)
	return err
}

// LinePath are the statements of the line, with arguments as SQL literals.
var LinePath = map[string]struct {
	SQL  string
	Args string
}{
	"ticket":        {ticketSQL, `gen_random_uuid()`},
	"lock ticket":   {lockTicketSQL, `gen_random_uuid()`},
	"place":         {nthSQL, `'+4923150000017', gen_random_uuid(), '4'`},
	"short is free": {shortFreeSQL, `'12345'`},
	"of number":     {openOfNumberSQL, `'+4923150000017'`},
	"of short":      {openOfShortSQL, `'12345'`},
	"of call":       {ofCallSQL, `gen_random_uuid()`},
	"kept":          {keptSQL, `'+4923150000017'`},
	"taken":         {takenSQL, `now()`},
	"take room":     {takeRoomSQL, `now(), '60', 'false'`},
	"give room":     {giveRoomSQL, `now()`},
	"unwanted":      {unwantedSQL, `'+4923150000017'`},
	"turn":          {turnSQL, `gen_random_uuid(), now()`},
	"turns":         {turnsSQL, `'node1', now()`},
	"in line":       {inLineSQL, `'{booking,booking,other}', '{de,en,de}', '100', '4'`},
	"bind": {bindSQL, `'{booking,booking,other}', '{de,en,de}', '4', now(), now(), '30 s', '30 s',
		'{booking,booking,booking}', '{de,de,en}', '{"booking other, de","booking, de en","booking, de en"}'`},
	"to ring":          {toRingSQL, `now()`},
	"any to ring":      {anyToRingSQL, `now()`},
	"made today":       {madeTodaySQL, `'+4923150000017', now()`},
	"attempt":          {attemptSQL, `gen_random_uuid()`},
	"unresolved":       {unresolvedSQL, `'node1'`},
	"stopped":          {stoppedSQL, `'node1'`},
	"tickets":          {ticketsByIDSQL, `array[gen_random_uuid(), gen_random_uuid()]`},
	"of attempt":       {ticketOfAttemptSQL, `gen_random_uuid()`},
	"resolve":          {resolveSQL, `gen_random_uuid(), 'busy', now()`},
	"standing":         {standingSQL, `gen_random_uuid(), '500'`},
	"told":             {toldSQL, `gen_random_uuid(), now(), '1 minute', '2 minutes'`},
	"come":             {comeSQL, `now(), '500'`},
	"overdue":          {overdueSQL, `now(), '500'`},
	"expired":          {expiredSQL, `now(), '500'`},
	"leases":           {leasesSQL, `now(), '500'`},
	"list":             {listSQL, `'{waiting,due}', '{booking,other}', '0', now(), gen_random_uuid(), '50'`},
	"list of number":   {listNumberSQL, `'{waiting,due}', '{booking,other}', '0', now(), gen_random_uuid(), '50', '+4923150000017'`},
	"audit":            {auditSQL, `gen_random_uuid()`},
	"attempts":         {ringingsSQL, `gen_random_uuid()`},
	"to be rung":       {toBeRungSQL, `'+4923150000017'`},
	"open of numbers":  {openOfNumbersSQL, `'{+4923150000017,+4923150000018}'`},
	"known tickets":    {knownTicketsSQL, `array[gen_random_uuid()]`},
	"redialled":        {redialledSQL, `array[gen_random_uuid()], '{1}'`},
	"broken calls":     {brokenCallsSQL, `'node1', now(), '100'`},
	"dead nodes":       {deadNodesSQL, `now()`},
	"keep spoken":      {keepSpokenOfTicketSQL, `gen_random_uuid(), gen_random_uuid(), '1 s', ''`},
	"call is unknown":  {callUnknownSQL, `gen_random_uuid()`},
	"is lost":          {isLostSQL, `now(), gen_random_uuid()`},
	"aged tickets":     {agedTicketsSQL, `now(), '500'`},
	"aged calls":       {agedCallsSQL, `now(), '100'`},
	"forget attempts":  {forgetAttemptsSQL, `array[gen_random_uuid()]`},
	"forget tickets":   {forgetTicketsSQL, `array[gen_random_uuid()]`},
	"forget calls":     {forgetCallsSQL, `array[gen_random_uuid()]`},
	"transcripts":      {forgetTranscriptsSQL, `array[gen_random_uuid()]`},
	"registrations":    {forgetRegistrationsSQL, `now(), '500'`},
	"callbacks":        {forgetCallbacksSQL, `now(), '500'`},
	"forget audit":     {forgetAuditSQL, `now(), '500'`},
	"forget states":    {forgetAgentStatesSQL, `now(), '500'`},
	"remove gone ones": {removeGoneSQL, ``},
	"offered":          {offeredSQL, `now() - interval '1 minute', now()`},
	"waits":            {waitsSQL, `now() - interval '1 minute', now(), '20 s', '5 s'`},
	"talks":            {talksSQL, `now() - interval '1 minute', now()`},
	"promised":         {promisedSQL, `now() - interval '1 minute', now()`},
	"reached":          {reachedSQL, `now() - interval '1 minute', now()`},
	"fates":            {fatesSQL, `now() - interval '1 minute', now()`},
	"unreached":        {unreachedSQL, `now() - interval '1 minute', now()`},
	"estimates":        {estimatesSQL, `now() - interval '1 minute', now()`},
	"agent times":      {agentTimesSQL, `now() - interval '1 minute', now()`},
}
