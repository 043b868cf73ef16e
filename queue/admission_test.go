package queue

import (
	"slices"
	"testing"
	"testing/quick"
)

func TestAdmit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		load  Load
		want  Stage
	}{
		{"nobody rings", Load{Lines: 100}, StageFull},
		{"many are free", Load{Lines: 100, InUse: 74}, StageFull},
		{"a quarter is left", Load{Lines: 100, InUse: 75}, StageExpress},
		{"more than a tenth is left", Load{Lines: 100, InUse: 89}, StageExpress},
		{"a tenth is left", Load{Lines: 100, InUse: 90}, StageEarly},
		{"the last line", Load{Lines: 100, InUse: 99}, StageEarly},
		{"none is left", Load{Lines: 100, InUse: 100}, StageRegister},
		{"more than there are", Load{Lines: 100, InUse: 130}, StageRegister},

		{"a demo with 20 lines, 4 for calls out", Load{Lines: 20, Keep: 4}, StageFull},
		{"its dialogues", Load{Lines: 20, Keep: 4, InUse: 11}, StageFull},
		{"its express intakes", Load{Lines: 20, Keep: 4, InUse: 12}, StageExpress},
		{"its early media", Load{Lines: 20, Keep: 4, InUse: 14}, StageEarly},
		{"the rest is for calls out", Load{Lines: 20, Keep: 4, InUse: 16}, StageRegister},
		{"calls out use what is kept", Load{Lines: 20, Keep: 4, InUse: 19, Out: 4}, StageEarly},
		{"calls out use half of it", Load{Lines: 20, Keep: 4, InUse: 17, Out: 2}, StageEarly},
		{"calls out use more than is kept", Load{Lines: 20, Keep: 4, InUse: 12, Out: 8}, StageFull},
		{"everything is for calls out", Load{Lines: 20, Keep: 20}, StageRegister},
		{"and more", Load{Lines: 20, Keep: 30}, StageRegister},

		{"one line", Load{Lines: 1}, StageFull},
		{"three lines are not parted", Load{Lines: 3, InUse: 2}, StageFull},
		{"of four the last", Load{Lines: 4, InUse: 3}, StageEarly},
		{"of eight the last but one", Load{Lines: 8, InUse: 6}, StageExpress},
		{"no lines", Load{}, StageRegister},
		{"miscounted", Load{Lines: 100, InUse: -5, Out: -5, Keep: -5}, StageFull},
	} {
		if got := Admit(c.load); got != c.want {
			t.Errorf("%s: %s, want %s", c.about, got, c.want)
		}
	}
}

// TestAdmitIsMonotone: more need never gives a better stage.
func TestAdmitIsMonotone(t *testing.T) {
	t.Parallel()
	need := func(l Load) int { return slices.Index(Stages, Admit(l)) }
	monotone := func(lines, inUse, out, keep uint8) bool {
		l := Load{int(lines), int(inUse), int(min(out, inUse)), int(keep)}
		busier, kept, moreOut, larger := l, l, l, l
		busier.InUse++
		kept.Keep++
		moreOut.Out++ // one of those in use is a call out instead
		larger.Lines++
		n := need(l)
		return n >= 0 && need(busier) >= n && need(kept) >= n && need(moreOut) <= n &&
			// From fewest lines on they are parted.
			(need(larger) <= n || l.Lines-max(l.Keep, l.Out) < fewest)
	}
	if err := quick.Check(monotone, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}
