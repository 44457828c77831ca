/* The gateway's configuration: one row per key in config.c. */
#ifndef TONEARM_GATEWAY_CONFIG_H
#define TONEARM_GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "daemon/daemon.h"

struct gateway_config {
	struct daemon_config daemon; /* first: see daemon/daemon.h */
	int64_t listen_port;
	char auth_address[256];
	struct backend_config backend;
	char video_queue[256], mp3_queue[256], failed_queue[256];
	int64_t max_upload_bytes, max_stored_bytes, max_queued_jobs;
	bool allow_ownerless;
	char trusted_proxies[1024];
	int64_t max_connections, head_timeout_ms, idle_timeout_ms, min_body_rate;
	int64_t mongo_clients, drain_delay_ms;
};

extern const struct config_key gateway_config_keys[];

/* What the row of AUTH_SVC_ADDRESS asks, of an adapter that main.c alone names. */
int gateway_check_auth_address(const char *address, struct err *e);

#endif
