/* The result's bytes on their way to the parent: counted, and gathered so that a message holds more
 * than a frame. Threads: one. */
#ifndef TONEARM_WORKER_OUTPUT_H
#define TONEARM_WORKER_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#define OUTPUT_WAITING_MAX (32 * 1024)

struct output {
	int fd;
	int64_t written; /* bytes taken so far */
	int64_t held_at; /* where what output_hold spoke of begins */
	size_t waiting_len;
	uint8_t waiting[OUTPUT_WAITING_MAX];
};

void output_begin(struct output *o, int fd);
void output_write(struct output *o, const void *data, size_t len);
/* The next len bytes, WORKER_HOLD_MAX at most, may be changed until the end. Once. */
void output_hold(struct output *o, size_t len);
/* Overwrites bytes already written that output_hold spoke of; at counts from their first. */
void output_patch(struct output *o, size_t at, const void *data, size_t len);
/* Sends what waits: the last call of a result that is complete. */
void output_end(struct output *o);

#endif
