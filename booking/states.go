package booking

// AppointmentState is the life of an appointment.
type AppointmentState string

// The states of an appointment.
const (
	AppointmentBooked    AppointmentState = "booked"
	AppointmentCancelled AppointmentState = "cancelled"
)

// SeatState is the life of a seat.
type SeatState string

// The states of a seat. A held seat whose hold has expired counts as free.
const (
	SeatFree   SeatState = "free"
	SeatHeld   SeatState = "held"
	SeatBooked SeatState = "booked"
)

// Transition is an allowed change of state and what brings it about.
type Transition[S ~string] struct {
	From, To S
	By       string
}

// AppointmentTransitions are all changes an appointment may go through.
var AppointmentTransitions = []Transition[AppointmentState]{
	{"", AppointmentBooked, "book"},
	{AppointmentBooked, AppointmentCancelled, "cancel"},
}

// SeatTransitions are all changes a seat may go through.
var SeatTransitions = []Transition[SeatState]{
	{"", SeatFree, "release for booking"},
	{SeatFree, SeatHeld, "offer"},
	{SeatHeld, SeatHeld, "offer after the hold expired"},
	{SeatHeld, SeatFree, "release"},
	{SeatHeld, SeatBooked, "book"},
	{SeatBooked, SeatFree, "cancel"},
}
