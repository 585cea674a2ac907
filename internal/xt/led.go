package xt

// LED is struct xt_led_info (include/uapi/linux/netfilter/xt_LED.h), revision 0.
type LED struct {
	ID          [27]byte // "netfilter-" and the name, ends in a zero byte
	AlwaysBlink uint8
	Delay       uint32 // milliseconds; LEDForever
	Data        uint64 // the kernel's own
}

// LEDForever is a delay that does not end.
const LEDForever = 0xffffffff
