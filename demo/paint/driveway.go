package paint

import "image/color"

// driveway is a brick house with a garage on a street in the morning.
func driveway(c canvas) {
	c.gradient(rect(0, 0, 640, 206, 0), rgb(0xb4cadb), rgb(0xf6ead8))
	c.fill(oval(90, 170, 180, 56), rgb(0xb7c3ae))
	c.fill(oval(590, 168, 190, 64), rgb(0xa7b8a3))
	c.gradient(rect(0, 200, 640, 76, 0), rgb(0x93ab6c), rgb(0x7c9a5b))
	// House: walls of brick, roof, windows, garage.
	c.gradient(rect(92, 78, 400, 152, 0), rgb(0xb5573f), rgb(0x9a4634))
	for j := range 19 {
		y := 82 + float64(j)*8
		c.fill(rect(92, y, 400, 0.8, 0), color.NRGBA{0xe8, 0xd0, 0xbc, 80})
		for x := 92 + float64(j%2)*9; x < 492; x += 18 {
			c.fill(rect(x, y, 0.8, 8, 0), color.NRGBA{0xe8, 0xd0, 0xbc, 60})
		}
	}
	c.gradient(polygon(70, 84, 122, 26, 462, 26, 514, 84), rgb(0x4d5a68), rgb(0x3b4653))
	for y := 36.0; y < 84; y += 10 {
		c.fill(rect(118-(y-26)*0.85, y, 348+(y-26)*1.7, 1, 0), color.NRGBA{0x22, 0x2a, 0x33, 90})
	}
	c.fill(rect(416, 12, 24, 40, 1), rgb(0x8c4231))
	c.fill(rect(412, 10, 32, 6, 1), rgb(0xd9cfc2))
	c.fill(rect(270, 116, 196, 114, 2), rgb(0xe7e1d6))
	c.gradient(rect(278, 124, 180, 106, 1), rgb(0xfbfaf6), rgb(0xdfdcd4))
	for y := 146.0; y < 230; y += 21 {
		c.fill(rect(278, y, 180, 1.6, 0), rgb(0xc0bcb2))
	}
	for x := 286.0; x < 450; x += 43 {
		c.gradient(rect(x, 128, 34, 14, 2), rgb(0x9cc0d4), rgb(0x7fa3b8))
	}
	for _, x := range []float64{116, 190} {
		c.fill(rect(x, 112, 54, 66, 2), rgb(0xf3eee4))
		c.gradient(rect(x+4, 116, 46, 58, 1), rgb(0xa9cbdc), rgb(0x6d93a8))
		c.fill(polygon(x+8, 174, x+26, 116, x+36, 116, x+18, 174), color.NRGBA{255, 255, 255, 60})
		c.fill(rect(x+26, 116, 2, 58, 0), rgb(0xf3eee4))
		c.fill(rect(x+4, 144, 46, 2, 0), rgb(0xf3eee4))
		c.fill(rect(x-5, 178, 64, 5, 1), rgb(0xd8cfc0))
	}
	// Lawn, drive, hedge, letter box, pavement, street.
	c.fill(polygon(262, 230, 474, 230, 540, 276, 208, 276), rgb(0xb9b2a8))
	c.speckle(0, 230, 640, 46, 6)
	for x := 0.0; x < 100; x += 20 {
		c.fill(circle(x, 226, 17), rgb(0x557a47))
		c.fill(circle(x+10, 218, 12), rgb(0x62894f))
	}
	for x := 506.0; x < 660; x += 20 {
		c.fill(circle(x, 224, 18), rgb(0x557a47))
		c.fill(circle(x+10, 215, 12), rgb(0x62894f))
	}
	c.fill(rect(575, 228, 4, 40, 1), rgb(0x6f5a45))
	c.fill(rect(563, 214, 28, 18, 6), rgb(0x2f5fa8))
	c.fill(rect(590, 211, 3, 12, 1), rgb(0xd23b33))
	c.gradient(rect(0, 272, 640, 12, 0), rgb(0xd2ccc2), rgb(0xbdb6aa))
	c.fill(rect(0, 284, 640, 4, 0), rgb(0x9a948a))
	c.gradient(rect(0, 288, 640, 72, 0), rgb(0x6c7077), rgb(0x575b62))
	c.speckle(0, 288, 640, 72, 6)
	for x := -10.0; x < 640; x += 90 {
		c.fill(polygon(x, 350, x+48, 350, x+44, 355, x-5, 355), rgb(0xf1ecd8))
	}
}

// cloud drifts so slowly that no two pictures differ by more than a shade.
func cloud(c canvas, t float64) {
	x := 30 + 8*swing(t, 240)
	for _, b := range [][3]float64{{0, 48, 15}, {18, 42, 19}, {40, 46, 15}} {
		c.fill(circle(x+b[0], b[1], b[2]), color.NRGBA{255, 255, 255, 170})
	}
}

// car is a small car on its way along the street.
func car(c canvas, at, t float64, pass uint64) {
	c = c.towards(pass%2 == 1)
	x, y := -110+860*at, 330.0
	bob := 0.5 * swing(t, 0.35)
	body, glass := pick(pass, 0x2d6fb5, 0xc4473a, 0xf1efe8, 0x3c8b68), rgb(0xbfe0ee)
	shade := mix(body, rgb(0), 0.3)
	c.glow(oval(x, y+4, 88, 6), 8, color.NRGBA{0, 0, 0, 110})
	c.fill(polygon(x-50, y-40+bob, x-32, y-70+bob, x+24, y-70+bob, x+54, y-40+bob), body)
	c.fill(polygon(x-42, y-41+bob, x-28, y-64+bob, x-5, y-64+bob, x-5, y-41+bob), glass)
	c.fill(polygon(x+1, y-41+bob, x+1, y-64+bob, x+21, y-64+bob, x+43, y-41+bob), glass)
	c.fill(polygon(x+6, y-41+bob, x+18, y-64+bob, x+24, y-61+bob, x+14, y-41+bob), color.NRGBA{255, 255, 255, 90})
	c.fill(circle(x+12, y-48+bob, 6), rgb(0x6a4a3a))
	c.fill(limb(x-80, y-24+bob, 13, x+80, y-22+bob, 12), body)
	c.fill(rect(x-84, y-42+bob, 160, 20, 9), body)
	c.fill(rect(x-90, y-22+bob, 180, 9, 4), shade)
	c.fill(rect(x-6, y-40+bob, 1.4, 24, 0), shade)
	c.fill(rect(x-22, y-33+bob, 11, 2.4, 1), shade)
	c.fill(oval(x+86, y-27+bob, 5, 6), rgb(0xfff6cf))
	c.glow(oval(x+92, y-27+bob, 3, 4), 22, color.NRGBA{255, 244, 200, 120})
	c.fill(rect(x-93, y-33+bob, 6, 11, 2), rgb(0xd5362e))
	for _, wx := range []float64{x - 52, x + 54} {
		c.fill(circle(wx, y-8, 17), shade)
		c.fill(circle(wx, y-8, 14.5), rgb(0x22242a))
		c.fill(circle(wx, y-8, 8), rgb(0xc9ccd2))
		dx, dy := 6*swing(t, 0.5), 6*swing(t+0.125, 0.5)
		c.fill(limb(wx-dx, y-8-dy, 1.2, wx+dx, y-8+dy, 1.2), rgb(0x7d828c))
		c.fill(limb(wx-dy, y-8+dx, 1.2, wx+dy, y-8-dx, 1.2), rgb(0x7d828c))
	}
}
