/* The bar that a terminal sees while a file is converted. Threads: one. */
#ifndef TONEARM_CONVERTER_PROGRESS_BAR_H
#define TONEARM_CONVERTER_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include "model/job.h"

#define PROGRESS_LINE_MAX 512

/* [#####.....]  52 %, 63 x realtime, 12 s left: to and its terminating zero, in at most so many
 * columns. Where they are few, the bar is shorter or gone, then the words end early. */
void progress_bar_line(const struct job_progress *pace, size_t columns, char to[PROGRESS_LINE_MAX]);
/* Draws it over what standard error showed last, as wide as that terminal is now; nothing where it
 * is none. True when something was drawn. */
bool progress_bar_draw(const struct job_progress *pace);
void progress_bar_clear(void);

#endif
