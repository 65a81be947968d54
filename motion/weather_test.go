package motion_test

import "math"

// lights go on and off: the whole scene's, a lamp's, a window's, lightning.
func lights(c *clip) {
	on, off := leadIn+float64(c.between(0, 2)), leadIn+float64(c.between(3, 8))
	ramp := float64(c.between(0.05, 0.8))
	level := func(t float64) float32 { // of the light, 0 to 1
		return float32(min(1, max(0, (t-on)/ramp)) - min(1, max(0, (t-off)/ramp)))
	}
	x, y := float64(c.between(0, 1))*clipWidth, float64(c.between(0, 1))*clipHeight
	switch c.r.IntN(4) {
	case 0:
		gain := c.between(0.4, 2.2)
		c.alter = func(p []float32, t float64) { scale(p, 1+(gain-1)*level(t)) }
	case 1:
		rx, ry, gain := float64(c.between(50, 200)), float64(c.between(40, 140)), c.between(1.3, 2.5)
		exposure := c.between(0, 0.2)
		c.alter = func(p []float32, t float64) {
			oval(p, x, y, rx, ry, 0.9, times(1+(gain-1)*level(t)))
			scale(p, 1-exposure*level(t-1))
		}
	case 2:
		w, h, shade := int(c.between(14, 50)), int(c.between(14, 40)), c.between(120, 240)
		c.alter = func(p []float32, t float64) {
			if level(t) > 0.5 {
				rectangle(p, int(x)-w/2, int(y)-h/2, w, h, shade)
			}
		}
	default:
		flashes, gain, lasts := 1+c.r.IntN(4), c.between(1.3, 2.5), float64(c.between(0.1, 0.35))
		c.alter = func(p []float32, t float64) {
			for k := range flashes {
				if s := t - on - 1.7*float64(k); s >= 0 && s < lasts {
					oval(p, x, 0, 400, 260, 1, times(gain))
				}
			}
		}
	}
}

// rain is rain, snow in the light of the lamp, or a sensor in the dark.
func rain(c *clip) {
	switch c.r.IntN(3) {
	case 0:
		drops, length, slant := 20+c.r.IntN(130), c.between(5, 18), float64(c.between(-0.4, 0.4))
		shade := c.between(8, 40)
		c.alter = func(p []float32, _ float64) {
			for range drops {
				x, y := c.r.Float64()*clipWidth, c.r.Float64()*clipHeight
				for k := range int(length) {
					i, j := int(x+slant*float64(k)), int(y)+k
					if i >= 0 && i < clipWidth && j < clipHeight {
						p[j*clipWidth+i] += shade
					}
				}
			}
		}
	case 1:
		flakes, shade := 10+c.r.IntN(60), c.between(40, 120)
		c.alter = func(p []float32, _ float64) {
			for range flakes {
				r := float64(c.between(1, 3))
				oval(p, c.r.Float64()*clipWidth, c.r.Float64()*clipHeight, r, r*1.5, 0.6, func(p *float32, w float32) { *p += shade * w })
			}
		}
	default:
		c.noise = c.between(7, 16)
	}
}

// flicker is mains light seen by a camera of another rate: all of the picture, or
// bands that roll through it.
func flicker(c *clip) {
	depth, rate := c.between(0.03, 0.14), float64(c.between(0.3, 4.5))
	bands := float64(c.between(0.6, 4))
	if c.r.IntN(3) == 0 {
		bands = 0
	}
	c.alter = func(p []float32, t float64) {
		for y := range clipHeight {
			gain := 1 + depth*float32(math.Sin(2*math.Pi*(rate*t+bands*float64(y)/clipHeight)))
			scale(p[y*clipWidth:(y+1)*clipWidth], gain)
		}
	}
}

// infrared is the camera's switch to its night view or from it: other shades, a dark
// moment, an exposure that settles.
func infrared(c *clip) {
	other := &clip{r: c.r}
	pattern := make([]float32, len(c.scene))
	for _, scale := range []float64{40, 14, 5} {
		other.roughen(pattern, scale, c.between(4, 20))
	}
	at, dark, settles := leadIn+float64(c.between(0, 3)), float64(c.between(0, 0.8)), float64(c.between(0.1, 0.7))
	back := at + float64(c.between(3, 9))
	gain, offset := c.between(0.35, 0.8), c.between(0, 50)
	if c.r.IntN(3) == 0 {
		gain = -gain
		offset = 170
	}
	c.alter = func(p []float32, t float64) {
		since := t - at
		if t >= back {
			since = t - back
		}
		if t >= at && t < back {
			for i := range p {
				p[i] = p[i]*gain + offset + pattern[i]
			}
		}
		if t >= at {
			if since < dark {
				scale(p, 0.3)
			} else {
				scale(p, 1+0.5*float32(math.Exp(-(since-dark)/settles)))
			}
		}
	}
}

// swaying is branches in the wind, or their shadows on the ground. The wind has blown
// before the clip begins; in some it rises.
func swaying(c *clip) {
	x, y := float64(c.between(0.1, 0.9))*clipWidth, float64(c.between(0.1, 0.8))*clipHeight
	reach, period, phase := float64(c.between(2, 7)), float64(c.between(1.2, 4)), float64(c.between(0, 6))
	calm := float64(c.between(0.6, 1))
	type leaf struct{ x, y, r, lag float64 }
	var leaves []leaf
	for range 4 + c.r.IntN(10) {
		leaves = append(leaves, leaf{x + 45*c.r.NormFloat64(), y + 22*c.r.NormFloat64(), 4 + 12*c.r.Float64(), c.r.Float64()})
	}
	paint := towards(c.between(20, 120))
	if c.night {
		paint = towards(c.between(20, 60))
	}
	soft := 0.3
	if c.r.IntN(2) == 0 {
		paint, soft, reach = times(c.between(0.6, 0.88)), 0.9, reach*1.5
	}
	c.alter = func(p []float32, t float64) {
		wind := calm + (1-calm)*min(1, max(0, (t-leadIn)/3))
		for _, l := range leaves {
			s := reach * wind * math.Sin(2*math.Pi*t/period+phase+l.lag)
			oval(p, l.x+s, l.y+0.3*s*math.Cos(l.lag*9), l.r*1.4, l.r, soft, paint)
		}
	}
}
