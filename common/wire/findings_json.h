/* What was found in a source <-> JSON, over jansson. Private to wire/. Threads: any. */
#ifndef TONEARM_WIRE_FINDINGS_JSON_H
#define TONEARM_WIRE_FINDINGS_JSON_H

#include "model/track.h"
#include "model/warning.h"

struct json_t; /* jansson's */

/* [{"code", "message", "at_s", "seconds"}, ...]; a time that is not known is null. */
struct json_t *warnings_json_new(const struct warnings *warnings);
/* Hostile; what is no warning of this build is passed over, and so is what comes after
 * WARNINGS_MAX. Of how many events one spoke is not said. list may be NULL. */
void warnings_json_read(const struct json_t *list, struct warnings *ret);
/* [{"codec", "channels", "language", "title", "default", "taken"}, ...]; what is not known is null. */
struct json_t *tracks_json_new(const struct tracks *tracks);
/* The number of the one that was taken, from 1, of two that are left and right the first; null when
 * none is known. */
struct json_t *track_taken_json_new(const struct tracks *tracks);

#endif
