#include "contract/encoder/encoder_suite.h"
#include "fake/encoder_fake.h"

int
main(void)
{
	static const char media[] = "sound, as far as the fake can tell";
	SCOPED(encoder_close_p) struct encoder *encoder = NULL;

	if (encoder_fake_new(&encoder, NULL) < 0)
		return 1;
	return encoder_suite_run(encoder, media, sizeof media);
}
