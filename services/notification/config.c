#include "notification/config.h"

const struct config_key notification_config_keys[] = {
	BACKEND_LEDGER_KEYS(struct notification_config, backend),
	BACKEND_QUEUE_KEYS(struct notification_config, backend),
	BACKEND_QUEUE_NAME_KEY(struct notification_config, mp3_queue, "MP3_QUEUE", "mp3",
			       "queue of finished mp3s"),
	BACKEND_QUEUE_NAME_KEY(struct notification_config, failed_queue, "FAILED_QUEUE", "failed",
			       "queue of failed jobs"),
	CONFIG_KEY_NUMBER(CONFIG_INTEGER, struct notification_config, prefetch, "PREFETCH", "50", 1,
			  1000, "messages taken at once per queue"),
	CONFIG_END,
};
