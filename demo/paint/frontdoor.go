package paint

import "image/color"

// frontDoor is a house front at dusk with its porch lamp lit.
func frontDoor(c canvas) {
	c.gradient(rect(0, 0, 640, 240, 0), rgb(0x2b2a55), rgb(0xd9786a))
	c.fill(circle(566, 66, 17).without(circle(558, 62, 15)), rgb(0xfdf0d0))
	// Roofs and trees far away.
	c.fill(polygon(0, 235, 0, 175, 40, 150, 82, 178, 82, 235), rgb(0x3a2b4d))
	c.fill(circle(120, 190, 30), rgb(0x33284a))
	c.fill(circle(96, 205, 24), rgb(0x33284a))
	c.fill(circle(600, 185, 34), rgb(0x33284a))
	c.fill(circle(560, 205, 24), rgb(0x33284a))
	c.fill(circle(632, 206, 26), rgb(0x33284a))
	// Lawn, path, and the pavement in front.
	c.gradient(rect(0, 228, 640, 132, 0), rgb(0x33473f), rgb(0x24342f))
	c.speckle(0, 228, 640, 132, 5)
	c.fill(polygon(262, 262, 378, 262, 424, 318, 216, 318), rgb(0x8a7a76))
	c.gradient(rect(0, 312, 640, 48, 0), rgb(0x77707c), rgb(0x5e5966))
	for x := -40.0; x < 640; x += 80 {
		c.fill(limb(x+30, 312, 0.6, x, 360, 0.9), rgb(0x514c59))
	}
	// The house: wall, roof, door, windows.
	c.gradient(rect(160, 92, 320, 172, 0), rgb(0xb88a70), rgb(0x8f6a5c))
	for y := 102.0; y < 262; y += 11 {
		c.fill(rect(160, y, 320, 1, 0), color.NRGBA{0x5c, 0x40, 0x3c, 60})
	}
	c.fill(polygon(140, 98, 320, 22, 500, 98, 486, 106, 320, 38, 154, 106), rgb(0x3b2f42))
	c.gradient(polygon(164, 100, 320, 36, 476, 100), rgb(0x9b7363), rgb(0xb08069))
	c.glow(circle(320, 152, 6), 120, color.NRGBA{0xff, 0xc8, 0x70, 130})
	c.fill(rect(278, 146, 84, 118, 3), rgb(0xe9dccb))
	c.gradient(rect(285, 153, 70, 111, 2), rgb(0x2f7d76), rgb(0x1f5f5c))
	for _, y := range []float64{206, 236} {
		c.fill(rect(293, y, 24, 22, 2), rgb(0x276b66))
		c.fill(rect(323, y, 24, 22, 2), rgb(0x276b66))
	}
	c.gradient(rect(295, 162, 50, 34, 3), rgb(0xffdf9a), rgb(0xf6b765))
	c.fill(rect(319, 162, 2, 34, 0), rgb(0x2f7d76))
	c.fill(circle(347, 215, 2.6), rgb(0xf3d98b))
	for _, x := range []float64{188, 402} {
		c.fill(rect(x, 140, 50, 62, 2), rgb(0xe9dccb))
		c.gradient(rect(x+4, 144, 42, 54, 1), rgb(0xffe2a0), rgb(0xe89c5c))
		c.fill(rect(x+24, 144, 2, 54, 0), rgb(0xe9dccb))
		c.fill(rect(x+4, 170, 42, 2, 0), rgb(0xe9dccb))
		c.fill(rect(x-4, 202, 58, 5, 1), rgb(0x6c5550))
	}
	c.fill(rect(268, 258, 104, 6, 1), rgb(0xa8968c))
	c.fill(rect(260, 263, 120, 7, 1), rgb(0x97867e))
	for _, x := range []float64{248, 392} {
		c.fill(polygon(x-11, 240, x+11, 240, x+8, 264, x-8, 264), rgb(0xa9583f))
		for _, b := range [][3]float64{{0, 226, 13}, {-9, 232, 8}, {9, 231, 9}, {2, 214, 8}} {
			c.fill(circle(x+b[0], b[1], b[2]), rgb(0x3f6f4c))
		}
	}
}

// lamp is the porch lamp; its light breathes too little to be anything that moves.
func lamp(c canvas, t float64) {
	c.fill(rect(314, 116, 12, 5, 2), rgb(0x2a2230))
	c.fill(rect(315.5, 121, 9, 14, 3), mix(rgb(0xfff0b8), rgb(0xffe7a0), 0.5+0.5*swing(t, 7)))
}

// walker is somebody in a coat with a bag, on the way along the pavement.
func walker(c canvas, at, t float64, pass uint64) {
	c = c.towards(pass%2 == 1)
	x, y := -40+720*at, 336.0
	step := swing(t, 0.9)
	lift := 1.6 * swing(t, 0.45)
	trousers, coat, skin, hair := rgb(0x27304a), pick(pass, 0xc2473d, 0x3f78c4, 0xd6a032, 0x7d57b0),
		pick(pass, 0xe8b796, 0xa9714b, 0xf0c8a8), pick(pass, 0x3a2620, 0x1c1a1a, 0x8a4b24)
	hip, shoulder := y-46+lift, y-92+lift
	c.glow(oval(x, y+1, 20, 4), 6, color.NRGBA{0, 0, 0, 80})
	leg := func(s float64, col color.NRGBA) {
		kx, fx := x+8*s+2, x+17*s
		fy := y - 4*max(0, -s*swing(t+0.2, 0.9))
		c.fill(limb(x, hip, 7, kx, hip+23, 5.5), col)
		c.fill(limb(kx, hip+23, 5.5, fx, fy-3, 4), col)
		c.fill(limb(fx-1, fy-2, 3.4, fx+8, fy-1.5, 2.6), rgb(0x1c1a22))
	}
	arm := func(s float64, col color.NRGBA) {
		c.fill(limb(x, shoulder+6, 5, x+10*s, shoulder+24, 4.5), col)
		c.fill(limb(x+10*s, shoulder+24, 4.5, x+15*s+3, shoulder+40, 3.6), col)
		c.fill(circle(x+15*s+4, shoulder+43, 3.8), skin)
	}
	arm(-step, mix(coat, rgb(0), 0.35))
	leg(-step, mix(trousers, rgb(0), 0.3))
	leg(step, trousers)
	c.fill(limb(x, shoulder+4, 11, x, hip+6, 12), coat)
	c.fill(polygon(x-12, hip-6, x+12, hip-6, x+15+2*step, hip+19, x-15+2*step, hip+19), coat)
	c.fill(rect(x-11, hip-10, 22, 3, 1), mix(coat, rgb(0), 0.45))
	arm(step, mix(coat, rgb(0xffffff), 0.08))
	c.fill(rect(x+15*step-6, shoulder+46, 20, 17, 3), rgb(0xd9a441))
	c.fill(limb(x, shoulder-2, 5, x+1, shoulder-8, 4.5), skin)
	c.fill(oval(x+1.5, shoulder-17, 9.5, 11), skin)
	c.fill(oval(x-1.5, shoulder-22, 10.5, 8.5), hair)
	c.fill(oval(x-6.5, shoulder-14, 5, 9), hair)
	c.fill(limb(x-7, shoulder-2, 4, x+7, shoulder, 4), rgb(0xf0e6d8))
}
