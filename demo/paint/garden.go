package paint

import "image/color"

// garden is a lawn by day with a hedge, flowers and a garden table.
func garden(c canvas) {
	c.gradient(rect(0, 0, 640, 170, 0), rgb(0x6fb7e8), rgb(0xd5edf7))
	for _, b := range [][3]float64{{130, 62, 20}, {152, 54, 26}, {180, 60, 22}, {198, 66, 15}, {420, 40, 14}, {438, 34, 19}, {460, 41, 14}} {
		c.fill(circle(b[0], b[1], b[2]), color.NRGBA{255, 255, 255, 235})
	}
	// Hills, hedge, fence.
	c.fill(oval(150, 190, 260, 66), rgb(0xa5cf9c))
	c.fill(oval(520, 196, 260, 76), rgb(0x8cc08a))
	for x := 0.0; x <= 650; x += 26 {
		c.fill(circle(x, 168+3*swing(x, 90), 20), rgb(0x3f7f47))
		c.fill(circle(x+12, 160+4*swing(x, 70), 13), rgb(0x4b8f52))
	}
	c.fill(rect(0, 170, 640, 36, 0), rgb(0x3a7642))
	c.speckle(0, 148, 640, 58, 9)
	for x := 6.0; x < 640; x += 22 {
		c.fill(polygon(x, 208, x, 176, x+5, 169, x+10, 176, x+10, 208), rgb(0xf7f2e6))
	}
	c.fill(rect(0, 182, 640, 4, 0), rgb(0xe6dfcd))
	c.fill(rect(0, 197, 640, 4, 0), rgb(0xe6dfcd))
	// Lawn in mown stripes that come together in the distance.
	c.gradient(rect(0, 206, 640, 154, 0), rgb(0x7cc25a), rgb(0x4f9a3f))
	for i := -8.0; i < 9; i += 2 {
		c.fill(polygon(320+i*34, 206, 320+(i+1)*34, 206, 320+(i+1)*92, 360, 320+i*92, 360), color.NRGBA{255, 255, 200, 22})
	}
	c.speckle(0, 206, 640, 154, 7)
	// Table and two stools.
	c.fill(oval(508, 268, 46, 8), color.NRGBA{0, 40, 0, 60})
	c.fill(limb(508, 232, 3, 508, 266, 4), rgb(0x9a6a42))
	c.fill(oval(508, 230, 42, 9), rgb(0xb9834f))
	c.fill(oval(508, 228, 42, 8), rgb(0xd29e63))
	c.fill(rect(500, 212, 10, 15, 3), rgb(0xe9f3f7))
	c.fill(circle(505, 207, 6), rgb(0xf2c83f))
	for _, x := range []float64{446, 572} {
		c.fill(limb(x-7, 252, 2.5, x-10, 276, 2.5), rgb(0x8d5f3a))
		c.fill(limb(x+7, 252, 2.5, x+10, 276, 2.5), rgb(0x8d5f3a))
		c.fill(oval(x, 250, 16, 5), rgb(0xc08a55))
	}
	// A bed of flowers in front.
	c.fill(oval(330, 372, 200, 26), rgb(0x6a4a32))
	petals := []uint32{0xf25f5c, 0xffe066, 0xf7a8d8, 0xffffff, 0xa06cd5}
	for i := range 22 {
		x := 158 + float64(i)*16.4
		y := 348 - 6*swing(float64(i), 5.3)
		c.fill(limb(x, 366, 1.4, x, y, 1.2), rgb(0x2f6d34))
		for _, d := range [][2]float64{{-3.4, 0}, {3.4, 0}, {0, -3.4}, {0, 3.4}} {
			c.fill(circle(x+d[0], y+d[1], 3), rgb(petals[i%len(petals)]))
		}
		c.fill(circle(x, y, 2.2), rgb(0xf7b32b))
	}
	// The trunk of the tree whose crown sways.
	c.fill(oval(112, 286, 62, 10), color.NRGBA{0, 50, 0, 70})
	c.fill(polygon(98, 284, 103, 190, 121, 190, 127, 284), rgb(0x7a5436))
	c.fill(limb(112, 204, 5, 84, 168, 3), rgb(0x7a5436))
	c.fill(limb(114, 200, 5, 142, 160, 3), rgb(0x7a5436))
}

// tree is the crown, in a light wind.
func tree(c canvas, t float64) {
	for i, b := range [][3]float64{{70, 150, 34}, {154, 146, 34}, {112, 112, 44}, {84, 118, 32}, {142, 112, 32}, {112, 156, 36}, {112, 82, 26}} {
		high := (200 - b[1]) / 100 // what is higher sways more
		x := b[0] + high*(2.4*swing(t, 3.1)+1.1*swing(t+float64(i), 1.7))
		y := b[1] + 0.8*swing(t+float64(i)*0.7, 2.3)
		c.fill(circle(x, y, b[2]), mix(rgb(0x2f7a3c), rgb(0x4f9e4c), float64(i%4)/3))
	}
	for i := range 9 {
		x := 70 + float64(i)*10.5
		y := 96 + 34*(0.5+0.5*swing(float64(i)*1.3, 3))
		c.fill(circle(x+2.2*swing(t+float64(i), 3.1), y, 4.5), rgb(0xe2473f))
	}
}

// cat is a cat on its way across the lawn.
func cat(c canvas, at, t float64, pass uint64) {
	c = c.towards(pass%2 == 1)
	x, y := 680-720*at, 318.0
	bob := 1.2 * swing(t, 0.4)
	fur, dark, pale := pick(pass, 0xe58f3c, 0x8d8f98, 0x3b3838), pick(pass, 0xb9652a, 0x5f616b, 0x211f20), pick(pass, 0xfbe7cf, 0xe9eaee, 0xcfcaca)
	c.glow(oval(x, y+1, 36, 4), 6, color.NRGBA{0, 50, 0, 90})
	leg := func(lx, phase float64, col color.NRGBA) {
		s := swing(t+phase, 0.8)
		lift := 5 * max(0, swing(t+phase+0.2, 0.8))
		c.fill(limb(x+lx, y-24+bob, 6, x+lx-2+5*s, y-12, 4.4), col)
		c.fill(limb(x+lx-2+5*s, y-12, 4.4, x+lx-3+9*s, y-3-lift, 3.6), col)
	}
	leg(-22, 0.4, dark)
	leg(24, 0, dark)
	tx, ty := x+46+5*swing(t, 1.3), y-62+4*swing(t, 0.9)
	c.fill(limb(x+34, y-32+bob, 4.6, x+48, y-44, 4), fur)
	c.fill(limb(x+48, y-44, 4, tx, ty, 3.2), dark)
	c.fill(limb(x-24, y-30+bob, 14, x+28, y-29+bob, 14.5), fur)
	for i := range 4 {
		sx := x - 16 + float64(i)*14
		c.fill(limb(sx, y-43+bob, 1.8, sx+3, y-30+bob, 1), dark)
	}
	c.fill(limb(x-22, y-19+bob, 4, x+22, y-18+bob, 4), pale)
	leg(-18, 0, fur)
	leg(28, 0.4, fur)
	hx, hy := x-42, y-44+bob*0.6
	c.fill(polygon(hx-11, hy-6, hx-13, hy-22, hx-1, hy-11), fur)
	c.fill(polygon(hx+1, hy-11, hx+12, hy-21, hx+11, hy-5), fur)
	c.fill(polygon(hx-9, hy-9, hx-10.5, hy-17, hx-4, hy-11), rgb(0xf2b5a0))
	c.fill(oval(hx, hy, 14, 12), fur)
	c.fill(oval(hx-6, hy+5, 7.5, 5.5), pale)
	c.fill(circle(hx-7, hy-2, 2.1), rgb(0x2c3a1e))
	c.fill(circle(hx+3, hy-2, 2.1), rgb(0x2c3a1e))
	c.fill(circle(hx-9, hy+3, 1.6), rgb(0x8c3a3a))
}
