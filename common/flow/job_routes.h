/* The routes of a conversion's messages, as MsgQ's services know them: {"video_fid", "mp3_fid",
 * "username"} on the queues video, mp3 and (ours, with "error") failed. queue is borrowed. */
#ifndef TONEARM_FLOW_JOB_ROUTES_H
#define TONEARM_FLOW_JOB_ROUTES_H

#include "flow/outbox.h"

/* A job that waits: the permit to convert one. */
struct outbox_route job_route_video(const char *queue);
/* A job that is done. */
struct outbox_route job_route_mp3(const char *queue);
/* A job that failed for good. */
struct outbox_route job_route_failed(const char *queue);

#endif
