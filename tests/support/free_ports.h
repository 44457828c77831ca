/* Loopback ports for servers of a test's own, below the range that the kernel gives to outgoing
 * connections: one of those could take the port of a server while it is down. */
#ifndef TONEARM_SUPPORT_FREE_PORTS_H
#define TONEARM_SUPPORT_FREE_PORTS_H

/* n ports, each another one, on which nobody listens. */
void free_ports(int *ret, int n);

#endif
