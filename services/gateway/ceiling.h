/* Per-user ceilings: bytes stored (videos and mp3s of its jobs that are there, uploads under way) and
 * jobs that have not ended (uploads under way, waiting, running). The ledger knows both. Both are
 * asked before the body is read, and again once the upload is registered with the length that its
 * head announced.
 *
 * How exact: uploads never pass the ceiling of jobs (a retry by an operator may). Bytes do not pass
 * it by uploads with a Content-Length, however many run at once, because each sees what the others
 * have announced (two that do not fit together may both be refused). Uploads of unknown length
 * (chunked) are asked again before they are accepted: such that end in the same moment may pass the
 * ceiling together, each by less than its own size. mp3s are counted when they are recorded and
 * never refused: jobs under way may end above the ceiling. What MsgQ's services stored is nobody's.
 * What a gateway that died left counts until the janitor removes it. */
#ifndef TONEARM_GATEWAY_CEILING_H
#define TONEARM_GATEWAY_CEILING_H

#include "gateway/gateway.h"
#include "gateway/refusal.h"

enum ceiling { CEILING_CLEAR, CEILING_JOBS, CEILING_BYTES }; /* which one is reached */

/* Whose upload, and what of it the ledger knows already. */
struct ceiling_asked {
	const char *username;
	int64_t expected; /* bytes of the body; 0 = unknown */
	enum { CEILING_NEW, CEILING_REGISTERED } upload;
};
/* An enum ceiling, or an error of the stores. *ret_room: bytes that the file may have; INT64_MAX =
 * no ceiling. */
int ceiling_check(const struct gateway *g, const struct ceiling_asked *asked, int64_t *ret_room,
		  struct err *e);
/* What the client is told; reached is not CEILING_CLEAR. */
const struct refusal *ceiling_refusal(enum ceiling reached);

#endif
