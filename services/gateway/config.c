#include "gateway/config.h"

#define QUEUE(m, n, d, h) BACKEND_QUEUE_NAME_KEY(struct gateway_config, m, n, d, h)
#define TEXT(m, n, d, c, h) CONFIG_KEY_TEXT_CHECKED(struct gateway_config, m, n, d, c, h)
#define NUMBER(t, m, n, d, lo, hi, h)                                                              \
	CONFIG_KEY_NUMBER(t, struct gateway_config, m, n, d, lo, hi, h)

const struct config_key gateway_config_keys[] = {
	CONFIG_KEY_PORT(struct gateway_config, listen_port, "LISTEN_PORT", "8080", 1,
			"port for clients"),
	TEXT(auth_address, "AUTH_SVC_ADDRESS", "auth:5000", gateway_check_auth_address,
	     "auth, as host:port or an http URL"),
	BACKEND_BLOB_KEYS(struct gateway_config, backend),
	BACKEND_LEDGER_KEYS(struct gateway_config, backend),
	BACKEND_QUEUE_KEYS(struct gateway_config, backend),
	QUEUE(video_queue, "VIDEO_QUEUE", "video", "queue of videos to convert"),
	QUEUE(mp3_queue, "MP3_QUEUE", "mp3", "queue of finished mp3s"),
	QUEUE(failed_queue, "FAILED_QUEUE", "failed", "queue of failed jobs"),
	NUMBER(CONFIG_BYTES, max_upload_bytes, "MAX_UPLOAD_BYTES", "0", 0, INT64_MAX,
	       "largest file taken; 0 = no limit"),
	NUMBER(CONFIG_BYTES, max_stored_bytes, "MAX_STORED_BYTES_PER_USER", "0", 0, INT64_MAX,
	       "videos and mp3s that one user may have stored; past it 413; 0 = no limit"),
	NUMBER(CONFIG_INTEGER, max_queued_jobs, "MAX_QUEUED_JOBS_PER_USER", "0", 0, 1000000000,
	       "jobs of one user that have not ended; past it 429; 0 = no limit"),
	CONFIG_KEY_FLAG(struct gateway_config, allow_ownerless, "ALLOW_OWNERLESS", "true",
			"serve blobs without an owner (made by MsgQ) to any valid token"),
	TEXT(trusted_proxies, "TRUSTED_PROXIES", "", http_trusted_check,
	     "CIDR list whose X-Forwarded-For is believed"),
	NUMBER(CONFIG_INTEGER, max_connections, "MAX_CONNECTIONS", "2048", 1, 100000,
	       "connections at once; past it 503"),
	NUMBER(CONFIG_DURATION, head_timeout_ms, "HEAD_TIMEOUT", "30s", 100, 3600000,
	       "longest time for a request's head"),
	NUMBER(CONFIG_DURATION, idle_timeout_ms, "IDLE_TIMEOUT", "60s", 100, 3600000,
	       "longest silence, between requests and in a body"),
	NUMBER(CONFIG_BYTES, min_body_rate, "MIN_BODY_RATE", "512", 0, 1073741824,
	       "slowest body taken, bytes per second over 30 s; 0 = no minimum"),
	NUMBER(CONFIG_INTEGER, mongo_clients, "MONGODB_CLIENTS", "64", 2, 1000,
	       "connections to MongoDB at most"),
	NUMBER(CONFIG_DURATION, drain_delay_ms, "DRAIN_DELAY", "5s", 0, 3600000,
	       "new connections are still taken for so long after SIGTERM, until load "
	       "balancers have noticed"),
	CONFIG_END,
};
