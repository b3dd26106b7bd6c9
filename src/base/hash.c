// SPDX-License-Identifier: GPL-2.0-only
/*
 * XXH64 from xxHash's headers (compiled in: nothing to link) and SHA-256 from
 * libmd, behind structs of our own so that no user sees theirs.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <unistd.h>

#include "hash.h"

_Static_assert(sizeof(struct hash64) >= sizeof(XXH64_state_t), "struct hash64 is too small");
_Static_assert(sizeof(struct hash_sha256) >= sizeof(SHA2_CTX), "struct hash_sha256 is too small");
_Static_assert(SHA256_BYTES == SHA256_DIGEST_LENGTH, "digest length");

u64 hash64(const void *data, size_t len, u64 seed)
{
	return XXH64(data, len, seed);
}

void hash64_init(struct hash64 *h, u64 seed)
{
	XXH64_reset((XXH64_state_t *)h, seed);
}

void hash64_add(struct hash64 *h, const void *data, size_t len)
{
	if (len)
		XXH64_update((XXH64_state_t *)h, data, len);
}

/* One stripe of XXH64 is 32 bytes, a word for each of its four lanes. */
void hash64_add32(struct hash64 *h, const void *data, size_t nr)
{
	XXH64_state_t *state = (XXH64_state_t *)h;
	const unsigned char *words = data, *end = words + 32 * nr;
	u64 v[4]; /* in registers, once the loop over them is unrolled */

	VRT_ASSERT(!state->memsize);
	state->total_len += 32 * nr;
	memcpy(v, state->v, sizeof(v));
	for (; words < end; words += 32)
#pragma GCC unroll 4
		for (u32 lane = 0; lane < 4; lane++)
			v[lane] = XXH64_round(v[lane], XXH_readLE64(words + 8 * lane));
	memcpy(state->v, v, sizeof(v));
}

u64 hash64_value(const struct hash64 *h)
{
	return XXH64_digest((const XXH64_state_t *)h);
}

void hash_sha256_init(struct hash_sha256 *h)
{
	SHA256Init((SHA2_CTX *)h);
}

void hash_sha256_add(struct hash_sha256 *h, const void *data, size_t len)
{
	if (len)
		SHA256Update((SHA2_CTX *)h, data, len);
}

void hash_sha256_final(struct hash_sha256 *h, u8 digest[SHA256_BYTES])
{
	SHA256Final(digest, (SHA2_CTX *)h);
}

void hash_sha256_hex(const u8 digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (u32 i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * SHA256_BYTES] = '\0';
}

int hash_sha256_file(const char *path, char hex[SHA256_HEX_SIZE])
{
	struct hash_sha256 h;
	u8 buf[16384], digest[SHA256_BYTES];
	ssize_t n;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	hash_sha256_init(&h);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		hash_sha256_add(&h, buf, n);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	hash_sha256_final(&h, digest);
	hash_sha256_hex(digest, hex);
	return 0;
}
