#include "converter/command/progress_bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_COLUMNS 30
#define BAR_COLUMNS_MIN 5
#define USUAL_COLUMNS 80 /* of a terminal that does not tell */

void
progress_bar_line(const struct job_progress *pace, size_t columns, char to[PROGRESS_LINE_MAX])
{
	size_t limit = columns < PROGRESS_LINE_MAX ? columns + 1 : PROGRESS_LINE_MAX;
	char words[128], left[32] = "", bar[BAR_COLUMNS + 1];
	size_t used, cells, filled;

	if (pace->remaining_s > 0)
		(void)snprintf(left, sizeof left, ", %.0f s left", pace->remaining_s);
	used = (size_t)snprintf(words, sizeof words, "%3.0f %%, %.0f x realtime%s",
				pace->fraction * 100, pace->speed, left) +
	       strlen("[] ");
	cells = columns > used ? columns - used : 0;
	if (cells > BAR_COLUMNS)
		cells = BAR_COLUMNS;
	if (cells < BAR_COLUMNS_MIN) {
		(void)snprintf(to, limit, "%s", words);
		return;
	}
	filled = (size_t)(pace->fraction * (double)cells);
	memset(bar, '.', cells);
	memset(bar, '#', filled < cells ? filled : cells);
	bar[cells] = '\0';
	(void)snprintf(to, limit, "[%s] %s", bar, words);
}

/* Asked anew each time: a window may be drawn smaller. The last column stays free, since some
 * terminals go to the next line there. */
static size_t
progress_bar_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return USUAL_COLUMNS - 1;
	return size.ws_col - 1U;
}

bool
progress_bar_draw(const struct job_progress *pace)
{
	size_t columns = progress_bar_columns();
	char line[PROGRESS_LINE_MAX];

	if (!isatty(STDERR_FILENO))
		return false;
	progress_bar_line(pace, columns, line);
	(void)fprintf(stderr, "\r%-*s", (int)columns, line);
	(void)fflush(stderr);
	return true;
}

void
progress_bar_clear(void)
{
	(void)fprintf(stderr, "\r%*s\r", (int)progress_bar_columns(), "");
}
