/* The converter's use cases in terms of ports alone; main.c wires them. A struct converter is set
 * once and then only read, by the dispatcher's thread and by the threads that convert. */
#ifndef TONEARM_CONVERTER_CONVERTER_H
#define TONEARM_CONVERTER_CONVERTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/stop.h"
#include "flow/fair.h"
#include "flow/relay.h"
#include "port/blob_store.h"
#include "port/encoder.h"
#include "port/job_life.h"
#include "port/queue.h"

enum converter_order {
	CONVERTER_ORDER_FAIR,    /* a message is a permit for the fairest job */
	CONVERTER_ORDER_MESSAGE, /* a message means its own job: beside a converter of MsgQ */
};

struct converter {
	struct blob_store *videos, *mp3s; /* all borrowed */
	struct job_life *jobs;
	struct fair *fair; /* whose job is next */
	struct encoder *encoder;
	struct relay_announcer announcer; /* how a result becomes a message */
	const char *owner;                /* names this process in leases */
	int64_t lease_ms;
	enum converter_order order;
	const atomic_bool *hand_back; /* the drain's time is over: hand jobs under way back */
	const struct stop *stop; /* the daemon's: jobs under way may end; may be NULL in tests */
	/* Called once per ended attempt, by the thread that made it; may be NULL. */
	void (*on_end)(void *arg, const char *result, int64_t duration_ms);
	void *on_end_arg;
	/* Called once per message that was put aside, by the dispatcher's thread; may be NULL. */
	void (*on_buried)(void *arg);
	void *on_buried_arg;
};

#endif
