#!/bin/sh
# border: ends the connections of img_a, img_b, us_wifi, for the posture isolate-imaging.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
pfctl -k 10.40.40.0/23
pfctl -k 0.0.0.0/0 -k 10.40.40.0/23
pfctl -k 2001:db8:600:230::/63
pfctl -k ::/0 -k 2001:db8:600:230::/63
pfctl -k 2001:db8:600:232::/64
pfctl -k ::/0 -k 2001:db8:600:232::/64
