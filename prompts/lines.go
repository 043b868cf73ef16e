package prompts

import "time"

// Placeholders that many lines share.
var (
	date   = Placeholder{Name: "date", Kind: KindDate}
	clock  = Placeholder{Name: "time", Kind: KindTime}
	centre = Placeholder{Name: "centre", Kind: KindName}
	place  = Placeholder{Name: "place", Kind: KindName}
	born   = Placeholder{Name: "born", Kind: KindDate, Personal: true}
	code   = Placeholder{Name: "code", Kind: KindCode, Personal: true}
	phone  = Placeholder{Name: "number", Kind: KindPhone, Personal: true}
	window = Placeholder{Name: "window", Kind: KindWindow}
	wait   = Placeholder{Name: "wait", Kind: KindWait}
	ahead  = Placeholder{Name: "ahead", Kind: KindPeople}
	ticket = Placeholder{Name: "ticket", Kind: KindCode, Personal: true}
)

// Declarations are all lines the dialogues say, in the order a caller comes
// upon them.
var Declarations = []Declaration{
	{"welcome.greeting", "The first words of every call, in the default or the remembered language.", nil},
	{"welcome.language", "Offers one language, said in that language; one after another for each.", []Placeholder{{Name: "key", Kind: KindDigits}}},
	{"welcome.notice", "Once a call, before the main menu: whom to ring in an emergency, and what happens to personal data.", nil},
	{"main.menu", "The main menu. The person comes first; silence leads to a callback.", nil},

	{"born.ask", "Asks for the date of birth.", nil},
	{"born.read", "Reads the date of birth back: 1 right, 2 wrong.", []Placeholder{born}},
	{"born.impossible", "The keyed date does not exist or lies in the future.", nil},
	{"postcode.ask", "Asks for the postcode.", nil},
	{"postcode.read", "Reads the postcode back as its place: 1 right, 2 wrong.", []Placeholder{place}},
	{"postcode.unknown", "No centre is responsible for the keyed postcode.", nil},
	{"eligible.notyet", "The person may not book yet: why, and from when.", []Placeholder{{Name: "age", Kind: KindCount}, {Name: "from", Kind: KindDate}}},

	{"choose.centre", "Names the responsible centre before the first offer.", []Placeholder{centre}},
	{"choose.offer", "Offers one time, which is held from now on: 1 take it, 2 another time, 3 another day, 4 another centre.", []Placeholder{date, clock, centre}},
	{"choose.noother", "Nothing else of that kind is free; the offer before is said again.", nil},
	{"choose.full", "Nothing is free at this centre; another one is tried.", []Placeholder{centre}},
	{"choose.nothing", "Nothing is free anywhere: said honestly, before a callback is arranged.", nil},
	{"resume.ask", "A dropped caller rings again: goes on with the held time? 1 yes, 2 no.", []Placeholder{date, clock, centre}},
	{"confirm.ask", "Reads everything back before it is booked: 1 book, 2 change.", []Placeholder{centre, date, clock}},
	{"confirm.taken", "The hold had run out and somebody else has the seat.", nil},
	{"confirm.toomany", "As many appointments as allowed are booked from this number.", nil},

	{"booked.done", "The appointment is booked.", nil},
	{"booked.name", "Asks for the name after the tone.", nil},
	{"code.ready", "Paper and pen: 1 when ready. Silence goes on by itself.", nil},
	{"code.read", "The appointment code, slowly and twice.", []Placeholder{code}},
	{"code.again", "9 hears the code again; silence goes on.", nil},
	{"booked.bring", "What to bring, and where.", []Placeholder{{Name: "address", Kind: KindName}}},

	{"mine.code", "Asks for the appointment code.", nil},
	{"mine.unknown", "No appointment with this code and date of birth.", nil},
	{"mine.tell", "Tells a booked appointment.", []Placeholder{date, clock, centre}},
	{"mine.menu", "After an appointment was told: 1 everything again with the code, 2 cancel, 3 book for another person.", nil},
	{"mine.another", "Said before the date of birth of the other person is asked.", nil},
	{"cancel.ask", "Asks before cancelling: 1 cancel, 2 keep.", []Placeholder{date, clock}},
	{"cancel.done", "The appointment is cancelled.", nil},
	{"cancel.kept", "The appointment stays.", nil},

	{"info.text", "Information: who may book, where, what to bring.", nil},
	{"after.menu", "After something was told or done: 1 main menu; silence ends the call.", nil},
	{"bye", "Good-bye.", nil},

	{"person.closed", "Nobody is there any more today, or not yet: said before an hour is promised.", nil},
	{"person.closing", "The hours end while the caller waits, or would: said before an hour is promised.", nil},
	{"person.promise", "Promises a callback to the number as soon as it is the caller's turn, and reads the number back: 1 right, 2 another number, 3 another time.", []Placeholder{phone}},
	{"person.promisein", "The same, with how long that is expected to take.", []Placeholder{wait, phone}},
	{"person.promiseat", "The same, at a promised hour.", []Placeholder{window, phone}},
	{"person.hours", "Said before the hours in which a callback can be had.", nil},
	{"person.hour", "Offers one hour under a key; up to three of them, one after another.", []Placeholder{window, {Name: "key", Kind: KindDigits}}},
	{"person.hourskeep", "After the hours: who presses nothing keeps what was promised.", nil},
	{"person.hourfull", "The hour was promised to somebody else just now; the others are offered.", nil},
	{"person.nohours", "No other hour can be had.", nil},
	{"person.number", "Asks for a number to ring back.", nil},
	{"person.invalid", "The keyed digits are no telephone number.", nil},
	{"person.forbidden", "The number is one that is not rung: why, in general, and that another may be keyed.", nil},
	{"person.toomany", "As many callbacks as allowed are promised to this number.", nil},
	{"person.speak", "Asks for name and number after the tone, of who has neither keys nor a shown number.", nil},
	{"person.done", "The callback is noted.", nil},

	{"again.place", "A caller who rings again is in line already: how many are ahead, and that nobody need hold the line.", []Placeholder{ahead}},
	{"again.hour", "A caller who rings again is rung at a promised hour.", []Placeholder{window}},
	{"again.kept", "A caller who hung up in line rings again: the place is kept, how many are ahead.", []Placeholder{ahead}},
	{"again.menu", "In line already, and to be rung: 1 leave it so, 2 hold the line, 3 it is for another person.", nil},
	{"again.nohold", "The same while nobody is there to hold the line for: 1 leave it so, 3 another person.", nil},
	{"again.keptmenu", "In line already, and not to be rung yet: 1 ring back, 2 hold the line, 3 it is for another person.", nil},

	{"wait.place", "How many people are ahead in the line.", []Placeholder{ahead}},
	{"wait.next", "Nobody is ahead.", nil},
	{"wait.time", "How long the wait is expected to be.", []Placeholder{wait}},
	{"wait.placeworse", "More people are ahead than was said before, and why.", nil},
	{"wait.timeworse", "It takes longer than was said before, and why.", nil},
	{"wait.long", "The wait is long: nobody has to hold the line. What is offered follows, the callback first.", nil},
	{"wait.callback", "Offered while waiting, one after another and without losing the place: 1 ring me back.", nil},
	{"wait.book", "2 book by myself.", nil},
	{"wait.mine", "3 hear my appointment.", nil},
	{"wait.withheld", "To who shows no number: 4 if there is a ticket number from an earlier call.", nil},
	{"wait.stay", "After what is offered: whoever does nothing waits on.", nil},
	{"wait.keyless", "Instead of what is offered, to a telephone without keys: who hangs up is rung back.", nil},
	{"wait.ticket", "The ticket number of who shows no number, slowly and twice, and what it is good for.", []Placeholder{ticket}},
	{"wait.askticket", "Asks for the ticket number.", nil},
	{"wait.noticket", "Nobody in the line has this ticket number.", nil},
	{"wait.found", "The ticket number is right, the place is the caller's again.", nil},
	{"wait.news", "Now and then while waiting: what is worth knowing today. Edit it as you like.", nil},
	{"wait.moment", "The agent did not answer; the caller is next.", nil},
	{"wait.cutoff", "The agent's line dropped in the middle of the talk; the caller is next.", nil},
	{"wait.rung", "To who was rung and pressed 1: an agent is there in a moment.", nil},
	{"wait.toolong", "The call reached its longest duration in the line; the caller is rung back and keeps the place.", nil},
	{"connect.now", "An agent's telephone is rung.", nil},

	{"rung.ask", "The first words to somebody we ring: 1 go on, 2 not now. Said twice.", nil},
	{"rung.askvoice", "The same to a telephone without keys: whoever speaks goes on.", nil},
	{"rung.later", "Nobody pressed 1: a voice mailbox or another person. We will ring again.", nil},
	{"rung.last", "The same for the last time: we will not ring again.", nil},
	{"rung.over", "We rang, and it is not needed any more.", nil},
	{"rung.broke", "The line broke in the middle of a dialogue: we go on with it.", nil},
	{"rung.check", "Said before the date of birth is asked again of who was rung.", nil},

	{"express.promise", "Few lines are left: greeting, the hour in which we ring back, the end of the number; 2 another time, silence is yes. Fifteen seconds with the good-bye.", []Placeholder{phone, window}},
	{"express.soon", "The same where no hour can be promised: as soon as it is the caller's turn.", []Placeholder{phone}},
	{"express.hour", "Another hour was chosen: what is promised now.", []Placeholder{window}},
	{"express.again", "Few lines are left, and the number is registered already: its hour.", []Placeholder{window}},
	{"express.againsoon", "The same without a promised hour.", nil},
	{"express.withheld", "Few lines are left, and no number is shown: said before a number is asked for.", nil},
	{"express.bye", "Good-bye, as short as can be.", nil},
	{"early.promise", "Hardly a line is left: greeting, hour and end of the number, before the call is answered. No keys.", []Placeholder{phone, window}},
	{"early.soon", "The same where no hour can be promised.", []Placeholder{phone}},

	{"takeover.here", "The hotline was away for a moment and goes on where it was.", nil},
	{"common.moment", "Something takes longer; said again every few seconds.", nil},
	{"common.nokey", "No key was pressed; the question is said again.", nil},
	{"common.wrongkey", "This key means nothing here; the question is said again.", nil},
	{"common.tooshort", "Too few digits; the question is said again.", nil},
	{"common.cleared", "The digits so far are forgotten.", nil},
	{"common.toperson", "Said before the person is brought in because keys did not work.", nil},
	{"trouble.sorry", "Something of ours failed; a person will ring back.", nil},
	{"trouble.later", "Not even a callback could be noted: ring again later.", nil},
	{"trouble.long", "The call reached its longest duration; a person will ring back.", nil},
}

// Lines without placeholders.
var (
	Greeting        = Line{Key: "welcome.greeting"}
	Notice          = Line{Key: "welcome.notice"}
	MainMenu        = Line{Key: "main.menu"}
	AskBorn         = Line{Key: "born.ask"}
	BornImpossible  = Line{Key: "born.impossible"}
	AskPostcode     = Line{Key: "postcode.ask"}
	PostcodeUnknown = Line{Key: "postcode.unknown"}
	NoOther         = Line{Key: "choose.noother"}
	NothingFree     = Line{Key: "choose.nothing"}
	JustTaken       = Line{Key: "confirm.taken"}
	TooMany         = Line{Key: "confirm.toomany"}
	BookedDone      = Line{Key: "booked.done"}
	SayYourName     = Line{Key: "booked.name"}
	ReadyForCode    = Line{Key: "code.ready"}
	CodeAgain       = Line{Key: "code.again"}
	AskCode         = Line{Key: "mine.code"}
	CodeUnknown     = Line{Key: "mine.unknown"}
	MineMenu        = Line{Key: "mine.menu"}
	ForAnother      = Line{Key: "mine.another"}
	CancelDone      = Line{Key: "cancel.done"}
	CancelKept      = Line{Key: "cancel.kept"}
	Information     = Line{Key: "info.text"}
	AfterMenu       = Line{Key: "after.menu"}
	Bye             = Line{Key: "bye"}
	AskNumber       = Line{Key: "person.number"}
	NumberInvalid   = Line{Key: "person.invalid"}
	NumberForbidden = Line{Key: "person.forbidden"}
	NumberTooMany   = Line{Key: "person.toomany"}
	Closed          = Line{Key: "person.closed"}
	Closing         = Line{Key: "person.closing"}
	OtherHours      = Line{Key: "person.hours"}
	KeepHour        = Line{Key: "person.hourskeep"}
	HourFull        = Line{Key: "person.hourfull"}
	NoHours         = Line{Key: "person.nohours"}
	SpeakNumber     = Line{Key: "person.speak"}
	CallbackDone    = Line{Key: "person.done"}
	AgainMenu       = Line{Key: "again.menu"}
	AgainNoHold     = Line{Key: "again.nohold"}
	AgainKeptMenu   = Line{Key: "again.keptmenu"}
	YouAreNext      = Line{Key: "wait.next"}
	PlaceWorse      = Line{Key: "wait.placeworse"}
	TimeWorse       = Line{Key: "wait.timeworse"}
	LongWait        = Line{Key: "wait.long"}
	OfferCallback   = Line{Key: "wait.callback"}
	OfferBooking    = Line{Key: "wait.book"}
	OfferMine       = Line{Key: "wait.mine"}
	WaitWithheld    = Line{Key: "wait.withheld"}
	WaitStay        = Line{Key: "wait.stay"}
	WaitKeyless     = Line{Key: "wait.keyless"}
	AskTicket       = Line{Key: "wait.askticket"}
	TicketUnknown   = Line{Key: "wait.noticket"}
	TicketFound     = Line{Key: "wait.found"}
	News            = Line{Key: "wait.news"}
	MomentMore      = Line{Key: "wait.moment"}
	TalkCutOff      = Line{Key: "wait.cutoff"}
	AgentComes      = Line{Key: "wait.rung"}
	WaitTooLong     = Line{Key: "wait.toolong"}
	Connecting      = Line{Key: "connect.now"}
	RungAsk         = Line{Key: "rung.ask"}
	RungAskVoice    = Line{Key: "rung.askvoice"}
	RungLater       = Line{Key: "rung.later"}
	RungLast        = Line{Key: "rung.last"}
	RungOver        = Line{Key: "rung.over"}
	RungBroke       = Line{Key: "rung.broke"}
	RungCheck       = Line{Key: "rung.check"}
	ExpressAgain    = Line{Key: "express.againsoon"}
	ExpressWithheld = Line{Key: "express.withheld"}
	ExpressBye      = Line{Key: "express.bye"}
	StillHere       = Line{Key: "takeover.here"}
	OneMoment       = Line{Key: "common.moment"}
	NoKey           = Line{Key: "common.nokey"}
	WrongKey        = Line{Key: "common.wrongkey"}
	TooShort        = Line{Key: "common.tooshort"}
	Cleared         = Line{Key: "common.cleared"}
	ToPerson        = Line{Key: "common.toperson"}
	TroubleSorry    = Line{Key: "trouble.sorry"}
	TroubleLater    = Line{Key: "trouble.later"}
	TroubleLong     = Line{Key: "trouble.long"}
)

// OfferLanguage offers the language in which it is said under a key.
func OfferLanguage(key string) Line {
	return Line{"welcome.language", []Arg{{"key", Digits(key)}}}
}

// ReadBorn reads a date of birth back.
func ReadBorn(d time.Time) Line { return Line{"born.read", []Arg{{"born", Date(d)}}} }

// ReadPlace reads a postcode back as its place.
func ReadPlace(name string) Line { return Line{"postcode.read", []Arg{{"place", Name(name)}}} }

// NotYet tells who is served at present and from when the caller may book.
func NotYet(age int, from time.Time) Line {
	return Line{"eligible.notyet", []Arg{{"age", Count(age)}, {"from", Date(from)}}}
}

// YourCentre names the responsible centre.
func YourCentre(name string) Line { return Line{"choose.centre", []Arg{{"centre", Name(name)}}} }

// CentreFull says that a centre has nothing free.
func CentreFull(name string) Line { return Line{"choose.full", []Arg{{"centre", Name(name)}}} }

// OfferTime offers one time at a centre. The time is in the centre's zone, as
// in all lines below.
func OfferTime(start time.Time, centre string) Line {
	return appointment("choose.offer", start, centre)
}

// Resume asks a caller who rings again whether to go on with the held time.
func Resume(start time.Time, centre string) Line { return appointment("resume.ask", start, centre) }

// ReadBack reads everything back before it is booked.
func ReadBack(start time.Time, centre string) Line {
	return appointment("confirm.ask", start, centre)
}

// TellAppointment tells a booked appointment.
func TellAppointment(start time.Time, centre string) Line {
	return appointment("mine.tell", start, centre)
}

func appointment(k Key, start time.Time, centre string) Line {
	return Line{k, []Arg{{"date", Date(start)}, {"time", Time(start)}, {"centre", Name(centre)}}}
}

// AskCancel asks before an appointment is cancelled.
func AskCancel(start time.Time) Line {
	return Line{"cancel.ask", []Arg{{"date", Date(start)}, {"time", Time(start)}}}
}

// ReadCode reads an appointment code.
func ReadCode(code string) Line { return Line{"code.read", []Arg{{"code", Code(code)}}} }

// Bring says what to bring, and where.
func Bring(address string) Line { return Line{"booked.bring", []Arg{{"address", Name(address)}}} }
