/* Whether memory ran out. Demuxers do not always say so: they go on without a table and then take
 * the file for damaged. */
#ifndef TONEARM_WORKER_MEMORY_H
#define TONEARM_WORKER_MEMORY_H

#include <stdbool.h>

/* An allocation of libav's was refused by the system since the start; never with a sanitizer. */
bool memory_was_refused(void);

#endif
