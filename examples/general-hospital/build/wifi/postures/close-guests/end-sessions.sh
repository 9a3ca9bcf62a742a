#!/bin/sh
# wifi: ends the connections of guest, for the posture close-guests.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
conntrack -D -f ipv4 -s 10.250.0.0/18 >/dev/null 2>&1 || :
conntrack -D -f ipv4 -d 10.250.0.0/18 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -s 2001:db8:600:900::/64 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -d 2001:db8:600:900::/64 >/dev/null 2>&1 || :
