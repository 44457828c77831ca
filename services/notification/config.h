/* The configuration of notification: one row per key in config.c. */
#ifndef TONEARM_NOTIFICATION_CONFIG_H
#define TONEARM_NOTIFICATION_CONFIG_H

#include <stdint.h>

#include "backend/backend.h"
#include "daemon/daemon.h"

struct notification_config {
	struct daemon_config daemon; /* first: see daemon/daemon.h */
	struct backend_config backend;
	char mp3_queue[256], failed_queue[256];
	int64_t prefetch;
};

extern const struct config_key notification_config_keys[];

#endif
