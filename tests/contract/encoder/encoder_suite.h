/* What every encoder must do, whatever it makes of its input. */
#ifndef TONEARM_TESTS_CONTRACT_ENCODER_ENCODER_SUITE_H
#define TONEARM_TESTS_CONTRACT_ENCODER_ENCODER_SUITE_H

#include "port/encoder.h"

/* media: bytes that the encoder can convert. Returns the number of failed tests. */
int encoder_suite_run(struct encoder *encoder, const void *media, size_t len);

#endif
