/* A job: one video on its way to an mp3. Plain values, as the ledger keeps them (see
 * port/job_life.h). Times are milliseconds since 1970 by the ledger server's clock; 0 = not yet.
 */
#ifndef TONEARM_MODEL_JOB_H
#define TONEARM_MODEL_JOB_H

#include <stdint.h>
#include <stdbool.h>

#include "model/blob_id.h"
#include "model/media_spec.h"
#include "model/track.h"
#include "model/warning.h"

#define USERNAME_MAX 255 /* bytes; the column's length */
#define FILENAME_MAX_BYTES 255
#define CONTENT_TYPE_MAX 127
#define JOB_ERROR_CODE_MAX 31
#define JOB_ERROR_MESSAGE_MAX 255
#define LEASE_OWNER_MAX 127
#define LEASE_TOKEN_DIGITS 32

enum job_state {
	JOB_UPLOADING, /* registered before the first chunk; not yet acknowledged to anyone */
	JOB_QUEUED,
	JOB_LEASED,
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELED,
	JOB_EXPIRED,
};
#define JOB_STATES 7

struct job_error {
	char code[JOB_ERROR_CODE_MAX + 1];       /* "no_audio", "not_media", ...; "" = none */
	char message[JOB_ERROR_MESSAGE_MAX + 1]; /* words for the user */
};

struct job_source {
	char filename[FILENAME_MAX_BYTES + 1];
	char content_type[CONTENT_TYPE_MAX + 1];
	int64_t bytes;
	double duration_s; /* 0 = unknown */
};

/* How far a conversion has come; all 0 while none runs and nothing is known. */
struct job_progress {
	double fraction;    /* 0 to 1; 1 once done */
	double speed;       /* seconds of sound made in one second */
	double remaining_s; /* 0 = not known */
};

/* As EBU R 128 measures it; what was not measured has no value: silence has no loudness, a sound of
 * less than 3 s no range. */
struct job_loudness {
	bool has_integrated, has_range, has_true_peak;
	double integrated_lufs, range_lu, true_peak_dbtp;
};

/* What a conversion made. */
struct job_result {
	struct blob_id mp3_fid;
	double duration_s; /* of the audio; 0 = unknown */
	struct job_loudness loudness;
	int64_t bytes; /* of the output */
	struct warnings warnings;
	struct tracks tracks; /* of the source */
};

/* Names one lease: every write under it carries the token. */
struct job_lease {
	struct blob_id video_fid;
	char owner[LEASE_OWNER_MAX + 1];
	char token[LEASE_TOKEN_DIGITS + 1];
	int64_t until_ms;
	struct blob_id output; /* what this attempt writes under: registered with the lease */
};

/* How an attempt ended. */
enum job_end {
	JOB_END_DONE,
	JOB_END_FAILED,      /* for good */
	JOB_END_RETRIED,     /* failed, and another one was to come */
	JOB_END_HANDED_BACK, /* not counted: a shutdown, or a server that was away */
	JOB_END_LOST,        /* the lease ran out: its converter died, or lost the ledger */
};
#define JOB_ENDS 5
#define JOB_HISTORY_MAX 16 /* ended attempts that one job remembers: the last */

struct job_attempt {
	/* host/process/a random number; of a pod the host is its name */
	char owner[LEASE_OWNER_MAX + 1];
	int64_t began_ms, ended_ms; /* 0 = not known */
	enum job_end end;
	char error[JOB_ERROR_CODE_MAX + 1]; /* "" = none */
};

struct job {
	struct blob_id video_fid;
	char username[USERNAME_MAX + 1];
	enum job_state state;
	struct job_source source;
	struct media_spec spec; /* what is wanted; MEDIA_UNKNOWN: not by this build */
	int attempts;
	struct job_progress progress;
	struct job_error error;
	struct blob_id mp3_fid;
	struct job_loudness loudness; /* of the mp3 */
	struct warnings warnings;     /* of a done job, like tracks */
	struct tracks tracks;         /* of the source */
	struct job_lease lease;
	int64_t not_before_ms, created_ms, updated_ms;
	int64_t video_published_ms, result_published_ms, notified_ms;
};

/* What travels on the queues: {"video_fid", "mp3_fid", "username"[, "error"][, "warnings"]}. */
struct job_message {
	struct blob_id video_fid;
	struct blob_id mp3_fid; /* none on `video` and `failed` */
	char username[USERNAME_MAX + 1];
	struct job_error error;   /* set on `failed` only */
	struct warnings warnings; /* of a result; none are said where there are none */
};

const char *job_state_name(enum job_state state);
int job_state_parse(const char *name, enum job_state *ret); /* -1 unknown */
bool job_state_is_final(enum job_state state);
const char *job_end_name(enum job_end end);
int job_end_parse(const char *name, enum job_end *ret); /* -1 unknown */
/* No attempt will ever be made again; a failed job may be retried. */
bool job_state_is_over(enum job_state state);
/* The message that says job's present state: for `video` while it waits, else for its result. */
struct job_message job_message_of(const struct job *job);

#endif
