/* What was found in a file, for the eye. Threads: any. */
#ifndef TONEARM_CONVERTER_COMMAND_FINDINGS_H
#define TONEARM_CONVERTER_COMMAND_FINDINGS_H

#include <stdio.h>

#include "model/track.h"
#include "model/warning.h"

/* A sentence with its time, without a newline: "at 1.500 s: the sound pauses: silence keeps its time
 * (2.000 s)". */
void findings_print_warning(FILE *to, const struct warning *warning);
/* Codec, channels, language, title: hostile text made legible; no newline. */
void findings_print_track(FILE *to, const struct track *track);

#endif
