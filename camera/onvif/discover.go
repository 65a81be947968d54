package onvif

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

const (
	defaultWait = 3 * time.Second // devices answer within half a second of the second asking

	maxDatagram = 16 << 10 // bytes of one answer; real ones have 2 KB
	maxAnswers  = 2000     // read from one network, whoever they are from
	perSender   = 4        // answers parsed of one sender
	maxDevices  = 256      // that are told of
)

// Device is a camera that wants to be found.
type Device struct {
	Host     string // its address in this network, from which its answer came
	Name     string // what it calls itself, "" if it does not say
	Hardware string
	Address  string // where it answers ONVIF, http://HOST:PORT/PATH; "" if what it says is not its own address
}

// Discovery says where devices are looked for.
type Discovery struct {
	// Networks are those that are asked, each as this machine's own address in it;
	// if nil, all to which this machine is directly connected and that are private.
	Networks []netip.Prefix

	// Group is who is asked; if zero, 239.255.255.250:3702, which routers keep in
	// the network.
	Group netip.AddrPort

	// Wait is how long answers are waited for; 3 s if zero.
	Wait time.Duration
}

// Discover asks the networks for devices and returns those that answer, in the order of
// their addresses. The answers are nothing but hints: anybody in the network can make
// them. An answer counts only for the address that it came from.
func Discover(ctx context.Context, d Discovery) ([]Device, error) {
	if d.Wait == 0 {
		d.Wait = defaultWait
	}
	if d.Group == (netip.AddrPort{}) {
		d.Group = netip.MustParseAddrPort("239.255.255.250:3702")
	}
	if d.Networks == nil {
		d.Networks = networks()
	}
	if len(d.Networks) == 0 {
		return nil, errors.New("this machine is in no private network, so there is none to look for cameras in")
	}
	ctx, cancel := context.WithTimeout(ctx, d.Wait)
	defer cancel()
	found, errs := map[string]Device{}, make([]error, len(d.Networks))
	var mu sync.Mutex // protects found
	var all sync.WaitGroup
	for i, own := range d.Networks {
		all.Go(func() {
			errs[i] = d.search(ctx, own, func(from Device) {
				mu.Lock()
				defer mu.Unlock()
				if known, ok := found[from.Host]; ok && known.Address != "" || !ok && len(found) == maxDevices {
					return
				}
				found[from.Host] = from
			})
		})
	}
	all.Wait()
	var devices []Device
	for _, v := range found {
		devices = append(devices, v)
	}
	slices.SortFunc(devices, func(a, b Device) int {
		return netip.MustParseAddr(a.Host).Compare(netip.MustParseAddr(b.Host))
	})
	if err := errors.Join(errs...); err != nil && len(devices) == 0 {
		return nil, fmt.Errorf("look for cameras: %w", err)
	}
	return devices, nil
}

// networks are the private networks to which this machine is directly connected.
func networks() []netip.Prefix {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []netip.Prefix
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() && (p.Addr().IsPrivate() || p.Addr().IsLinkLocalUnicast()) {
				all = append(all, p)
			}
		}
	}
	return all
}

// search asks one network, and tells of whoever answers until ctx ends.
func (d Discovery) search(ctx context.Context, own netip.Prefix, tell func(Device)) error {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(own.Addr(), 0)))
	if err != nil {
		return fmt.Errorf("ask network %v: %w", own, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if i := interfaceOf(own.Addr()); i != nil && d.Group.Addr().IsMulticast() {
		if err := ipv4.NewPacketConn(conn).SetMulticastInterface(i); err != nil {
			return fmt.Errorf("ask network %v: %w", own, err)
		}
	}
	id := "urn:uuid:" + uuid()
	again := time.AfterFunc(d.Wait/4, func() { conn.WriteToUDPAddrPort(question(id), d.Group) }) // datagrams get lost
	defer again.Stop()
	if _, err := conn.WriteToUDPAddrPort(question(id), d.Group); err != nil {
		return fmt.Errorf("ask network %v: %w", own, err)
	}
	buffer, heard := make([]byte, maxDatagram+1), map[netip.Addr]int{}
	for range maxAnswers {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return nil // the time is over
		}
		sender := from.Addr().Unmap()
		if n > maxDatagram || !own.Contains(sender) || heard[sender] == perSender || len(heard) == 2*maxDevices && heard[sender] == 0 {
			continue
		}
		heard[sender]++
		if device, ok := readMatch(buffer[:n], sender, id); ok {
			tell(device)
		}
	}
	return nil
}

// readMatch reads an answer to the question of that ID. Addresses in it that are not the
// sender's are not its to give: the one in a flat's shared network that leads to the
// neighbour's camera, to a router, to a cloud's secrets.
func readMatch(b []byte, sender netip.Addr, id string) (Device, bool) {
	answer, err := parse(b)
	if err != nil || answer.text("RelatesTo") != id {
		return Device{}, false
	}
	match := answer.find("ProbeMatch")
	if match == nil {
		return Device{}, false
	}
	d := Device{Host: sender.String()}
	for _, address := range strings.Fields(match.whole("XAddrs", 4096)) {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" || u.User != nil || d.Address != "" {
			continue
		}
		if host, err := netip.ParseAddr(u.Hostname()); err == nil && host == sender {
			d.Address = (&url.URL{Scheme: "http", Host: u.Host, Path: u.Path}).String()
		}
	}
	for _, scope := range strings.Fields(match.whole("Scopes", 8192)) {
		rest, ok := strings.CutPrefix(scope, "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		what, value, _ := strings.Cut(rest, "/")
		if plain, err := url.PathUnescape(value); err == nil {
			switch {
			case strings.EqualFold(what, "name") && d.Name == "":
				d.Name = clean(plain, 64)
			case strings.EqualFold(what, "hardware") && d.Hardware == "":
				d.Hardware = clean(plain, 64)
			}
		}
	}
	return d, true
}

func interfaceOf(a netip.Addr) *net.Interface {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, other := range addresses {
			if p, err := netip.ParsePrefix(other.String()); err == nil && p.Addr() == a {
				return &i
			}
		}
	}
	return nil
}

// question asks every network video transmitter to say where it is.
func question(id string) []byte {
	const discovery = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<s:Envelope xmlns:s="` + soapNS + `" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="` + discovery + `">` +
		`<s:Header><a:MessageID>` + id + `</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>` +
		`<a:Action>` + discovery + `/Probe</a:Action></s:Header>` +
		`<s:Body><d:Probe><d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">n:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>`)
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
