package dispatch

import (
	"context"
	"time"
)

// keepAlive says that this node lives, and finds those that do not, until ctx
// ends. Whoever sees first that a node is dead breaks its calls: their callers
// are rung back by any node.
//
// A node that was cut off from the store, or frozen, may find its calls broken
// when it comes back, and their callers still on its lines. Those calls go on:
// who is in line takes up the ticket again, which is one and the same, and so an
// attempt to ring it is stopped.
func (d *Dispatcher) keepAlive(ctx context.Context) {
	var ill trouble
	beaten := d.Now()
	for ctx.Err() == nil {
		now := d.Now()
		err := d.step(ctx, stepBeat, func(ctx context.Context) error {
			if err := d.Store.Beat(ctx, d.Node, now); err != nil {
				return err
			}
			if silent := now.Sub(beaten); silent >= d.pace.dead {
				d.log.Warn("this node was silent for so long that others may have rung back its callers", "silent", silent.Round(time.Second))
			}
			beaten = now
			return d.breakDead(ctx, now)
		})
		if ctx.Err() != nil {
			return
		}
		ill.note(d.log, now, "say that this node lives", err)
		if !pause(ctx, d.pace.beat) {
			return
		}
	}
}

// breakDead rings back the callers of dead nodes.
func (d *Dispatcher) breakDead(ctx context.Context, now time.Time) error {
	nodes, err := d.Store.DeadNodes(ctx, now, d.pace.dead)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if node == d.Node {
			continue
		}
		calls, err := d.Store.Break(ctx, node, now)
		if err != nil {
			return err
		}
		if calls > 0 { // another controller may have been first
			d.Metrics.broken.Add(float64(calls))
			d.log.Warn("a node is dead, its callers are rung back", "dead", node, "calls", calls)
			d.Wake()
		}
	}
	return nil
}
