/* The worker's end of the socket: blocking calls, one after the other. A parent that went away or
 * broke the protocol ends the process (WORKER_EXIT_LOST): there is no one left to tell.
 * Threads: one. */
#ifndef TONEARM_WORKER_CHANNEL_H
#define TONEARM_WORKER_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "wire/worker/findings.h"
#include "wire/worker/protocol.h"

/* Waits for the order. */
void channel_start(int fd, struct worker_start *ret);
/* Reads input bytes at offset; fewer than size (at most WORKER_PAYLOAD_MAX) only at the end. */
size_t channel_read(int fd, int64_t offset, void *to, size_t size);
void channel_write(int fd, const void *data, size_t len);
/* The next len bytes, WORKER_HOLD_MAX at most, may be changed until the end. Once. */
void channel_hold(int fd, size_t len);
/* Changes bytes already written that channel_hold spoke of. */
void channel_patch(int fd, int64_t offset, const void *data, size_t len);
void channel_progress(int fd, const struct worker_progress *progress);
void channel_warning(int fd, const struct warning *warning);
void channel_track(int fd, const struct track *track);
void channel_done(int fd, const struct worker_done *done);
void channel_fail(int fd, enum worker_failure failure, const char *detail);

#endif
