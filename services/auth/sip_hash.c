#include "auth/sip_hash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t
sip_turn(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
sip_rounds(struct state *s, int count)
{
	while (count-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = sip_turn(s->b, 13) ^ s->a;
		s->d = sip_turn(s->d, 16) ^ s->c;
		s->a = sip_turn(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = sip_turn(s->b, 17) ^ s->c;
		s->d = sip_turn(s->d, 21) ^ s->a;
		s->c = sip_turn(s->c, 32);
	}
}

static void
sip_absorb(struct state *s, uint64_t word)
{
	s->d ^= word;
	sip_rounds(s, 2);
	s->a ^= word;
}

static uint64_t
sip_word_at(const unsigned char *p, size_t len)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < len; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

uint64_t
sip_hash(const struct sip_key *key, const void *data, size_t len)
{
	struct state s = { key->k0 ^ UINT64_C(0x736f6d6570736575),
			   key->k1 ^ UINT64_C(0x646f72616e646f6d),
			   key->k0 ^ UINT64_C(0x6c7967656e657261),
			   key->k1 ^ UINT64_C(0x7465646279746573) };
	const unsigned char *p = data;
	size_t left;

	for (left = len; left >= 8; left -= 8, p += 8)
		sip_absorb(&s, sip_word_at(p, 8));
	sip_absorb(&s, (uint64_t)len << 56 | sip_word_at(p, left));
	s.c ^= 0xff;
	sip_rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
