/* One leased job from its video to the record of how it ended. */
#ifndef TONEARM_CONVERTER_CONVERT_H
#define TONEARM_CONVERTER_CONVERT_H

#include "converter/converter.h"

enum convert_end {
	CONVERT_ENDED,       /* done, failed, to be retried, or lost to someone else */
	CONVERT_SERVER_LOST, /* handed back: a server of ours is away */
};
/* One attempt, with its record in the ledger, its announcement and its log line. */
enum convert_end convert_job(const struct converter *c, const struct job *job);

#endif
