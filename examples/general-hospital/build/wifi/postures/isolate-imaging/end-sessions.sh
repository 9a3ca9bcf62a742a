#!/bin/sh
# wifi: ends the connections of img_a, img_b, us_wifi, for the posture isolate-imaging.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
conntrack -D -f ipv4 -s 10.40.40.0/23 >/dev/null 2>&1 || :
conntrack -D -f ipv4 -d 10.40.40.0/23 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -s 2001:db8:600:230::/63 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -d 2001:db8:600:230::/63 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -s 2001:db8:600:232::/64 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -d 2001:db8:600:232::/64 >/dev/null 2>&1 || :
