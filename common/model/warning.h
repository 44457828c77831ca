/* What could not be had, or was mended, in a conversion that is done all the same: plain values
 * that travel from the worker into the job. Bounded: WARNINGS_MAX of them, WARNINGS_OF_A_CODE with
 * the same code; what comes later is added to the last one of its code. Threads: one a list. */
#ifndef TONEARM_MODEL_WARNING_H
#define TONEARM_MODEL_WARNING_H

#include <stddef.h>
#include <stdint.h>

#define WARNINGS_MAX 24
#define WARNINGS_OF_A_CODE 4
#define WARNING_TEXT_MAX 159 /* bytes */

enum warning_code {
	WARNING_TRUNCATED = 1,     /* bytes are missing at the file's end */
	WARNING_DAMAGED,           /* packets that could not be decoded */
	WARNING_GAP_FILLED,        /* no sound for a while: silence in its place */
	WARNING_OVERLAP_CUT,       /* sound that the file has twice for the same time */
	WARNING_LATE_START,        /* the sound begins after the film: silence in front */
	WARNING_CLOCK_RESTARTED,   /* the file's clock jumped: the sound goes on without silence */
	WARNING_LEVEL_LIMITED,     /* louder than full scale: taken back for that long */
	WARNING_TRACK_CHANGED,     /* the sound went on in another track */
	WARNING_COVER_LEFT_OUT,    /* a picture of a kind that a tag does not take */
	WARNING_CHAPTERS_LEFT_OUT, /* more than a tag can count */
};
#define WARNING_CODES (WARNING_CHAPTERS_LEFT_OUT + 1)

struct warning {
	enum warning_code code;
	int64_t at_ms;   /* from the start of the result; -1 = not of a moment */
	int64_t ms;      /* how much of the result it concerns; 0 = not known, or nothing */
	uint32_t events; /* how many of them; packets for DAMAGED; at least 1 */
};
struct warnings {
	size_t count;
	struct warning list[WARNINGS_MAX];
};

/* Notes one that is of `events` events. */
void warnings_add(struct warnings *w, const struct warning *warning);
/* NULL when there is none with the code. */
const struct warning *warnings_find(const struct warnings *w, enum warning_code code);
const char *warning_code_name(enum warning_code code);
int warning_code_parse(const char *name, enum warning_code *ret); /* -1 unknown */
/* A sentence for users. */
void warning_text(const struct warning *warning, char ret[WARNING_TEXT_MAX + 1]);

#endif
