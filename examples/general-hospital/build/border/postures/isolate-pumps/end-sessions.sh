#!/bin/sh
# border: ends the connections of pump_wifi, for the posture isolate-pumps.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
pfctl -k 10.40.16.0/20
pfctl -k 0.0.0.0/0 -k 10.40.16.0/20
pfctl -k 2001:db8:600:210::/64
pfctl -k ::/0 -k 2001:db8:600:210::/64
