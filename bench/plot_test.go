package bench

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// The colours of the two sides of a comparison, told apart by everybody.
var (
	ours   = color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}
	theirs = color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
)

var sideColours = []color.Color{ours, theirs}

// curve is a line of a plot.
type curve struct {
	name   string
	colour color.Color
	dashed bool
	points plotter.XYs
}

// cumulated is what share of values is at most x, in steps of a fifth of a
// percent, and to the last value.
func cumulated(values []float64) plotter.XYs {
	s := slices.Sorted(slices.Values(values))
	points := plotter.XYs{}
	for share := 0.0; share < 100; share += 0.2 {
		points = append(points, plotter.XY{X: quantile(s, share/100), Y: share})
	}
	return append(points, plotter.XY{X: quantile(s, 1), Y: 100})
}

// draw writes curves as a PNG beside the result.
func (r *report) draw(suffix, title, x, y string, change func(*plot.Plot), curves ...curve) {
	r.t.Helper()
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.BackgroundColor = color.White
	p.Add(plotter.NewGrid())
	p.Legend.YOffs, p.Legend.XOffs = vg.Points(10), -vg.Points(10)
	for _, c := range curves {
		l, err := plotter.NewLine(c.points)
		if err != nil {
			r.t.Fatal(err)
		}
		l.Color, l.Width = c.colour, vg.Points(1.5)
		if c.dashed {
			l.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(l)
		p.Legend.Add(c.name, l)
	}
	if change != nil {
		change(p)
	}
	r.save(p, suffix)
}

// bars draws one group of bars for each label; each series is a bar in it.
func (r *report) bars(suffix, title, y string, labels []string, series ...barSeries) {
	r.t.Helper()
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = title, y
	p.BackgroundColor = color.White
	p.Y.Min = 0
	p.Legend.Top = true
	p.Legend.YOffs = vg.Points(-4)
	width := vg.Points(26)
	highest := 0.0
	stacked := map[int]*plotter.BarChart{}
	heights := map[int][]float64{}
	for _, s := range series {
		b, err := plotter.NewBarChart(plotter.Values(s.values), width)
		if err != nil {
			r.t.Fatal(err)
		}
		b.Color, b.LineStyle.Width = s.colour, 0
		b.Offset = width / 2 * vg.Length(s.place)
		if below := stacked[s.place]; below != nil {
			b.StackOn(below)
		}
		stacked[s.place] = b
		if heights[s.place] == nil {
			heights[s.place] = make([]float64, len(s.values))
		}
		for i, v := range s.values {
			heights[s.place][i] += v
			highest = max(highest, heights[s.place][i])
		}
		p.Add(b)
		p.Legend.Add(s.name, b)
	}
	p.Y.Max = highest * 1.35 // room for the legend
	p.NominalX(labels...)
	p.X.Min, p.X.Max = -0.5, float64(len(labels))-0.5
	r.save(p, suffix)
}

// barSeries has one value a label. Series of one place stand on each other.
type barSeries struct {
	name   string
	colour color.Color
	place  int // in half bars from the middle of the group: -1 left, 1 right
	values []float64
}

func (r *report) save(p *plot.Plot, suffix string) {
	r.t.Helper()
	p.Title.Padding = vg.Points(6)
	p.Legend.Padding = vg.Points(3)
	file := r.file(suffix)
	if err := p.Save(16*vg.Centimeter, 9*vg.Centimeter, file); err != nil {
		r.t.Fatal(fmt.Errorf("draw %s: %w", file, err))
	}
}
